import assert from "node:assert/strict";
import { join } from "node:path";
import { inspected, type Row } from "./inspected.ts";

const corpus = Deno.env.get("TINTYPE_CORPUS");

/** What exiftool says of a file with `-json -n -G1`: values by group and tag. */
type Entry = Readonly<Record<string, unknown>> & { readonly SourceFile: string };

/** The value of the first tag that is there. */
function first(entry: Entry, ...tags: readonly string[]): unknown {
  return tags.map((tag) => entry[tag]).find((value) => value !== undefined && value !== "");
}

/** A number, or the first of some. Undefined for none: exiftool says `inf` and `undef`. */
function number(value: unknown): number | undefined {
  const found = value === undefined ? NaN : Number(String(value).split(" ")[0]);
  return Number.isFinite(found) ? found : undefined;
}

function size(entry: Entry): { readonly width?: number; readonly height?: number } {
  const [width, height] = String(entry["Composite:ImageSize"]).split(" ").map(Number);
  const isTurned = Number(entry["IFD0:Orientation"] ?? 1) >= 5;
  return isTurned ? { width: height, height: width } : { width, height };
}

/** `2021:05:01 12:00:00.12+02:00` as ISO 8601. */
function date(entry: Entry): string | undefined {
  const value = first(
    entry,
    "Composite:SubSecDateTimeOriginal",
    "ExifIFD:DateTimeOriginal",
    "XMP-exif:DateTimeOriginal",
    "Composite:DateTimeOriginal",
    "Composite:GPSDateTime",
    "Composite:SubSecCreateDate",
    "ExifIFD:CreateDate",
    "XMP-xmp:CreateDate",
  );
  if (value === undefined) return undefined;
  return String(value).replace(/^(\d+):(\d+):(\d+) /, "$1-$2-$3T").replace("Z", "+00:00");
}

/** The fields of a row that exiftool knows too, as it gives them. */
function expectedOf(entry: Entry) {
  const exifOrXmp = (tag: string) => number(first(entry, `ExifIFD:${tag}`, `XMP-exif:${tag}`));
  return {
    ...size(entry),
    orientation: number(entry["IFD0:Orientation"]) ?? 1,
    camera_make: first(entry, "IFD0:Make", "XMP-tiff:Make"),
    camera_model: first(entry, "IFD0:Model", "XMP-tiff:Model"),
    iso: exifOrXmp("ISO"),
    exposure_s: exifOrXmp("ExposureTime"),
    f_number: exifOrXmp("FNumber"),
    focal_length_mm: exifOrXmp("FocalLength"),
    taken_at: date(entry),
    latitude: number(entry["Composite:GPSLatitude"]),
    longitude: number(entry["Composite:GPSLongitude"]),
    altitude_m: number(entry["Composite:GPSAltitude"]),
  };
}

/** Whether a value is exiftool's: degrees to 1e-6, other fractions to a millionth of them. */
function isSame(field: string, found: string | number, expected: unknown): boolean {
  if (typeof found === "string") return found === expected;
  const isDegrees = field === "latitude" || field === "longitude";
  return Math.abs(found - Number(expected)) <= (isDegrees ? 1e-6 : 1e-6 * Math.abs(found));
}

/** With the date's offset, where exiftool has one. */
function shownAs(row: Row, field: keyof ReturnType<typeof expectedOf>, expected: unknown) {
  if (field !== "taken_at" || !/[+-]\d\d:\d\d$/.test(String(expected))) return row[field];
  return `${row.taken_at}${row.taken_at_offset ?? ""}`;
}

Deno.test({
  name: "at least 99 % of what exiftool says too is the same, over the whole corpus" +
    (corpus === undefined ? " (skipped: TINTYPE_CORPUS is not set)" : ""),
  ignore: corpus === undefined,
  async fn() {
    const text = Deno.readTextFileSync(join(corpus!, "expected", "exiftool.json"));
    const entries = JSON.parse(text) as readonly Entry[];
    const counts = new Map<string, number>();
    const different: string[] = [];
    for (const entry of entries) {
      const { row } = await inspected(Deno.readFileSync(join(corpus!, entry.SourceFile)));
      const expected = expectedOf(entry);
      for (const field of Object.keys(expected) as (keyof typeof expected)[]) {
        const [found, wanted] = [shownAs(row, field, expected[field]), expected[field]];
        // An f-number of 0 says that the lens did not tell, which is null here.
        if (wanted === undefined || found === null && wanted === 0) continue;
        counts.set(field, (counts.get(field) ?? 0) + 1);
        const isEqual = found !== null && isSame(field, found, wanted);
        if (!isEqual) different.push(`${entry.SourceFile} ${field}: ${found}, not ${wanted}`);
      }
    }
    const shared = [...counts.values()].reduce((sum, count) => sum + count, 0);
    assert.ok(shared >= 600 && counts.size >= 13, `only ${shared} fields are shared`);
    assert.ok(different.length <= shared * 0.01, `of ${shared}: ${different.join("\n")}`);
    // Half of the corpus has no camera: nothing may come of that.
    assert.ok(counts.get("camera_make")! >= 20 && counts.get("latitude")! >= 5);
  },
});
