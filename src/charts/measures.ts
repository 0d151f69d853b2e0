import type { Characteristic, Measure } from "../baseline/baseline.ts";

/** How a measure is headed, and what its axis counts. */
export interface MeasureWords {
  readonly title: string;
  /** As `HistogramChart` takes it. */
  readonly unit: string;
}

export const measureWords: Readonly<Record<Measure, MeasureWords>> = {
  width: { title: "Width", unit: "px" },
  height: { title: "Height", unit: "px" },
  long_side: { title: "Long side", unit: "px" },
  short_side: { title: "Short side", unit: "px" },
  megapixels: { title: "Megapixels", unit: "MP" },
  aspect_ratio: { title: "Aspect ratio", unit: "long side / short side" },
  bytes: { title: "File size", unit: "bytes" },
  bits_per_pixel: { title: "Bits per pixel", unit: "bits" },
  jpeg_quality: { title: "JPEG quality", unit: "quality" },
  brightness: { title: "Brightness", unit: "mean luma, 0 to 1" },
  contrast: { title: "Contrast", unit: "standard deviation of luma" },
  sharpness: { title: "Sharpness", unit: "variance of the Laplacian" },
  entropy: { title: "Entropy", unit: "bits" },
  // D. Hasler and S. Süsstrunk, "Measuring colourfulness in natural images", 2003.
  colourfulness: { title: "Colourfulness", unit: "0 grey, 109 extreme" },
  clipped_dark: { title: "Clipped dark pixels", unit: "share" },
  clipped_bright: { title: "Clipped bright pixels", unit: "share" },
  clipped: { title: "Clipped pixels", unit: "share" },
};

/** How the commonest values of a characteristic are headed. */
export const characteristicTitles: Readonly<Record<Characteristic, string>> = {
  resolution: "Resolution",
  aspect_ratio: "Aspect ratio",
  format: "Format",
  jpeg_quality: "JPEG quality",
  colour_mode: "Colour mode",
  bit_depth: "Bit depth",
  chroma_subsampling: "Chroma subsampling",
  orientation: "EXIF orientation",
  icc_profile: "ICC profile",
  camera: "Camera",
};
