import type { ExifTruth } from "./exif.ts";
import type { Size } from "./scene.ts";
import type { NearDuplicate, Orientation } from "./truth.ts";

/** Names of the scenes that are painted. */
export type SceneName =
  | "alpine"
  | "city"
  | "dunes"
  | "fjord"
  | "forest"
  | "hills"
  | "lake"
  | "leaf"
  | "meadow"
  | "night"
  | "oranges"
  | "pebbles"
  | "sea"
  | "skyline"
  | "wood";

/** Names of the pages that are drawn. */
export type DrawingName = "chart" | "diagram" | "letter";

/** How pixels become a file. Qualities are 1 to 100. */
export type Encoding =
  | { readonly as: "jpeg"; readonly quality: number; readonly isProgressive?: boolean }
  | { readonly as: "jpeg-grey"; readonly quality: number }
  | { readonly as: "jpeg-cmyk"; readonly quality: number }
  | { readonly as: "jpeg-p3"; readonly quality: number }
  | { readonly as: "png" }
  | { readonly as: "png-grey" }
  | { readonly as: "png-palette"; readonly colours: number }
  | { readonly as: "png-16" }
  | { readonly as: "webp"; readonly quality: number };

/** A picture made from a scene. */
export interface Original {
  readonly from: "scene";
  readonly name: string;
  readonly scene: SceneName | DrawingName;
  /** As seen upright. */
  readonly size: Size;
  readonly encoding: Encoding;
  /** Absent: no EXIF in the file. */
  readonly exif?: Partial<ExifTruth>;
  /** How the pixels are stored; default 1. Others than 1 need EXIF. */
  readonly orientation?: Orientation;
  /** Only this part of the bytes is written, 0 to 1; default all. */
  readonly keptRatio?: number;
}

/** The bytes of another file under another name. */
export interface Copy {
  readonly from: "copy";
  readonly name: string;
  readonly of: string;
}

/** Another file decoded, changed a little, and encoded as JPEG; upright. */
export interface Altered {
  readonly from: "altered";
  readonly name: string;
  readonly of: string;
  readonly how: NearDuplicate["how"];
  readonly quality: number;
  /** True keeps the other file's EXIF; most apps drop it. */
  readonly keepsExif?: boolean;
}

export type Picture = Original | Copy | Altered;
