import { Tag } from "./exif.ts";

/** Pixels that are to follow a head: interleaved, 8 bits a channel, alpha not premultiplied. */
export interface PlainPixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  /** An ICC profile. */
  readonly profile?: Uint8Array;
}

/** A strip is what a reader holds at a time: 1.5 MB of 8,000 pixels a row. */
const ROWS_PER_STRIP = 64;

/** What makes a TIFF of bare pixels when it stands before them: TIFF 6.0, little-endian, no compression. */
export function tiffHead({ width, height, channels, profile }: PlainPixels): Uint8Array {
  const strips = Math.ceil(height / ROWS_PER_STRIP);
  const stripBytes = ROWS_PER_STRIP * width * channels;
  const sizes = Array.from(
    { length: strips },
    (_, strip) => Math.min(stripBytes, width * channels * height - strip * stripBytes),
  );
  const entries: [tag: number, type: Type, values: readonly number[] | Uint8Array][] = [
    [0x100, "long", [width]],
    [0x101, "long", [height]],
    [0x102, "short", Array<number>(channels).fill(8)],
    [0x103, "short", [1]], // Compression: none
    [0x106, "short", [2]], // PhotometricInterpretation: RGB
    [Tag.StripOffsets, "long", sizes.map((_, strip) => strip * stripBytes)],
    [0x115, "short", [channels]],
    [0x116, "long", [ROWS_PER_STRIP]],
    [Tag.StripByteCounts, "long", sizes],
  ];
  if (channels === 4) entries.push([0x152, "short", [2]]); // ExtraSamples: alpha, not premultiplied
  if (profile !== undefined) entries.push([0x8773, "byte", profile]);
  return laidOut(entries);
}

type Type = keyof typeof types;

/** Numbers of the types and their bytes (TIFF 6.0, section 2); of ICC profiles 7, undefined. */
const types = { byte: [7, 1], short: [3, 2], long: [4, 4] } as const;

/** Offsets of strips are given from the end of the head, which is known last. */
function laidOut(
  entries: readonly (readonly [tag: number, type: Type, values: readonly number[] | Uint8Array])[],
): Uint8Array {
  const bytesOf = (type: Type, count: number) => types[type][1] * count;
  let end = 8 + 2 + entries.length * 12 + 4;
  const places = entries.map(([, type, values]) => {
    const length = bytesOf(type, values.length);
    if (length <= 4) return undefined;
    const at = end;
    end += length + length % 2;
    return at;
  });
  const head = new Uint8Array(end);
  const view = new DataView(head.buffer);
  head.set([0x49, 0x49, 42, 0, 8]);
  view.setUint16(8, entries.length, true);
  entries.forEach(([tag, type, values], index) => {
    const at = 10 + index * 12;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, types[type][0], true);
    view.setUint32(at + 4, values.length, true);
    const place = places[index];
    if (place !== undefined) view.setUint32(at + 8, place, true);
    const moved = tag === Tag.StripOffsets ? end : 0;
    values.forEach((value, nth) => {
      const target = (place ?? at + 8) + bytesOf(type, nth);
      if (type === "byte") view.setUint8(target, value);
      else if (type === "short") view.setUint16(target, value, true);
      else view.setUint32(target, value + moved, true);
    });
  });
  return head;
}
