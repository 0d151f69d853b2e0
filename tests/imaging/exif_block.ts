/** A value to write: text as ASCII, or numbers of a TIFF type; fractions as [above, below]. */
export type TagValue =
  | string
  | { readonly short: readonly number[] }
  | { readonly long: readonly number[] }
  | { readonly byte: readonly number[] }
  | { readonly bytes: readonly number[] }
  | { readonly rational: readonly (readonly [above: number, below: number])[] };

export type Tags = Readonly<Record<number, TagValue>>;

/** What goes into a block's directories. */
export interface BlockTags {
  readonly ifd0?: Tags;
  readonly exif?: Tags;
  readonly gps?: Tags;
}

/** An EXIF block (TIFF 6.0, pages 13 to 16) in either byte order. */
export function exifBlock(tags: BlockTags, { isLittle = true } = {}): Uint8Array {
  const { ifd0 = {}, exif, gps } = tags;
  const bytes = new Uint8Array(8192);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isLittle ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, isLittle);
  view.setUint32(4, 8, isLittle);
  let free = 1024;
  const write = (at: number, directory: Tags) => {
    const entries = Object.entries(directory).sort(([a], [b]) => Number(a) - Number(b));
    view.setUint16(at, entries.length, isLittle);
    entries.forEach(([tag, value], index) => {
      const { type, count, content } = encoded(value, isLittle);
      const entry = at + 2 + index * 12;
      view.setUint16(entry, Number(tag), isLittle);
      view.setUint16(entry + 2, type, isLittle);
      view.setUint32(entry + 4, count, isLittle);
      if (content.length > 4) view.setUint32(entry + 8, free, isLittle);
      bytes.set(content, content.length > 4 ? free : entry + 8);
      if (content.length > 4) free += content.length + content.length % 2;
    });
  };
  const pointers: Record<number, TagValue> = {};
  if (exif) pointers[0x8769] = { long: [400] };
  if (gps) pointers[0x8825] = { long: [700] };
  write(8, { ...ifd0, ...pointers });
  if (exif) write(400, exif);
  if (gps) write(700, gps);
  return bytes.slice(0, free);
}

function encoded(value: TagValue, isLittle: boolean) {
  if (typeof value === "string") {
    const content = new TextEncoder().encode(value + "\0");
    return { type: 2, count: content.length, content };
  }
  if ("byte" in value) return bytesOf(1, value.byte);
  if ("bytes" in value) return bytesOf(7, value.bytes);
  const [type, size, numbers] = "short" in value
    ? [3, 2, value.short] as const
    : "long" in value
    ? [4, 4, value.long] as const
    : [5, 4, value.rational.flat()] as const;
  const content = new Uint8Array(numbers.length * size);
  const view = new DataView(content.buffer);
  numbers.forEach((number, index) => {
    if (size === 2) view.setUint16(index * 2, number, isLittle);
    else view.setUint32(index * 4, number, isLittle);
  });
  return { type, count: type === 5 ? numbers.length / 2 : numbers.length, content };
}

function bytesOf(type: number, numbers: readonly number[]) {
  return { type, count: numbers.length, content: Uint8Array.from(numbers) };
}
