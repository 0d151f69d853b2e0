/** How many native calls read a buffer at this moment. */
const readers = new WeakMap<ArrayBufferLike, number>();

/** Keeps a buffer from being freed while native code reads it. */
export async function whileReading<Result>(
  buffer: ArrayBufferLike,
  call: () => Promise<Result>,
): Promise<Result> {
  readers.set(buffer, (readers.get(buffer) ?? 0) + 1);
  try {
    return await call();
  } finally {
    readers.set(buffer, readers.get(buffer)! - 1);
  }
}

/**
 * Frees the memory of bytes that nobody needs any more, now: they are empty from then on. Left to the
 * garbage collector, each picture of 12 megapixels makes it go over the whole heap: an eighth of the time
 * of hashing 60 photographs, and 130 MB more. A part of a larger buffer, and what native code still
 * reads, is left to it.
 */
export function freeBytes({ buffer, byteLength }: Uint8Array): void {
  const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  if (isOwn && !buffer.detached && !readers.get(buffer)) buffer.transfer(0);
}
