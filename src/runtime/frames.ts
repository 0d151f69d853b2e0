import type { Packed } from "./packing.ts";

/**
 * Messages between this process and that of a step file, over pipes: a head of fixed length, the lengths
 * of the parts, the message's JSON, and the parts, which are bytes as they are. All numbers are little-endian.
 *
 * | bytes | what                                                          |
 * | ----- | ------------------------------------------------------------- |
 * | 4     | `mark`                                                        |
 * | 4     | the number of the thread that it is for or from; 0 is no thread |
 * | 4     | how many bytes the JSON has                                   |
 * | 4     | how many parts follow                                         |
 * | 4 × n | how many bytes each part has                                  |
 */
export interface Frame {
  readonly thread: number;
  readonly packed: Packed;
}

/** How much one frame may bring along, so that whoever sends it cannot fill this process's memory. */
export interface FrameLimits {
  readonly jsonBytes: number;
  readonly parts: number;
  /** All parts together. */
  readonly partBytes: number;
}

/** What comes is no frame, or one over the limits. */
export class FrameProblem extends Error {
  override readonly name = "FrameProblem";
}

/**
 * What a step file's process may send at once. Its JSON holds rows and texts. Its parts hold pictures: the
 * largest that Tintype takes has 805 MB of pixels.
 */
export const stepLimits: FrameLimits = {
  jsonBytes: 64_000_000,
  parts: 1_000_000,
  partBytes: 1_000_000_000,
};

/** Without limits, for what the other end is trusted with. */
export const noLimits: FrameLimits = {
  jsonBytes: Infinity,
  parts: Infinity,
  partBytes: Infinity,
};

/** Told from whatever else a process may print: no text in UTF-8 has these bytes. */
const mark = 0xfdf7fefc;
const headBytes = 16;

/** What is read at once; as much as a pipe of Linux holds. */
const chunkBytes = 65_536;

/** The bytes of a frame, to be written one after the other. */
export function frameBytes({ thread, packed: { json, parts } }: Frame): Uint8Array[] {
  const start = new Uint8Array(headBytes + 4 * parts.length + json.length);
  const view = new DataView(start.buffer);
  [mark, thread, json.length, parts.length, ...parts.map((part) => part.length)]
    .forEach((number, index) => view.setUint32(4 * index, number, true));
  start.set(json, headBytes + 4 * parts.length);
  return [start, ...parts.filter((part) => part.length > 0)];
}

/**
 * Reads some bytes into a view, and gives a view of what was read: of the same memory, which may have
 * moved to another buffer. Undefined at the end.
 */
export type ReadInto = (
  view: Uint8Array<ArrayBuffer>,
) => Promise<Uint8Array<ArrayBuffer> | undefined>;

/** Takes a stream of bytes apart into frames; each part has a buffer of its own. */
export class FrameReader {
  #chunk = new Uint8Array(chunkBytes);
  #known = this.#chunk.subarray(0, 0);

  constructor(readonly read: ReadInto, readonly limits: FrameLimits) {}

  /** Undefined at the end of the stream. Throws `FrameProblem` for what is no frame. */
  async next(): Promise<Frame | undefined> {
    const head = await this.#take(headBytes);
    if (head === undefined) return undefined;
    const view = new DataView(head.buffer, head.byteOffset);
    const [found, thread, jsonLength, count] = [0, 4, 8, 12].map((at) => view.getUint32(at, true));
    if (found !== mark) throw new FrameProblem("it wrote to its standard output by itself");
    assertWithin(jsonLength!, this.limits.jsonBytes, "bytes beside its pictures");
    assertWithin(count!, this.limits.parts, "parts");
    const table = await this.#take(4 * count!);
    if (table === undefined) return undefined;
    const lengths = Array.from(
      { length: count! },
      (_, index) => new DataView(table.buffer, table.byteOffset).getUint32(4 * index, true),
    );
    const total = lengths.reduce((sum, length) => sum + length, 0);
    assertWithin(total, this.limits.partBytes, "bytes");
    const json = await this.#take(jsonLength!);
    if (json === undefined) return undefined;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (const length of lengths) {
      const part = await this.#take(length);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    return { thread: thread!, packed: { json, parts } };
  }

  /** Exactly so many bytes in a buffer of their own; undefined where the stream ends before. */
  async #take(length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (length <= this.#known.length) return this.#takeKnown(length);
    let taken = memory(length);
    let at = this.#known.length;
    taken.set(this.#known);
    this.#known = this.#known.subarray(this.#known.length);
    while (length - at > chunkBytes) {
      const read = await this.read(taken.subarray(at));
      if (read === undefined) return undefined;
      taken = new Uint8Array(read.buffer);
      at += read.length;
    }
    while (at < length) {
      if (!await this.#refill()) return undefined;
      const more = this.#takeKnown(Math.min(length - at, this.#known.length));
      taken.set(more, at);
      at += more.length;
    }
    return taken;
  }

  #takeKnown(length: number): Uint8Array<ArrayBuffer> {
    const taken = this.#known.slice(0, length);
    this.#known = this.#known.subarray(length);
    return taken;
  }

  async #refill(): Promise<boolean> {
    const read = await this.read(this.#chunk);
    if (read === undefined) return false;
    this.#chunk = new Uint8Array(read.buffer);
    this.#known = read;
    return true;
  }
}

function assertWithin(found: number, most: number, what: string) {
  if (found <= most) return;
  throw new FrameProblem(
    `it sent ${found.toLocaleString("en")} ${what} at once (at most ${
      most.toLocaleString("en")
    } are taken)`,
  );
}

function memory(length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch {
    throw new FrameProblem(`there is no memory for ${length.toLocaleString("en")} bytes of it`);
  }
}
