import { hexBytes } from "./wording.ts";

/** The EXIF orientation: 1 is upright, 5 to 8 swap width and height. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** What an EXIF block says about how to show the picture, and what is broken about it. */
export interface ExifReading {
  /** 1 where it says nothing, or nothing valid. */
  readonly orientation: Orientation;
  /** Horizontal resolution in pixels an inch, rounded; null where it does not say. */
  readonly dpi: number | null;
  /** One sentence each, such as `EXIF tag XResolution has type 2 (RATIONAL is wanted)`. */
  readonly problems: readonly string[];
}

/** An entry of a directory (TIFF 6.0, page 14). */
export interface TiffEntry {
  readonly directory: string;
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Where its value lies, from the start of the block. */
  readonly valueAt: number;
}

export const Tag = {
  NewSubfileType: 0xfe,
  StripOffsets: 0x111,
  Orientation: 0x112,
  StripByteCounts: 0x117,
  XResolution: 0x11a,
  YResolution: 0x11b,
  ResolutionUnit: 0x128,
  TileOffsets: 0x144,
  TileByteCounts: 0x145,
  ExifDirectory: 0x8769,
  GpsDirectory: 0x8825,
  InteropDirectory: 0xa005,
  DngVersion: 0xc612,
} as const;

const SHORT = 3;
const LONG = 4;
const RATIONAL = 5;

/** Bytes of one value by type, TIFF 6.0, page 15, with 13 (IFD) from its supplements. */
const typeSizes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];

const pointers: ReadonlyMap<number, string> = new Map([
  [Tag.ExifDirectory, "Exif"],
  [Tag.GpsDirectory, "GPS"],
  [Tag.InteropDirectory, "Interop"],
]);

/** A TIFF or EXIF block: its entries, and what is broken about them. */
export class TiffBlock {
  readonly entries: TiffEntry[] = [];
  readonly problems: string[] = [];
  readonly #view: DataView;
  readonly #isLittle: boolean;
  readonly #seen = new Set<number>();

  /** Reads the directories of a block that starts with `II` or `MM`; never throws. */
  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#isLittle = bytes[0] === 0x49;
    const order = hexBytes(bytes.subarray(0, 4));
    if (order !== "49 49 2a 00" && order !== "4d 4d 00 2a") {
      this.problems.push(`it starts with bytes ${order} (49 49 2a 00 or 4d 4d 00 2a is wanted)`);
    } else if (bytes.length < 8) {
      this.problems.push(`it ends after ${bytes.length} bytes, before its first directory`);
    } else {
      this.#readDirectory("IFD0", this.#long(4));
    }
  }

  /** The first entry of a tag in a directory. */
  find(tag: number, directory = "IFD0"): TiffEntry | undefined {
    return this.entries.find((entry) => entry.tag === tag && entry.directory === directory);
  }

  /** Whether its numbers have the low byte first. */
  get isLittleEndian(): boolean {
    return this.#isLittle;
  }

  /** An entry's values as they lie in the block, in its byte order. */
  raw({ type, count, valueAt }: TiffEntry): Uint8Array {
    const start = this.#view.byteOffset + valueAt;
    return new Uint8Array(this.#view.buffer, start, count * typeSizes[type]!);
  }

  /** A whole-number value of an entry; undefined for other types. */
  integer(entry: TiffEntry | undefined, index = 0): number | undefined {
    if (entry === undefined || index >= entry.count) return undefined;
    if (entry.type === SHORT) return this.#short(entry.valueAt + index * 2);
    if (entry.type === LONG) return this.#long(entry.valueAt + index * 4);
    return undefined;
  }

  /** A fraction; undefined for other types and where it divides by zero. */
  rational(entry: TiffEntry | undefined): number | undefined {
    if (entry?.type !== RATIONAL || entry.count < 1) return undefined;
    const divisor = this.#long(entry.valueAt + 4);
    return divisor === 0 ? undefined : this.#long(entry.valueAt) / divisor;
  }

  #readDirectory(name: string, offset: number): void {
    if (this.#seen.has(offset)) return;
    this.#seen.add(offset);
    const length = this.#view.byteLength;
    const count = offset + 2 <= length ? this.#short(offset) : 0;
    const end = offset + 2 + count * 12;
    if (end > length) {
      this.problems.push(`directory ${name} at byte ${offset} reaches beyond its ${length} bytes`);
      return;
    }
    for (let at = offset + 2; at < end; at += 12) this.#readEntry(name, at);
    const next = name === "IFD0" && end + 4 <= length ? this.#long(end) : 0;
    if (next !== 0) this.#readDirectory("IFD1", next);
  }

  #readEntry(directory: string, at: number): void {
    const [tag, type, count] = [this.#short(at), this.#short(at + 2), this.#long(at + 4)];
    const size = typeSizes[type] ?? 0;
    const valueAt = size * count <= 4 ? at + 8 : this.#long(at + 8);
    if (size === 0) {
      this.problems.push(`tag ${tagName(tag)} in ${directory} has the unknown type ${type}`);
    } else if (valueAt + size * count > this.#view.byteLength) {
      this.problems.push(
        `tag ${tagName(tag)} in ${directory} reaches beyond its ${this.#view.byteLength} bytes`,
      );
    } else {
      this.entries.push({ directory, tag, type, count, valueAt });
      const pointed = pointers.get(tag);
      if (pointed !== undefined && size === 4) this.#readDirectory(pointed, this.#long(valueAt));
    }
  }

  #short(at: number): number {
    return this.#view.getUint16(at, this.#isLittle);
  }

  #long(at: number): number {
    return this.#view.getUint32(at, this.#isLittle);
  }
}

/** Reads an EXIF block, with or without its `Exif\0\0` prefix; never throws. */
export function readExif(block: Uint8Array): ExifReading {
  const hasPrefix = block[0] === 0x45 && block[1] === 0x78;
  const tiff = new TiffBlock(hasPrefix ? block.subarray(6) : block);
  const stored = tiff.integer(tiff.find(Tag.Orientation));
  const orientation = validOrientation(stored);
  const problems = [...tiff.problems, ...typeProblems(tiff)];
  if (stored !== undefined && stored !== orientation) {
    problems.push(`tag Orientation is ${stored} (1 to 8 is wanted)`);
  }
  return {
    orientation,
    dpi: resolution(tiff),
    problems: problems.map((problem) => `EXIF is broken: ${problem}`),
  };
}

/** The orientation that a number means; 1 for anything but 1 to 8. */
export function validOrientation(value: number | undefined): Orientation {
  return (Number.isInteger(value) && value! >= 1 && value! <= 8 ? value : 1) as Orientation;
}

function resolution(tiff: TiffBlock): number | null {
  const value = tiff.rational(tiff.find(Tag.XResolution));
  const unit = tiff.integer(tiff.find(Tag.ResolutionUnit)) ?? 2;
  if (value === undefined || value <= 0 || unit < 2 || unit > 3) return null;
  return Math.round(unit === 3 ? value * 2.54 : value);
}

/** The tags that this project and others act on, with the type that the standard gives them. */
const expectedTypes: readonly (readonly [tag: number, type: number, name: string])[] = [
  [Tag.Orientation, SHORT, "SHORT"],
  [Tag.XResolution, RATIONAL, "RATIONAL"],
  [Tag.YResolution, RATIONAL, "RATIONAL"],
  [Tag.ResolutionUnit, SHORT, "SHORT"],
];

function typeProblems(tiff: TiffBlock): string[] {
  return expectedTypes.flatMap(([tag, type, name]) => {
    const entry = tiff.find(tag);
    if (entry === undefined || entry.type === type) return [];
    return [`tag ${tagName(tag)} has type ${entry.type} (${name} is wanted)`];
  });
}

function tagName(tag: number): string {
  const name = Object.entries(Tag).find(([, code]) => code === tag)?.[0];
  return name ?? `0x${tag.toString(16).padStart(4, "0")}`;
}

/** The smallest EXIF block that says one orientation and nothing else: 26 bytes, no prefix. */
export function orientationBlock(orientation: Orientation): Uint8Array {
  const block = new Uint8Array(26);
  const view = new DataView(block.buffer);
  view.setUint32(0, 0x4d4d002a);
  view.setUint32(4, 8);
  view.setUint16(8, 1);
  view.setUint16(10, Tag.Orientation);
  view.setUint16(12, SHORT);
  view.setUint32(14, 1);
  view.setUint16(18, orientation);
  return block;
}
