import { Tag, TiffBlock, type TiffEntry } from "./exif.ts";

/**
 * Tags that say how a picture was made and nothing of who made it or where: no GPS, no serial numbers,
 * no owner, no maker note, no comments, no thumbnail (EXIF 2.32, tables 4, 7 and 8).
 */
const safeTags: Readonly<Record<string, readonly number[]>> = {
  // Make, Model, XResolution, YResolution, ResolutionUnit, Copyright
  IFD0: [0x10f, 0x110, 0x11a, 0x11b, 0x128, 0x8298],
  Exif: [
    // ExposureTime, FNumber, ExposureProgram, ISO, DateTimeOriginal, OffsetTimeOriginal
    ...[0x829a, 0x829d, 0x8822, 0x8827, 0x9003, 0x9011],
    // ShutterSpeedValue, ApertureValue, ExposureBiasValue, MeteringMode, Flash, FocalLength
    ...[0x9201, 0x9202, 0x9204, 0x9207, 0x9209, 0x920a],
    // SubSecTimeOriginal, WhiteBalance, FocalLengthIn35mmFilm, LensMake, LensModel
    ...[0x9291, 0xa403, 0xa405, 0xa433, 0xa434],
  ],
};

/** An entry to be written: its value in the block's byte order. */
interface Field {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly value: Uint8Array;
}

/**
 * A new EXIF block with only what is safe to give away of an old one: camera, lens, exposure, the date
 * it was taken, resolution and copyright. Undefined where nothing of that is there. Both blocks begin
 * with `II` or `MM`, without the `Exif\0\0` that JPEG puts in front.
 */
export function safeExif(block: Uint8Array): Uint8Array | undefined {
  const tiff = new TiffBlock(block);
  const fieldsOf = (directory: string) =>
    tiff.entries
      .filter((entry) => entry.directory === directory && safeTags[directory]!.includes(entry.tag))
      .map((entry) => fieldOf(tiff, entry))
      .toSorted((a, b) => a.tag - b.tag);
  const [main, exif] = [fieldsOf("IFD0"), fieldsOf("Exif")];
  if (main.length + exif.length === 0) return undefined;
  return blockOf(tiff.isLittleEndian, unique(main), unique(exif));
}

function fieldOf(tiff: TiffBlock, entry: TiffEntry): Field {
  const { tag, type, count } = entry;
  return { tag, type, count, value: tiff.raw(entry) };
}

function unique(fields: readonly Field[]): Field[] {
  return fields.filter((field, index) => fields[index - 1]?.tag !== field.tag);
}

/** The same block with the orientation set to upright: for pixels that were turned. */
export function uprightExif(block: Uint8Array): Uint8Array {
  const tiff = new TiffBlock(block);
  const copy = block.slice();
  const view = new DataView(copy.buffer);
  for (const entry of tiff.entries) {
    const isOrientation = entry.tag === Tag.Orientation && entry.directory === "IFD0";
    if (isOrientation && entry.type === 3) {
      view.setUint16(entry.valueAt, 1, tiff.isLittleEndian);
    }
  }
  return copy;
}

const LONG = 4;

/** Directories first, each followed by the values that are too long for an entry (TIFF 6.0, page 14). */
function blockOf(isLittle: boolean, main: readonly Field[], exif: readonly Field[]): Uint8Array {
  const pointer = (at: number): Field => {
    const value = new Uint8Array(4);
    new DataView(value.buffer).setUint32(0, at, isLittle);
    return { tag: Tag.ExifDirectory, type: LONG, count: 1, value };
  };
  const withPointer = (at: number) =>
    exif.length === 0 ? main : [...main, pointer(at)].toSorted((a, b) => a.tag - b.tag);
  const exifAt = 8 + directoryBytes(withPointer(0));
  const block = new Uint8Array(exifAt + (exif.length === 0 ? 0 : directoryBytes(exif)));
  const view = new DataView(block.buffer);
  view.setUint16(0, isLittle ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, isLittle);
  view.setUint32(4, 8, isLittle);
  writeDirectory(view, 8, withPointer(exifAt), isLittle);
  if (exif.length > 0) writeDirectory(view, exifAt, exif, isLittle);
  return block;
}

function directoryBytes(fields: readonly Field[]): number {
  return fields.reduce((sum, { value }) => sum + outside(value), 6 + fields.length * 12);
}

/** Bytes that a value takes outside its entry, padded to an even number. */
function outside(value: Uint8Array): number {
  return value.length <= 4 ? 0 : value.length + value.length % 2;
}

function writeDirectory(
  view: DataView,
  at: number,
  fields: readonly Field[],
  isLittle: boolean,
): void {
  const bytes = new Uint8Array(view.buffer);
  view.setUint16(at, fields.length, isLittle);
  let valueAt = at + 6 + fields.length * 12;
  fields.forEach(({ tag, type, count, value }, index) => {
    const entry = at + 2 + index * 12;
    view.setUint16(entry, tag, isLittle);
    view.setUint16(entry + 2, type, isLittle);
    view.setUint32(entry + 4, count, isLittle);
    if (value.length <= 4) bytes.set(value, entry + 8);
    else {
      view.setUint32(entry + 8, valueAt, isLittle);
      bytes.set(value, valueAt);
    }
    valueAt += outside(value);
  });
}
