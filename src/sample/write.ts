import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Sample } from "./truth.ts";

/** Name of the file beside the pictures that says what is true of them. */
export const TRUTH_FILE = "truth.json";

/** Thrown where a sample cannot be written into a folder, before anything is written there. */
export class SampleError extends Error {
  override readonly name = "SampleError";

  constructor(folder: string, reason: string) {
    super(`Cannot make sample in "${folder}": ${reason} (give an empty folder)`);
  }
}

/** Writes a sample's pictures and `truth.json`; files that are there and equal stay untouched. */
export async function writeSample(folder: string, { truth, files }: Sample): Promise<void> {
  const truthBytes = new TextEncoder().encode(`${JSON.stringify(truth, null, 2)}\n`);
  const missing: [name: string, bytes: Uint8Array][] = [];
  for (const [name, bytes] of [...files, [TRUTH_FILE, truthBytes] as const]) {
    if (!await isPresent(folder, name, bytes)) missing.push([name, bytes]);
  }
  for (const [name, bytes] of missing) await writeWhole(join(folder, name), bytes);
}

/** Whether a file with these bytes is there; throws where there is something else. */
async function isPresent(folder: string, name: string, wanted: Uint8Array): Promise<boolean> {
  try {
    if ((await readFile(join(folder, name))).equals(wanted)) return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return false;
    if (code === "ENOTDIR") throw new SampleError(folder, "it, or a part of its path, is a file");
    throw new SampleError(folder, `"${name}" cannot be read, ${code}`);
  }
  throw new SampleError(folder, `"${name}" exists and is different`);
}

/** Writes under a temporary name, then renames: a reader never sees half a file. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, bytes, { flag: "wx" });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
