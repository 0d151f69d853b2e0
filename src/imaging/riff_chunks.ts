import { Rejection } from "../runtime/rejection.ts";
import { grouping, latin1 } from "./wording.ts";

/** A chunk of a WebP file with its type, size and padding, `[start, end)`. */
export interface RiffChunk {
  readonly type: string;
  /** Bytes it carries, without the padding. */
  readonly size: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The chunks of a WebP file, as far as its RIFF size says. Lazy. Throws `Rejection` where the file
 * ends early. Bytes after the RIFF size belong to no chunk.
 */
export function* webpChunks(bytes: Uint8Array): Generator<RiffChunk, void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const total = bytes.length < 12 ? 12 : 8 + view.getUint32(4, true);
  if (total > bytes.length) {
    throw new Rejection(`WebP ends after ${grouping(bytes.length)} of ${grouping(total)} bytes`);
  }
  for (let start = 12; start + 8 <= total;) {
    const type = latin1(bytes, start, start + 4);
    const size = view.getUint32(start + 4, true);
    if (start + 8 + size > total) {
      throw new Rejection(`WebP chunk "${type.trim()}" reaches beyond the end of the file`);
    }
    // The last chunk's padding byte is missing in some files; decoders do not mind.
    const end = Math.min(total, start + 8 + size + size % 2);
    yield { type, size, start, end };
    start = end;
  }
}
