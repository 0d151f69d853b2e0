import type { Zippable } from "fflate";

/** One file of a zip, in its place. */
export interface ZipEntry {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What fits in a zip without extensions that not every trainer's unpacker knows. */
export const largestZipBytes = 2 ** 32 - 1;

/** 1980-01-01, where zip's calendar begins: the same in every zip, so that its bytes are too. */
const mtime = new Date(1980, 0, 1);

/**
 * Made on Unix (3), readable by all: from the zip's other default, MS-DOS, Info-ZIP's unzip takes names for
 * code page 850, although they are marked as UTF-8.
 */
const fromUnix = { os: 3, attrs: 0o100644 << 16 } as const;

/**
 * A zip of the files by path, the same bytes each time: sorted, one date for all, pictures stored as
 * they are. Each picture's bytes are there twice while it is made.
 */
export async function zipOf(entries: readonly ZipEntry[]): Promise<Uint8Array> {
  const { zipSync } = await import("fflate");
  const files: Zippable = {};
  for (const { path, bytes } of entries.toSorted((a, b) => a.path < b.path ? -1 : 1)) {
    files[path] = [bytes, { level: isText(path) ? 9 : 0, mtime, ...fromUnix }];
  }
  return zipSync(files);
}

/** The paths of a zip's files and, one by one, what is in them. */
export async function openZip(bytes: Uint8Array) {
  const { unzipSync } = await import("fflate");
  const paths: string[] = [];
  unzipSync(bytes, {
    filter: ({ name }) => {
      if (!name.endsWith("/")) paths.push(name);
      return false;
    },
  });
  const read = (path: string): Uint8Array =>
    unzipSync(bytes, { filter: ({ name }) => name === path })[path]!;
  return { paths, read };
}

export function isText(path: string): boolean {
  return /\.(txt|caption|csv|jsonl)$/i.test(path);
}
