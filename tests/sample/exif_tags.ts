import exifr from "exifr";
import type { Camera, Taken } from "../../src/sample/mod.ts";

/** What exifr found, by the names of the tags. */
export type Tags = Readonly<Record<string, unknown>>;

/** The tags of a JPEG, a PNG or a bare EXIF block, as they stand in it: no dates, no words. */
export async function tagsOf(bytes: Uint8Array): Promise<Tags> {
  return await exifr.parse(bytes, { gps: true, reviveValues: false, translateValues: false });
}

export function takenIn(tags: Tags): Taken {
  return {
    date_time_original: tags.DateTimeOriginal as string,
    offset_time_original: (tags.OffsetTimeOriginal ?? null) as string | null,
    sub_sec_time_original: (tags.SubSecTimeOriginal ?? null) as string | null,
  };
}

/** A camera with its exposure time in seconds, which is all that exifr keeps of the fraction. */
export function cameraIn(tags: Tags): Tags {
  return {
    make: tags.Make,
    model: tags.Model,
    lens_model: tags.LensModel ?? null,
    iso: tags.ISO,
    exposure_time: tags.ExposureTime,
    f_number: tags.FNumber,
    focal_length_mm: tags.FocalLength,
  };
}

export function withSeconds(camera: Camera): Tags {
  const [numerator, denominator] = camera.exposure_time.split("/").map(Number);
  return { ...camera, exposure_time: numerator! / denominator! };
}

export function gpsIn(tags: Tags): Tags {
  return {
    latitude: tags.GPSLatitude,
    latitude_ref: tags.GPSLatitudeRef,
    longitude: tags.GPSLongitude,
    longitude_ref: tags.GPSLongitudeRef,
    latitude_deg: tags.latitude,
    longitude_deg: tags.longitude,
    altitude_m: tags.GPSAltitude,
  };
}
