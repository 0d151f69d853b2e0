import { discover, type PictureFacts } from "../../src/baseline/discover.ts";
import { predictEffect } from "../../src/baseline/effect.ts";
import { noAdvice } from "../../src/baseline/advice.ts";
import type { Policy } from "../../src/baseline/policy.ts";
import { policyByRules } from "../../src/baseline/rules.ts";
import { treatmentOf } from "../../src/baseline/treatment.ts";
import type { NormalizeReport, ReportChange, ReportPicture } from "../../src/report/report_data.ts";
import { randomNumbers } from "../imaging/pictures.ts";

/** Pictures with sizes, bytes and content by chance, the same for the same seed. */
export function somePictures(count: number, seed = 1): PictureFacts[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => {
    const width = Math.round(400 * 2 ** (random() * 4));
    const height = Math.round(width * (random() < 0.5 ? 0.75 : 2 / 3));
    return pictureOf({
      width,
      height,
      bytes: Math.round(width * height * (0.1 + random() * 0.4)),
      jpeg_quality: 60 + Math.floor(random() * 40),
      sharpness: 10 ** (1 + random() * 3),
    });
  });
}

export interface PictureNumbers {
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly jpeg_quality: number;
  readonly sharpness: number;
}

export function pictureOf(numbers: PictureNumbers): PictureFacts {
  const { width, height, bytes, jpeg_quality, sharpness } = numbers;
  return {
    metadata: {
      format: "jpeg",
      width,
      height,
      orientation: 1,
      colour_space: "srgb",
      bit_depth: 8,
      has_alpha: false,
      uses_alpha: false,
      icc_profile: null,
      is_srgb: true,
      pages: 1,
      chroma_subsampling: "4:2:0",
      bytes,
      bits_per_pixel: bytes * 8 / (width * height),
      jpeg_quality,
      camera_make: null,
      camera_model: null,
    },
    content: {
      brightness: 0.5,
      contrast: 0.2,
      sharpness,
      entropy: 7,
      colourfulness: 40,
      clipped_dark: 0.01,
      clipped_bright: 0.02,
    },
  };
}

/** The report of pictures under the rules' policy, as if they had been normalized. */
export async function reportOf(
  pictures: readonly PictureFacts[],
  overrides: Partial<NormalizeReport> = {},
): Promise<NormalizeReport> {
  const { baseline, standings } = await discover(pictures);
  const { policy, reasons } = policyByRules(baseline);
  const applied = overrides.policy ?? policy;
  const rows = pictures.map((facts, index): ReportPicture => ({
    name: `picture ${String(index).padStart(5, "0")}.jpg`,
    metadata: facts.metadata,
    standing: standings[index],
    sharpness: facts.content?.sharpness,
    change: changeOf(facts, applied),
  }));
  return {
    title: "Holiday",
    pictures: rows,
    absent: [],
    baseline,
    recommendation: {
      rules: policy,
      reasons: [...reasons],
      effect: predictEffect(baseline, policy),
      advice: noAdvice,
      accepted: "rules",
    },
    policy: applied,
    thumbnails: new Map(),
    pairs: [],
    rerun: { recipe: "normalize", folder: "/photos/out", settings: {} },
    versions: { tintype: "0.1.0" },
    ...overrides,
  };
}

function changeOf({ metadata }: PictureFacts, policy: Policy): ReportChange {
  const { width, height, isResized } = treatmentOf(metadata, policy);
  const { bytes, jpeg_quality: quality, format } = metadata;
  return {
    action: isResized ? "resized" : "unchanged",
    steps: isResized
      ? [`resized ${metadata.width} × ${metadata.height} → ${width} × ${height}`]
      : [],
    because: isResized ? "the policy asks for it" : "it is within the policy",
    width_before: metadata.width,
    height_before: metadata.height,
    bytes_before: bytes,
    format_before: format,
    quality_before: quality,
    width_after: width,
    height_after: height,
    bytes_after: isResized ? Math.round(bytes / 2) : bytes,
    format_after: format,
    quality_after: quality,
    ssim: isResized ? 0.9 + (bytes % 1000) / 10_000 : null,
  };
}
