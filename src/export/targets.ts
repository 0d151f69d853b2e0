/** The trainers that a dataset can be exported for. */
export const targetNames = [
  "replicate-flux",
  "replicate-qwen",
  "cog-sdxl",
  "kohya",
  "ai-toolkit",
  "hf-imagefolder",
  "plain",
] as const;

export type TargetName = (typeof targetNames)[number];

/** What a trainer reads, in short; how its loader goes about it is replayed in `loaders.ts`. */
export interface Target {
  /** `stem`: a text file beside each picture, of the same stem; else one file with a row a picture. */
  readonly captions: "stem" | "table";
  /** Picture formats that its loader reads, by the names that headers have. */
  readonly formats: readonly string[];
}

/**
 * Sources: replicate/flux-fine-tuner and ostris/ai-toolkit (Flux), Replicate's qwen trainer, cog-sdxl's
 * preprocessing, kohya-ss/sd-scripts, and the documentation of Hugging Face's imagefolder; all as
 * of 2026.
 */
export const targets: Readonly<Record<TargetName, Target>> = {
  "replicate-flux": { captions: "stem", formats: ["jpeg", "png", "webp"] },
  "replicate-qwen": { captions: "stem", formats: ["jpeg", "png", "webp"] },
  "cog-sdxl": { captions: "table", formats: ["jpeg", "png", "webp"] },
  "kohya": { captions: "stem", formats: ["jpeg", "png", "webp"] },
  "ai-toolkit": { captions: "stem", formats: ["jpeg", "png", "webp"] },
  "hf-imagefolder": { captions: "table", formats: ["jpeg", "png", "webp", "tiff", "gif"] },
  "plain": { captions: "stem", formats: ["jpeg", "png", "webp", "tiff", "gif", "avif"] },
};
