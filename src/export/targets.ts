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

/** A file of captions that a trainer reads. */
export interface CaptionFile {
  /** Inside the zip. */
  readonly path: string;
  readonly text: string;
}

/** A picture as it is exported: its path inside the zip, and its caption. */
export interface Captioned {
  readonly path: string;
  readonly caption: string;
}

/** What a trainer wants; how its loader goes about it is replayed in `loaders.ts`. */
export interface Target {
  /** `stem`: a text file beside each picture, of the same stem; else one file with a row a picture. */
  readonly captions: "stem" | "table";
  /** Picture formats that its loader reads, by the names that headers have. */
  readonly formats: readonly string[];
  /** The folder inside the zip that pictures lie in, with "/" at its end; "" for none. */
  folder(trigger: string): string;
  captionFiles(pictures: readonly Captioned[]): readonly CaptionFile[];
}

const usual = ["jpeg", "png", "webp"];
const atTop = () => "";

/**
 * Sources, as of 2026: replicate/flux-fine-tuner with ostris/ai-toolkit inside, Replicate's qwen
 * trainer, cog-sdxl's preprocessing, kohya-ss/sd-scripts, Hugging Face's page on imagefolder.
 */
export const targets: Readonly<Record<TargetName, Target>> = {
  "replicate-flux": {
    captions: "stem",
    formats: usual,
    folder: atTop,
    captionFiles: stems(".txt"),
  },
  "replicate-qwen": {
    captions: "stem",
    formats: usual,
    folder: atTop,
    captionFiles: stems(".txt"),
  },
  "cog-sdxl": { captions: "table", formats: usual, folder: atTop, captionFiles: captionCsv },
  // A folder's name begins with how often its pictures are repeated in an epoch. Its own default is
  // ".caption"; its graphical front end sets ".txt".
  "kohya": {
    captions: "stem",
    formats: usual,
    folder: (trigger) => `10_${trigger}/`,
    captionFiles: (pictures) => [...stems(".txt")(pictures), ...stems(".caption")(pictures)],
  },
  "ai-toolkit": { captions: "stem", formats: usual, folder: atTop, captionFiles: stems(".txt") },
  "hf-imagefolder": {
    captions: "table",
    formats: [...usual, "tiff", "gif"],
    folder: atTop,
    captionFiles: metadataJsonl,
  },
  "plain": {
    captions: "stem",
    formats: [...usual, "tiff", "gif", "avif"],
    folder: atTop,
    captionFiles: stems(".txt"),
  },
};

/** The path without its last ending. */
export function stemOf(path: string): string {
  return path.replace(/\.[^./]+$/, "");
}

function stems(ending: string) {
  return (pictures: readonly Captioned[]): CaptionFile[] =>
    pictures.map(({ path, caption }) => ({
      path: `${stemOf(path)}${ending}`,
      text: `${caption}\n`,
    }));
}

function captionCsv(pictures: readonly Captioned[]): CaptionFile[] {
  const rows = pictures.map(({ path, caption }) => `${csvField(caption)},${csvField(path)}`);
  return [{ path: "caption.csv", text: ["caption,image_file", ...rows, ""].join("\n") }];
}

/** RFC 4180. */
function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function metadataJsonl(pictures: readonly Captioned[]): CaptionFile[] {
  const rows = pictures.map(({ path, caption }) =>
    `${JSON.stringify({ file_name: path, text: caption })}\n`
  );
  return [{ path: "metadata.jsonl", text: rows.join("") }];
}
