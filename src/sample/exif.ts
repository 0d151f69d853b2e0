import type { Exif } from "sharp";
import type { Camera, DegreesMinutesSeconds, Gps, Taken } from "./truth.ts";

/** What a picture's EXIF says; the resolution and the orientation are written by libvips. */
export interface ExifTruth {
  readonly taken: Taken | null;
  readonly camera: Camera | null;
  readonly gps: Gps | null;
}

/**
 * Tags for sharp's `withExif`, where IFD0 is the picture, IFD2 the Exif IFD, IFD3 the GPS IFD (and
 * IFD1, not used, the thumbnail), rationals as `numerator/denominator`.
 */
export function exifTags({ taken, camera, gps }: ExifTruth): Exif {
  return {
    IFD0: {
      Software: "Tintype sample",
      ...(camera === null ? {} : { Make: camera.make, Model: camera.model }),
    },
    IFD2: {
      ...(taken === null ? {} : takenTags(taken)),
      ...(camera === null ? {} : cameraTags(camera)),
    },
    ...(gps === null ? {} : { IFD3: gpsTags(gps) }),
  };
}

function takenTags(taken: Taken): Record<string, string> {
  const { offset_time_original: offset, sub_sec_time_original: subSeconds } = taken;
  return {
    DateTimeOriginal: taken.date_time_original,
    DateTimeDigitized: taken.date_time_original,
    ...(offset === null ? {} : { OffsetTimeOriginal: offset }),
    ...(subSeconds === null ? {} : { SubSecTimeOriginal: subSeconds }),
  };
}

function cameraTags(camera: Camera): Record<string, string> {
  return {
    ISOSpeedRatings: String(camera.iso),
    ExposureTime: camera.exposure_time,
    FNumber: rational(camera.f_number, 10),
    FocalLength: rational(camera.focal_length_mm, 100),
    ...(camera.lens_model === null ? {} : { LensModel: camera.lens_model }),
  };
}

function gpsTags(gps: Gps): Record<string, string> {
  return {
    GPSLatitudeRef: gps.latitude_ref,
    GPSLatitude: angle(gps.latitude),
    GPSLongitudeRef: gps.longitude_ref,
    GPSLongitude: angle(gps.longitude),
    GPSAltitudeRef: "0",
    GPSAltitude: rational(gps.altitude_m, 10),
  };
}

function angle([degrees, minutes, seconds]: DegreesMinutesSeconds): string {
  return `${degrees}/1 ${minutes}/1 ${rational(seconds, 100)}`;
}

function rational(value: number, denominator: number): string {
  return `${Math.round(value * denominator)}/${denominator}`;
}

/** A time from its written form, such as `takenAt("2024:06:12 05:48:31.412 +02:00")`. */
export function takenAt(text: string): Taken {
  const [date, time = "", offset] = text.split(" ");
  const [seconds, subSeconds] = time.split(".");
  return {
    date_time_original: `${date} ${seconds}`,
    offset_time_original: offset ?? null,
    sub_sec_time_original: subSeconds ?? null,
  };
}

/** A place from its written form, such as `gpsAt("46 35 14.52 N", "7 54 29.88 E", 566.5)`. */
export function gpsAt(latitude: string, longitude: string, altitude_m: number): Gps {
  const [northSouth, north] = parseAngle(latitude), [eastWest, east] = parseAngle(longitude);
  return {
    latitude: northSouth,
    latitude_ref: north === "S" ? "S" : "N",
    longitude: eastWest,
    longitude_ref: east === "W" ? "W" : "E",
    latitude_deg: decimal(northSouth) * (north === "S" ? -1 : 1),
    longitude_deg: decimal(eastWest) * (east === "W" ? -1 : 1),
    altitude_m,
  };
}

function parseAngle(text: string): readonly [DegreesMinutesSeconds, string] {
  const [degrees, minutes, seconds, ref] = text.split(" ");
  return [[Number(degrees), Number(minutes), Number(seconds)], ref ?? ""];
}

function decimal([degrees, minutes, seconds]: DegreesMinutesSeconds): number {
  return degrees + minutes / 60 + seconds / 3600;
}
