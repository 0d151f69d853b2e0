import assert from "node:assert/strict";
import { Image } from "../../src/imaging/image.ts";
import type { ValueOf } from "../../src/runtime/artifact.ts";
import { inspectMetadata, type metadata } from "../../src/steps/inspect/metadata.ts";

/** A row of `inspect.metadata`. */
export type Row = ValueOf<typeof metadata>;

/** What the step says of a file, what it warns of, and how often it decoded. */
export async function inspected(bytes: Uint8Array) {
  const warnings: string[] = [];
  let decodes = 0;
  const opened = new Image(() => Promise.resolve(bytes), { onDecode: () => decodes++ });
  const handle = {
    ref: { byteLength: bytes.length },
    read: () => Promise.resolve(opened),
    bytes: () => Promise.resolve(bytes),
  };
  const context = { warn: (message: string) => warnings.push(message) };
  const result = await inspectMetadata.run!({ image: handle } as never, {}, context as never);
  assert.equal(result.status, "produced");
  const { metadata } = (result as { outputs: { metadata: Row } }).outputs;
  return { row: metadata, warnings, decodes };
}
