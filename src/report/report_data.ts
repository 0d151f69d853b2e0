import type { Baseline, Standing } from "../baseline/baseline.ts";
import type { Policy, Recommendation } from "../baseline/policy.ts";

/** What a report takes from a picture's metadata row; sizes upright, in pixels. */
export interface ReportMetadata {
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  /** Null where the file does not tell. */
  readonly jpeg_quality?: number | null;
}

/** What became of a picture: its row of `change`. */
export interface ReportChange {
  readonly action: "unchanged" | "metadata_only" | "recompressed" | "resized" | "converted";
  readonly steps: readonly string[];
  readonly because: string;
  readonly width_before: number;
  readonly height_before: number;
  readonly bytes_before: number;
  readonly format_before: string;
  readonly quality_before: number | null;
  readonly width_after: number;
  readonly height_after: number;
  readonly bytes_after: number;
  readonly format_after: string;
  readonly quality_after: number | null;
  readonly ssim: number | null;
}

/** A picture of the set, with as much of it as there is. */
export interface ReportPicture {
  readonly name: string;
  readonly metadata?: ReportMetadata;
  readonly standing?: Standing;
  /** Variance of the Laplacian; undefined where the pixels were not measured. */
  readonly sharpness?: number;
  /** Undefined for one that was left out or failed. */
  readonly change?: ReportChange;
}

/** A picture that did not come through, and why. */
export interface AbsentPicture {
  readonly name: string;
  /** The node that it ended at and the step that this uses; both "" where nothing says so. */
  readonly node: string;
  readonly step: string;
  readonly status: "rejected" | "failed" | "waiting";
  readonly reason: string;
}

/** A small picture inside the page. */
export interface Thumbnail {
  /** A `data:` URL. */
  readonly source: string;
  readonly width: number;
  readonly height: number;
}

/** A picture before and after, shown at the same size. */
export interface ReportPair {
  readonly name: string;
  readonly change: ReportChange;
  readonly before: Thumbnail;
  readonly after: Thumbnail;
}

/** How the report's run is repeated. */
export interface Rerun {
  /** The recipe's name. */
  readonly recipe: string;
  /**
   * The folder that later commands name, as the recipe was given it: no place of this machine that nobody
   * wrote, so that the page is the same wherever the dataset is.
   */
  readonly folder: string;
  /** What the recipe was given, by parameter; nothing where it does not say. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

/** Where the applied policy comes from. */
export interface ReportChoice {
  readonly source: "recommended" | "file";
  /** The file's name, without its folder. */
  readonly file: string | null;
}

/** All that `normalizeReport` shows. */
export interface NormalizeReport {
  readonly title: string;
  /** In the order of names. */
  readonly pictures: readonly ReportPicture[];
  readonly absent: readonly AbsentPicture[];
  readonly baseline: Baseline;
  readonly recommendation: Recommendation;
  /** What was applied. */
  readonly policy: Policy;
  readonly choice?: ReportChoice;
  /** Of outliers, by name. */
  readonly thumbnails: ReadonlyMap<string, Thumbnail>;
  readonly pairs: readonly ReportPair[];
  readonly rerun: Rerun;
  readonly versions: Readonly<Record<string, string>>;
}
