import { Rejection } from "../runtime/rejection.ts";
import { grouping, latin1 } from "./wording.ts";

/** A PNG chunk with its length, type and checksum, `[start, end)`. */
export interface PngChunk {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The chunks of a PNG file through IEND. Lazy. Throws `Rejection` where the file ends early or does not
 * begin with IHDR. Bytes after IEND belong to no chunk.
 */
export function* pngChunks(bytes: Uint8Array): Generator<PngChunk, void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 8;
  for (;;) {
    if (start + 12 > bytes.length) {
      throw new Rejection(`PNG ends after ${grouping(bytes.length)} bytes, before its IEND chunk`);
    }
    const type = latin1(bytes, start + 4, start + 8);
    if (!/^[A-Za-z]{4}$/.test(type)) {
      throw new Rejection(`PNG has no chunk where one is wanted, at byte ${grouping(start)}`);
    }
    if (start === 8 && type !== "IHDR") {
      throw new Rejection(`PNG begins with chunk ${type} (IHDR is wanted)`);
    }
    const end = start + 12 + view.getUint32(start);
    if (end > bytes.length) throw endsInside(type, bytes.length, end);
    yield { type, start, end };
    if (type === "IEND") return;
    start = end;
  }
}

function endsInside(type: string, length: number, end: number): Rejection {
  return new Rejection(
    `PNG ends after ${grouping(length)} of at least ${grouping(end)} bytes, inside chunk ${type}`,
  );
}

/** What a chunk carries. */
export function chunkPayload(bytes: Uint8Array, chunk: PngChunk): Uint8Array {
  return bytes.subarray(chunk.start + 8, chunk.end - 4);
}

/** What the first chunk of a type carries, if it stands where it counts: before the picture data. */
export function chunkBeforePixels(bytes: Uint8Array, type: string): Uint8Array | undefined {
  try {
    for (const chunk of pngChunks(bytes)) {
      if (chunk.type === type) return chunkPayload(bytes, chunk);
      if (chunk.type === "IDAT") return undefined;
    }
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
  }
  return undefined;
}
