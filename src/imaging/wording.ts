export { grouping } from "../runtime/numbers.ts";

/** The format as its users write it: `JPEG`, `WebP`. */
export function formatTitle(format: string): string {
  return format === "webp" ? "WebP" : format.toUpperCase();
}

/** Bytes as hexadecimal pairs: `ff d8 ff`. */
export function hexBytes(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** Latin-1 text of a byte range. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
