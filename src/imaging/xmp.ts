import { loadExifr } from "./exif_values.ts";

/** The properties of XMP that are read, as `prefix:Name` (XMP Specification, part 2; CIPA DC-010). */
export const xmpNames = [
  "tiff:Make",
  "tiff:Model",
  "exifEX:LensModel",
  "aux:Lens",
  "exifEX:PhotographicSensitivity",
  "exif:ISOSpeedRatings",
  "exif:ExposureTime",
  "exif:FNumber",
  "exif:FocalLength",
  "exif:DateTimeOriginal",
  "exif:DateTimeDigitized",
  "photoshop:DateCreated",
  "xmp:CreateDate",
  "exif:GPSLatitude",
  "exif:GPSLongitude",
  "exif:GPSAltitude",
  "exif:GPSAltitudeRef",
  "exif:GPSTimeStamp",
] as const;

export type XmpName = (typeof xmpNames)[number];

/** Texts by name; of lists, the first entry. */
export type XmpValues = ReadonlyMap<XmpName, string>;

/**
 * Reads properties of an XMP packet, if any of the wanted ones is in it: most packets are the history
 * of an editor, and reading one takes exifr up to some milliseconds.
 */
export async function readXmp(
  packet: Uint8Array,
  wanted: readonly XmpName[],
): Promise<{ readonly values: XmpValues; readonly problems: readonly string[] }> {
  const text = new TextDecoder().decode(packet);
  const values = new Map<XmpName, string>();
  if (!wanted.some((name) => text.includes(name))) return { values, problems: [] };
  const { sidecar } = await loadExifr();
  try {
    const bytes = new TextEncoder().encode(text.replace(dottedAttributes, " "));
    const found = await sidecar(bytes, undefined, "xmp") as XmpOutput | undefined;
    for (const name of wanted) {
      const value = textOf(found?.[name.split(":")[0]!]?.[name.split(":")[1]!]);
      if (value !== undefined) values.set(name, value);
    }
    return { values, problems: [] };
  } catch {
    return { values, problems: ["XMP cannot be read"] };
  }
}

/** A name with a dot, as those of astronomy have, makes exifr pass its whole element over. */
const dottedAttributes = /\s[\w-]+:[\w-]+\.[\w.-]*\s*=\s*(?:"[^"]*"|'[^']*')/g;

type XmpOutput = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return textOf(value[0]);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return undefined;
  return unescaped(value).trim() || undefined;
}

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

/** exifr leaves entities as they are written. */
function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex, digits, name) => {
    if (name !== undefined) return entities[name] ?? whole;
    const code = hex === undefined ? Number(digits) : parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
