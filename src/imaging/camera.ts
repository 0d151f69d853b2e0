import type { Embedded } from "./embedded.ts";
import { type ExifTag, type ExifValue, loadExifr, readExifValues } from "./exif_values.ts";
import { isBlankMoment, type Moment, parseMoment, parseOffset } from "./taken_at.ts";
import { readXmp, type XmpName, type XmpValues } from "./xmp.ts";

/** What the camera noted. Absent and broken are null. */
export interface CameraFacts {
  readonly camera_make: string | null;
  readonly camera_model: string | null;
  readonly lens: string | null;
  readonly iso: number | null;
  /** Seconds, to ten significant digits. */
  readonly exposure_s: number | null;
  readonly f_number: number | null;
  /** Millimetres as the lens has them, not converted to 35 mm film. */
  readonly focal_length_mm: number | null;
  /** Local time in ISO 8601 without zone, as precise as known; UTC where it is from GPS. */
  readonly taken_at: string | null;
  /** Offset of that time from UTC, `+02:00`; null where unknown. */
  readonly taken_at_offset: string | null;
  /** The tag that says so, as exiftool calls it: `EXIF:DateTimeOriginal`. */
  readonly taken_at_from: string | null;
  /** Degrees, north positive, −90 to 90, to eight decimals. */
  readonly latitude: number | null;
  /** Degrees, east positive, −180 to 180, to eight decimals. */
  readonly longitude: number | null;
  /** Metres, below the reference (sea level, or the ellipsoid) negative. */
  readonly altitude_m: number | null;
}

/** What the camera noted, and what of it is broken, one sentence a tag. */
export interface CameraReading {
  readonly facts: CameraFacts;
  readonly problems: readonly string[];
}

/**
 * Reads what the camera noted. EXIF counts first, XMP where EXIF lacks a field or has it broken, IPTC
 * only for the date.
 *
 * The date is the first that is there and whole of: `DateTimeOriginal` with its sub-seconds and
 * offset (EXIF, then XMP), IPTC date and time created, which exiftool calls so too, GPS date and time
 * (UTC; EXIF, then XMP), `CreateDate` (EXIF, then XMP `xmp:CreateDate` and `exif:DateTimeDigitized`),
 * XMP `photoshop:DateCreated`, IPTC date created without a time. A file's name and times do not count,
 * since the same bytes have to give the same answer everywhere.
 *
 * Impossible values are broken: fractions over 0, an exposure, f-number or focal length of 0, month
 * 13, latitude 95, text for a number, a position without its hemisphere. Maker notes are not read.
 */
export async function readCamera({ exif, xmp, iptc }: Embedded): Promise<CameraReading> {
  const problems: string[] = [];
  const found: Facts = {};
  let later: Facts = {};
  if (exif !== undefined) {
    const block = await readExifValues(exif);
    problems.push(...block.problems);
    const reader = new ExifReader(block.values, problems);
    Object.assign(found, reader.facts(), reader.original());
    if (found.taken_at === undefined) later = reader.laterMoment();
  }
  if (xmp !== undefined) later = await addXmp(found, { packet: xmp, later, problems });
  if (iptc !== undefined && found.taken_at === undefined) {
    const created = await iptcMoment(iptc, problems);
    if (created.taken_at?.includes("T") || later.taken_at === undefined) later = created;
  }
  addMissing(found, later);
  addMissing(found, nothing);
  return { facts: found as CameraFacts, problems };
}

/** Fields that are known. */
type Facts = { -readonly [Field in keyof CameraFacts]?: NonNullable<CameraFacts[Field]> | null };

const nothing: CameraFacts = {
  camera_make: null,
  camera_model: null,
  lens: null,
  iso: null,
  exposure_s: null,
  f_number: null,
  focal_length_mm: null,
  taken_at: null,
  taken_at_offset: null,
  taken_at_from: null,
  latitude: null,
  longitude: null,
  altitude_m: null,
};

function addMissing(found: Facts, others: Facts): void {
  for (const [field, value] of Object.entries(others) as [keyof Facts, never][]) {
    if (found[field] === undefined && value !== undefined) found[field] = value;
  }
}

/** A number's limits: at least, at most, and whether the lower one itself is impossible. */
interface Range {
  readonly from: number;
  readonly to: number;
  readonly isOpen?: boolean;
}

const positive: Range = { from: 0, to: Number.MAX_VALUE, isOpen: true };
const sensitivity: Range = { from: 1, to: 2 ** 32 - 1 };
const anywhere: Range = { from: -1e6, to: 1e6 };

function isWithin(value: number, { from, to, isOpen }: Range): boolean {
  return value >= from && value <= to && !(isOpen && value === from);
}

/** Reads fields from EXIF values, and notes what is broken. */
class ExifReader {
  readonly #values: ReadonlyMap<ExifTag, ExifValue>;
  readonly #problems: string[];

  constructor(values: ReadonlyMap<ExifTag, ExifValue>, problems: string[]) {
    this.#values = values;
    this.#problems = problems;
  }

  facts(): Facts {
    return {
      camera_make: this.#text("Make"),
      camera_model: this.#text("Model"),
      lens: this.#text("LensModel"),
      iso: this.#iso(),
      exposure_s: significant(this.#number("ExposureTime", positive)),
      f_number: significant(this.#number("FNumber", positive)),
      focal_length_mm: significant(this.#number("FocalLength", positive)),
      latitude: this.#coordinate("GPSLatitude", "GPSLatitudeRef", latitudes),
      longitude: this.#coordinate("GPSLongitude", "GPSLongitudeRef", longitudes),
      altitude_m: this.#altitude(),
    };
  }

  /** When the picture was taken, by the tag that means it. */
  original(): Facts {
    return this.#moment("DateTimeOriginal", "SubSecTimeOriginal", "OffsetTimeOriginal");
  }

  /** When it was taken, by the tags that come close. */
  laterMoment(): Facts {
    const gps = this.#gpsMoment();
    if (gps.taken_at !== undefined) return gps;
    return this.#moment("CreateDate", "SubSecTimeDigitized", "OffsetTimeDigitized");
  }

  #broken(tag: ExifTag, what: string): undefined {
    this.#problems.push(`EXIF tag ${tag} is broken: ${what}`);
    return undefined;
  }

  #text(tag: ExifTag): string | undefined {
    const value = this.#values.get(tag);
    if (value === undefined || typeof value === "string") return value;
    return this.#broken(tag, "it is no text");
  }

  /** A number, or the first of several. */
  #number(tag: ExifTag, range: Range): number | undefined {
    const value = this.#values.get(tag);
    if (value === undefined) return undefined;
    const number = typeof value === "object" && !(value instanceof Uint8Array) ? value[0] : value;
    if (typeof number !== "number") return this.#broken(tag, "it is no number");
    if (!Number.isFinite(number)) return this.#broken(tag, "it divides by zero");
    return isWithin(number, range) ? number : this.#broken(tag, `${number} is impossible`);
  }

  /** Of several numbers, where some cameras put a zero first. */
  #firstPositive(tag: ExifTag): number | undefined {
    const value = this.#values.get(tag);
    if (typeof value !== "object" || value instanceof Uint8Array) return undefined;
    return Array.from(value).find((number) => isWithin(number, sensitivity));
  }

  /**
   * 65,535 means that the real one is in a tag of its own (EXIF 2.32, section 4.6.5), which also
   * serves where there is nothing else.
   */
  #iso(): number | undefined {
    const short = this.#firstPositive("ISO") ?? this.#number("ISO", sensitivity);
    if (short !== undefined && short < 65_535) return Math.round(short);
    const long = this.#number("ISOSpeed", sensitivity) ??
      this.#number("RecommendedExposureIndex", sensitivity) ??
      this.#number("StandardOutputSensitivity", sensitivity);
    return long === undefined ? short : Math.round(long);
  }

  #coordinate(tag: ExifTag, refTag: ExifTag, axis: Axis): number | undefined {
    const value = this.#values.get(tag);
    if (value === undefined) return undefined;
    const parts = typeof value === "number" ? [value] : value;
    if (typeof parts === "string" || parts instanceof Uint8Array || parts.length < 1) {
      return this.#broken(tag, "it is not degrees, minutes and seconds");
    }
    const degrees = parts[0]! + (parts[1] ?? 0) / 60 + (parts[2] ?? 0) / 3600;
    if (!Number.isFinite(degrees)) return this.#broken(tag, "it divides by zero");
    if (Math.abs(degrees) > axis.limit) return this.#broken(tag, `${degrees}° is impossible`);
    const ref = this.#values.get(refTag);
    const sign = typeof ref === "string"
      ? axis.signs[ref.trim()[0]?.toUpperCase() ?? ""]
      : undefined;
    if (sign !== undefined) return decimals(sign * degrees);
    const letters = Object.keys(axis.signs).join(" or ");
    return this.#broken(refTag, `it is ${shown(ref)} (${letters} is wanted)`);
  }

  /** References 1 and 3 are below: sea level, or the ellipsoid (EXIF 3.0, table 66). */
  #altitude(): number | undefined {
    const metres = this.#number("GPSAltitude", anywhere);
    if (metres === undefined) return undefined;
    const value = this.#values.get("GPSAltitudeRef");
    const ref = typeof value === "object" ? value[0] : value ?? 0;
    if (ref === 0 || ref === 2) return significant(metres);
    if (ref === 1 || ref === 3) return significant(-Math.abs(metres));
    return this.#broken("GPSAltitudeRef", `it is ${shown(value)} (0 to 3 is wanted)`);
  }

  #moment(tag: "DateTimeOriginal" | "CreateDate", partsTag: ExifTag, offsetTag: ExifTag): Facts {
    const text = this.#text(tag);
    if (text === undefined || isBlankMoment(text)) return {};
    const moment = parseMoment(text);
    if (moment === undefined) return this.#broken(tag, `${shown(text)} is no date`) ?? {};
    const offset = this.#offset(offsetTag) ?? moment.offset;
    const hasSeconds = moment.local.length === "2021-05-01T12:00:00".length;
    const parts = hasSeconds ? this.#subSeconds(partsTag) : "";
    return factsOf({ local: moment.local + parts, offset }, `EXIF:${tag}`);
  }

  #subSeconds(tag: ExifTag): string {
    const digits = this.#text(tag)?.trim();
    if (digits === undefined) return "";
    if (/^\d+$/.test(digits)) return `.${digits.slice(0, 9)}`;
    return this.#broken(tag, `${shown(digits)} is no fraction of a second`) ?? "";
  }

  #offset(tag: ExifTag): string | undefined {
    const text = this.#text(tag);
    if (text === undefined || isBlankMoment(text)) return undefined;
    return parseOffset(text) ?? this.#broken(tag, `${shown(text)} is no offset from UTC`);
  }

  #gpsMoment(): Facts {
    const date = this.#text("GPSDateStamp");
    const time = this.#values.get("GPSTimeStamp");
    if (date === undefined || isBlankMoment(date) || time === undefined) return {};
    const numbers = typeof time === "object" ? Array.from(time) : [];
    if (numbers.length !== 3 || !numbers.every(Number.isFinite)) {
      return this.#broken("GPSTimeStamp", "it is not hours, minutes and seconds") ?? {};
    }
    const [hours, minutes, seconds] = numbers;
    const whole = seconds! < 10 ? `0${micro(seconds!)}` : micro(seconds!);
    const moment = parseMoment(`${date} ${hours}:${String(minutes).padStart(2, "0")}:${whole}`);
    if (moment !== undefined) return factsOf({ ...moment, offset: "+00:00" }, "GPS:GPSDateTime");
    const found = `${date} ${numbers.join(":")}`;
    return this.#broken("GPSDateStamp", `${shown(found)} with its time is no date`) ?? {};
  }
}

function factsOf({ local, offset }: Moment, taken_at_from: string): Facts {
  return { taken_at: local, taken_at_offset: offset, taken_at_from };
}

interface Axis {
  readonly signs: Readonly<Record<string, 1 | -1>>;
  /** Degrees. */
  readonly limit: number;
}

const latitudes: Axis = { signs: { N: 1, S: -1 }, limit: 90 };
const longitudes: Axis = { signs: { E: 1, W: -1 }, limit: 180 };

function shown(value: unknown): string {
  if (value === undefined) return "missing";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value);
}

/** Ten significant digits: a fraction of 32-bit numbers has no more. */
function significant(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Number(value.toPrecision(10)) + 0;
}

/** Eight decimals of a degree, 1 mm. */
function decimals(degrees: number): number {
  return Math.round(degrees * 1e8) / 1e8 + 0;
}

function micro(seconds: number): string {
  return String(Math.round(seconds * 1e6) / 1e6);
}

/** Which XMP properties can fill a field, the first that is there. */
const xmpSources = {
  camera_make: ["tiff:Make"],
  camera_model: ["tiff:Model"],
  lens: ["exifEX:LensModel", "aux:Lens"],
  iso: ["exifEX:PhotographicSensitivity", "exif:ISOSpeedRatings"],
  exposure_s: ["exif:ExposureTime"],
  f_number: ["exif:FNumber"],
  focal_length_mm: ["exif:FocalLength"],
  latitude: ["exif:GPSLatitude"],
  longitude: ["exif:GPSLongitude"],
  altitude_m: ["exif:GPSAltitude", "exif:GPSAltitudeRef"],
} as const satisfies Partial<Record<keyof CameraFacts, readonly XmpName[]>>;

type XmpField = keyof typeof xmpSources;

/** Properties that tell when, before and after what EXIF still has. */
const originalNames = ["exif:DateTimeOriginal"] as const;
const gpsNames = ["exif:GPSTimeStamp"] as const;
const laterNames = ["xmp:CreateDate", "exif:DateTimeDigitized", "photoshop:DateCreated"] as const;

interface XmpSource {
  readonly packet: Uint8Array;
  /** The moment that EXIF has, should XMP have none that comes before it. */
  readonly later: Facts;
  readonly problems: string[];
}

/** Fills the fields that are missing; gives the moment that counts where `found` still has none. */
async function addXmp(found: Facts, { packet, later, problems }: XmpSource): Promise<Facts> {
  const fields = Object.keys(xmpSources) as XmpField[];
  const missing = fields.filter((field) => found[field] === undefined);
  const isDated = found.taken_at !== undefined;
  const others = isDated ? [] : namesBefore(later);
  const names = [
    ...missing.flatMap((field) => xmpSources[field]),
    ...isDated ? [] : originalNames,
    ...others,
  ];
  if (names.length === 0) return later;
  const { values, problems: unread } = await readXmp(packet, names);
  problems.push(...unread);
  const reader = new XmpReader(values, problems);
  for (const field of missing) addMissing(found, { [field]: reader.field(field) });
  if (isDated) return later;
  addMissing(found, reader.moment(originalNames));
  const moment = found.taken_at === undefined ? reader.moment(others) : {};
  return moment.taken_at === undefined ? later : moment;
}

/** Properties that count more than the moment which EXIF has; `DateTimeOriginal` apart. */
function namesBefore({ taken_at_from }: Facts): readonly XmpName[] {
  if (taken_at_from === "GPS:GPSDateTime") return [];
  return taken_at_from === undefined ? [...gpsNames, ...laterNames] : gpsNames;
}

/** Reads fields from XMP values, and notes what is broken. */
class XmpReader {
  readonly #values: XmpValues;
  readonly #problems: string[];

  constructor(values: XmpValues, problems: string[]) {
    this.#values = values;
    this.#problems = problems;
  }

  field(field: XmpField): string | number | undefined {
    const name = xmpSources[field].find((each) => this.#values.has(each));
    const text = name && this.#values.get(name);
    if (text === undefined) return undefined;
    if (field === "camera_make" || field === "camera_model" || field === "lens") return text;
    const value = this.#number(field, text);
    return value ?? this.#broken(name!, text);
  }

  /** The first of some dates that is whole. */
  moment(names: readonly XmpName[]): Facts {
    for (const name of names) {
      const text = this.#values.get(name);
      if (text === undefined) continue;
      const moment = parseMoment(text);
      if (moment !== undefined && name === "exif:GPSTimeStamp") {
        return factsOf({ ...moment, offset: moment.offset ?? "+00:00" }, "XMP:GPSDateTime");
      }
      if (moment !== undefined) return factsOf(moment, `XMP:${name.split(":")[1]}`);
      this.#broken(name, text);
    }
    return {};
  }

  #number(field: XmpField, text: string): number | undefined {
    if (field === "latitude") return xmpCoordinate(text, latitudes);
    if (field === "longitude") return xmpCoordinate(text, longitudes);
    const number = fraction(text);
    if (number === undefined) return undefined;
    if (field === "iso") return isWithin(number, sensitivity) ? Math.round(number) : undefined;
    if (field !== "altitude_m") return isWithin(number, positive) ? significant(number) : undefined;
    const isBelow = this.#values.get("exif:GPSAltitudeRef") === "1";
    return isWithin(number, anywhere)
      ? significant(isBelow ? -Math.abs(number) : number)
      : undefined;
  }

  #broken(name: XmpName, text: string): undefined {
    this.#problems.push(`XMP property ${name} is broken: it is ${shown(text)}`);
    return undefined;
  }
}

/** `8/1` or `8`. */
function fraction(text: string): number | undefined {
  const [, above, below] = /^([+-]?\d+(?:\.\d+)?)(?:\s*\/\s*(\d+))?$/.exec(text) ?? [];
  if (above === undefined) return undefined;
  const value = Number(above) / Number(below ?? 1);
  return Number.isFinite(value) ? value : undefined;
}

/** `23,31.356S` or `23,31,21.36S`, which XMP writes (XMP Specification, part 2, "GPSCoordinate"). */
function xmpCoordinate(text: string, { signs, limit }: Axis): number | undefined {
  const number = "(\\d+(?:\\.\\d+)?)";
  const pattern = new RegExp(`^${number}(?:,\\s*${number})?(?:,\\s*${number})?\\s*([NSEW])$`, "i");
  const [, degrees, minutes = "0", seconds = "0", letter] = pattern.exec(text) ?? [];
  const sign = signs[letter?.toUpperCase() ?? ""];
  if (degrees === undefined || sign === undefined) return undefined;
  const value = Number(degrees) + Number(minutes) / 60 + Number(seconds) / 3600;
  return value <= limit ? decimals(sign * value) : undefined;
}

/** IPTC-IIM 4.2, data sets 2:55 and 2:60. */
const IPTC_DATE = 55;
const IPTC_TIME = 60;

/** `20181012` and, where known, `144538+0200`. */
async function iptcMoment(records: Uint8Array, problems: string[]): Promise<Facts> {
  const { sidecar } = await loadExifr();
  const options = { iptc: { translateKeys: false } };
  const found = await sidecar(records, options, "iptc").catch(() => undefined) as
    | Readonly<Record<number, unknown>>
    | undefined;
  const date = found?.[IPTC_DATE];
  if (date === undefined) return {};
  const [, year, month, day] = /^(\d{4})-?(\d\d)-?(\d\d)$/.exec(String(date).trim()) ?? [];
  const time = /^(\d\d)(\d\d)(\d\d)([+-]\d{4})?$/.exec(String(found?.[IPTC_TIME] ?? "").trim());
  const clock = time === null ? "" : ` ${time[1]}:${time[2]}:${time[3]}${time[4] ?? ""}`;
  const moment = year === undefined ? undefined : parseMoment(`${year}-${month}-${day}${clock}`);
  if (moment !== undefined) return factsOf(moment, "IPTC:DateCreated");
  problems.push(`IPTC record DateCreated is broken: ${shown(String(date))} is no date`);
  return {};
}
