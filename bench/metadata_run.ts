import { join } from "node:path";
import { Image } from "../src/imaging/image.ts";
import { inspectMetadata } from "../src/steps/inspect/metadata.ts";

/** Pictures that are read at the same time, so that none waits for the disk. */
const lanes = 4;

/**
 * Prints the rows of `inspect.metadata` for the pictures of a folder as JSON: what the step takes where
 * nothing is hashed, cached or written to a catalogue.
 */
async function main(folder: string): Promise<void> {
  const paths = Array.from(Deno.readDirSync(folder), ({ name }) => join(folder, name)).values();
  const rows: unknown[] = [];
  const lane = async () => {
    for (const path of paths) rows.push({ path, ...await rowOf(path) });
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  console.log(JSON.stringify(rows));
}

async function rowOf(path: string): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await Deno.readFile(path);
  const opened = new Image(() => Promise.resolve(bytes));
  const image = { ref: { byteLength: bytes.length }, read: () => Promise.resolve(opened) };
  const context = { warn: () => {} };
  const result = await inspectMetadata.run!({ image } as never, {}, context as never);
  if (result.status !== "produced") throw new Error(`Cannot inspect "${path}": ${result.reason}`);
  return (result.outputs as { readonly metadata: Readonly<Record<string, unknown>> }).metadata;
}

await main(Deno.args[0]!);
