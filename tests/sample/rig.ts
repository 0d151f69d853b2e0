import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { makeSample, type PictureTruth, type SampleTruth } from "../../src/sample/mod.ts";

/** A sample made once for all tests of a file, in a temporary folder. */
export interface SampleRig {
  readonly folder: string;
  readonly truth: SampleTruth;
  /** Bytes of a picture of the sample. */
  read(name: string): Promise<Uint8Array>;
}

export async function sampleRig(): Promise<SampleRig> {
  const folder = await Deno.makeTempDir({ prefix: "tintype-sample-" });
  const truth = await makeSample(folder);
  return { folder, truth, read: (name) => readFile(join(folder, name)) };
}

/** The one picture with this name. */
export function pictureNamed(truth: SampleTruth, name: string): PictureTruth {
  const found = truth.pictures.find((picture) => picture.name === name);
  if (found === undefined) throw new Error(`no picture "${name}" in the truth`);
  return found;
}

/** Every file in a folder by its path relative to it, `/` between folders, sorted. */
export async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}
