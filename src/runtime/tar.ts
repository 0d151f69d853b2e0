import { Buffer } from "node:buffer";

const blockBytes = 512;
/** What eleven octal digits can say. */
const largestBytes = 8 ** 11 - 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A tar file that cannot be read as one. */
export class TarProblem extends Error {
  override readonly name = "TarProblem";
}

/**
 * Writes a tar file (POSIX.1-1988 ustar: 512-byte headers with octal numbers) entry by entry, so that
 * nothing is held in memory but the entry being written. All entries have mode 644, no owner and the
 * time 0, so that the same content gives the same bytes.
 */
export class TarWriter {
  constructor(readonly file: Deno.FsFile) {}

  /** Adds a file. Names are ASCII, at most 100 bytes: ours are hashes. */
  add(name: string, content: Uint8Array): void {
    this.addChunks(name, content.length, [content]);
  }

  /** Adds a file that comes in pieces; throws `TarProblem` where they are not `size` bytes. */
  addChunks(name: string, size: number, chunks: Iterable<Uint8Array>): void {
    if (size > largestBytes) {
      throw new TarProblem(`"${name}" has ${size} bytes (at most ${largestBytes})`);
    }
    this.#write(headerOf(name, size));
    let written = 0;
    for (const chunk of chunks) {
      this.#write(chunk);
      written += chunk.length;
    }
    if (written !== size) throw new TarProblem(`"${name}" has ${written} bytes, not ${size}`);
    this.#write(new Uint8Array(paddingOf(size)));
  }

  /** Two empty blocks end the file. */
  finish(): void {
    this.#write(new Uint8Array(2 * blockBytes));
  }

  #write(bytes: Uint8Array) {
    for (let at = 0; at < bytes.length;) at += this.file.writeSync(bytes.subarray(at));
  }
}

function headerOf(name: string, size: number): Uint8Array {
  const header = new Uint8Array(blockBytes);
  const put = (at: number, text: string) => header.set(encoder.encode(text), at);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  put(0, name);
  put(100, octal(0o644, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(size, 11));
  put(136, octal(0, 11));
  put(148, "        "); // the sum is taken with blanks in its own place
  put(156, "0");
  put(257, "ustar\x0000");
  put(148, `${octal(sumOf(header), 6)} `);
  return header;
}

function sumOf(header: Uint8Array): number {
  return header.reduce((sum, byte) => sum + byte, 0);
}

function paddingOf(size: number): number {
  return (blockBytes - size % blockBytes) % blockBytes;
}

/** A file in a tar file. */
export interface TarEntry {
  readonly name: string;
  readonly size: number;
  /** Where its content begins. */
  readonly offset: number;
}

/** Whether a file begins as tar files of today do. */
export function isTar(file: Deno.FsFile): boolean {
  if (file.statSync().size < blockBytes) return false;
  return textAt(readAt(file, 0, blockBytes), 257, 5) === "ustar";
}

/** The files of a tar file, found by their headers alone. Throws `TarProblem` where it is no whole one. */
export function readTar(file: Deno.FsFile): TarEntry[] {
  const { size: length } = file.statSync();
  const entries: TarEntry[] = [];
  for (let at = 0; at + blockBytes <= length;) {
    const header = readAt(file, at, blockBytes);
    if (header.every((byte) => byte === 0)) return entries;
    const entry = entryOf(header, at);
    const end = entry.offset + entry.size + paddingOf(entry.size);
    if (end > length) {
      throw new TarProblem(`it ends after ${length} bytes, inside "${entry.name}"`);
    }
    entries.push(entry);
    at = end;
  }
  throw new TarProblem(`it ends after ${length} bytes, before its end mark`);
}

function entryOf(header: Uint8Array, at: number): TarEntry {
  const summed = header.slice();
  summed.fill(0x20, 148, 156);
  if (numberAt(header, 148, 8) !== sumOf(summed)) {
    throw new TarProblem(`there is no tar header at byte ${at}`);
  }
  const type = decoder.decode(header.subarray(156, 157));
  const name = textAt(header, 0, 100);
  if (type !== "0" && type !== "\0") throw new TarProblem(`"${name}" is not a plain file`);
  if (textAt(header, 345, 155) !== "") throw new TarProblem(`"${name}" has a folder in its name`);
  return { name, size: numberAt(header, 124, 12), offset: at + blockBytes };
}

function numberAt(header: Uint8Array, at: number, length: number): number {
  const text = textAt(header, at, length).trim();
  if (!/^[0-7]+$/.test(text)) throw new TarProblem(`there is no tar header at byte ${at}`);
  return parseInt(text, 8);
}

function textAt(header: Uint8Array, at: number, length: number): string {
  const part = Buffer.from(header.subarray(at, at + length));
  const end = part.indexOf(0);
  return decoder.decode(end < 0 ? part : part.subarray(0, end));
}

/** Some bytes of a file; throws `TarProblem` where it ends before. */
export function readAt(file: Deno.FsFile, offset: number, length: number): Uint8Array {
  file.seekSync(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = file.readSync(bytes.subarray(at));
    if (count === null) throw new TarProblem(`it ends after ${offset + at} bytes`);
    at += count;
  }
  return bytes;
}
