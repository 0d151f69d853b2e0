/** What a picture shows. */
export type PictureKind = "photo" | "text" | "line_art" | "graphics";

/** EXIF orientation: how the stored pixels have to be turned to be upright (1: not at all). */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** What is true of a sample folder, known because it was made from code. Written as `truth.json`. */
export interface SampleTruth {
  /** Sorted by name (UTF-16 code units). */
  readonly pictures: readonly PictureTruth[];
}

/** A sample in memory: what is to be written, and what is true of it. */
export interface Sample {
  readonly truth: SampleTruth;
  /** Bytes of each picture by its name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** What is true of one picture file. */
export interface PictureTruth {
  /** Path in the sample folder, `/` between folders, Unicode NFC. */
  readonly name: string;
  /** Same scene, same thing to see: duplicates share the scene of their original. */
  readonly scene: string;
  readonly kind: PictureKind;
  readonly format: "jpeg" | "png" | "webp";
  /** Width as seen upright, in pixels. */
  readonly width_px: number;
  /** Height as seen upright, in pixels. */
  readonly height_px: number;
  /** The EXIF tag; null where the file has no EXIF. */
  readonly orientation: Orientation | null;
  /** Bits a channel. A palette counts as the colours that it stands for. */
  readonly bit_depth: 8 | 16;
  /** Channels as decoded, alpha included. */
  readonly channels: 1 | 3 | 4;
  readonly has_alpha: boolean;
  readonly colour_space: ColourSpace;
  /** Description of the embedded ICC profile, as it stands in the profile; null: none embedded. */
  readonly icc: string | null;
  /** True where the file is stored for a first coarse view (JPEG scans). */
  readonly is_progressive: boolean;
  readonly taken: Taken | null;
  readonly camera: Camera | null;
  readonly gps: Gps | null;
  /** Name of the file that this one is a copy of, byte by byte; null: an original. */
  readonly exact_duplicate_of: string | null;
  /** The file that this one was made from by a small change; null: an original. */
  readonly near_duplicate_of: NearDuplicate | null;
  /** Why the file cannot be decoded whole; null: it can. The header can still be read. */
  readonly broken: string | null;
}

export type ColourSpace = "srgb" | "display-p3" | "grey" | "cmyk";

/** When a picture was taken, as EXIF writes it. */
export interface Taken {
  /** Local time, `YYYY:MM:DD HH:MM:SS`. */
  readonly date_time_original: string;
  /** `±HH:MM`; null: not written, so the instant is not known. */
  readonly offset_time_original: string | null;
  /** Digits after the decimal point of the second; null: not written. */
  readonly sub_sec_time_original: string | null;
}

/** What took a picture, and how, as EXIF writes it. */
export interface Camera {
  readonly make: string;
  readonly model: string;
  readonly lens_model: string | null;
  readonly iso: number;
  /** Seconds as a fraction, such as `1/250`. */
  readonly exposure_time: string;
  readonly f_number: number;
  readonly focal_length_mm: number;
}

/** Where a picture was taken (WGS 84): degrees, minutes and seconds as written, and in decimals. */
export interface Gps {
  readonly latitude: DegreesMinutesSeconds;
  readonly latitude_ref: "N" | "S";
  readonly longitude: DegreesMinutesSeconds;
  readonly longitude_ref: "E" | "W";
  /** South is negative. */
  readonly latitude_deg: number;
  /** West is negative. */
  readonly longitude_deg: number;
  /** Above the sea, metres. */
  readonly altitude_m: number;
}

/** Whole degrees and minutes, seconds with two decimals. */
export type DegreesMinutesSeconds = readonly [degrees: number, minutes: number, seconds: number];

/** Which file a near duplicate was made from, and how. */
export interface NearDuplicate {
  readonly name: string;
  readonly how: "resized" | "recompressed" | "cropped" | "brightened";
}
