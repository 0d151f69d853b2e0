import type exifr from "exifr";

type Exifr = typeof exifr;

let loading: Promise<Exifr> | undefined;

/** exifr, loaded when the first picture has something for it to read, which takes 15 ms. */
export function loadExifr(): Promise<Exifr> {
  return loading ??= import("exifr").then(({ default: library }) => library);
}

/** The tags that are read, by directory (EXIF 2.32, tables 4 to 15), as exiftool calls them. */
export const exifTags = {
  ifd0: { Make: 0x10f, Model: 0x110 },
  exif: {
    ExposureTime: 0x829a,
    FNumber: 0x829d,
    ISO: 0x8827,
    StandardOutputSensitivity: 0x8831,
    RecommendedExposureIndex: 0x8832,
    ISOSpeed: 0x8833,
    DateTimeOriginal: 0x9003,
    CreateDate: 0x9004,
    OffsetTimeOriginal: 0x9011,
    OffsetTimeDigitized: 0x9012,
    FocalLength: 0x920a,
    SubSecTimeOriginal: 0x9291,
    SubSecTimeDigitized: 0x9292,
    LensModel: 0xa434,
  },
  gps: {
    GPSLatitudeRef: 1,
    GPSLatitude: 2,
    GPSLongitudeRef: 3,
    GPSLongitude: 4,
    GPSAltitudeRef: 5,
    GPSAltitude: 6,
    GPSTimeStamp: 7,
    GPSDateStamp: 0x1d,
  },
} as const;

type Directory = keyof typeof exifTags;

export type ExifTag = { [D in Directory]: keyof (typeof exifTags)[D] }[Directory];

/** A tag's value: texts without padding, fractions divided (so never trust them to be finite). */
export type ExifValue = string | number | ArrayLike<number>;

/** The values that a block has, and what of it cannot be read, one sentence each. */
export interface ExifValues {
  readonly values: ReadonlyMap<ExifTag, ExifValue>;
  readonly problems: readonly string[];
}

interface Wanted {
  readonly directory: Directory;
  readonly tag: ExifTag;
  readonly code: number;
}

/** Each where it belongs; some writers put the tags of the camera into the first directory. */
const wanted: readonly Wanted[] = (["ifd0", "exif", "gps"] as const).flatMap((directory) =>
  Object.entries(exifTags[directory]).map(([tag, code]) => ({
    directory,
    tag: tag as ExifTag,
    code: code as number,
  }))
);
const astray: readonly Wanted[] = wanted.filter(({ directory }) => directory === "exif")
  .map((each) => ({ ...each, directory: "ifd0" }));

/** Only the tags that are wanted, raw: no enumeration made words, no date made a `Date`. */
function picking(all: readonly Wanted[]) {
  const codes = (directory: Directory) => {
    const pick = all.filter((each) => each.directory === directory).map(({ code }) => code);
    return pick.length === 0 ? false as const : { pick };
  };
  return {
    // The first directory cannot be left out; its tag for the picture's description costs nothing.
    ifd0: codes("ifd0") || { pick: [0x10e] },
    exif: codes("exif"),
    gps: codes("gps"),
    translateKeys: false,
    translateValues: false,
    reviveValues: false,
    mergeOutput: false,
    // Otherwise the rest of a directory is missing without a word.
    silentErrors: false,
  };
}

/** exifr keeps what it makes of an options object, so there is one object for each. */
const pickingAll = picking([...wanted, ...astray]);
const pickingOne = new Map<Wanted, ReturnType<typeof picking>>();

type RawOutput = Readonly<Partial<Record<Directory, Readonly<Record<number, unknown>>>>>;

/** Reads the wanted tags of an EXIF block, or of a TIFF file. */
export async function readExifValues(block: Uint8Array): Promise<ExifValues> {
  const { parse } = await loadExifr();
  const values = new Map<ExifTag, ExifValue>();
  const output = await parsed(parse, block, pickingAll);
  if (output === undefined) return { values, problems: await readSingly(parse, block, values) };
  [...astray, ...wanted].forEach((each) => keep(each, output, values));
  return { values, problems: [] };
}

/** exifr gives a directory up at its first broken tag; tag by tag, the others are still had. */
async function readSingly(
  parse: Exifr["parse"],
  block: Uint8Array,
  values: Map<ExifTag, ExifValue>,
): Promise<string[]> {
  const broken: Wanted[] = [];
  for (const each of [...astray, ...wanted]) {
    if (!pickingOne.has(each)) pickingOne.set(each, picking([each]));
    const output = await parsed(parse, block, pickingOne.get(each)!);
    if (output !== undefined) keep(each, output, values);
    else if (!astray.includes(each)) broken.push(each);
  }
  // Without the first directory, the others are not found.
  const isReadable = broken.length < wanted.length;
  const directories = isReadable ? ["ifd0", "exif", "gps"] as const : ["ifd0"] as const;
  return directories.flatMap((directory) => {
    const tags = broken.filter((each) => each.directory === directory).map(({ tag }) => tag);
    const isWhole = tags.length === Object.keys(exifTags[directory]).length;
    if (isWhole) return [`EXIF directory ${titles[directory]} cannot be read`];
    return tags.map((tag) => `EXIF tag ${tag} cannot be read`);
  });
}

const titles: Readonly<Record<Directory, string>> = { ifd0: "IFD0", exif: "Exif", gps: "GPS" };

/** Undefined where something that was asked for cannot be read. */
async function parsed(
  parse: Exifr["parse"],
  block: Uint8Array,
  options: ReturnType<typeof picking>,
): Promise<RawOutput | undefined> {
  try {
    // The types of exifr lack some of its documented options.
    return await parse(block, options as Parameters<Exifr["parse"]>[1]) ?? {};
  } catch {
    return undefined;
  }
}

function keep({ directory, tag, code }: Wanted, output: RawOutput, values: Map<ExifTag, unknown>) {
  const value = output[directory]?.[code];
  if (value === undefined || value === "") return;
  // Text ends at its first zero byte, whatever follows.
  const text = typeof value === "string" ? value.split("\0", 1)[0]!.trim() : value;
  if (text !== "") values.set(tag, text);
}
