import { stemOf, type TargetName } from "./targets.ts";

/** What a trainer finds in a dataset, by its own rules. */
export interface Reading {
  /** Pictures that it trains on, by path. */
  readonly images: readonly string[];
  /** By picture, the caption that it trains on, as it takes it apart and puts it together. */
  readonly captions: ReadonlyMap<string, string>;
  /** Pictures that something else would write captions for. */
  readonly autoCaptioned: readonly string[];
  /** Files that it does not look at, or only to its harm. */
  readonly ignored: readonly string[];
  /** Why it would stop, if it would. */
  readonly failure?: string;
  /** What a person should know. */
  readonly notes: readonly string[];
}

/** The files of a zip: a text, or null for anything else. */
export type ZipFiles = ReadonlyMap<string, string | null>;

type Loader = (files: ZipFiles, trigger: string) => Reading;

/** Reads a dataset as the target does. Each loader's source is named beside its rules. */
export function readAs(target: TargetName, files: ZipFiles, trigger: string): Reading {
  return loaders[target](files, trigger);
}

const loaders: Readonly<Record<TargetName, Loader>> = {
  "replicate-flux": replicateFlux,
  "replicate-qwen": replicateQwen,
  "cog-sdxl": cogSdxl,
  "kohya": kohya,
  "ai-toolkit": (files, trigger) => aiToolkit(visible(files), trigger),
  "hf-imagefolder": imageFolder,
  "plain": plainText,
};

/** Without what archivers of macOS put in. */
function visible(files: ZipFiles): ZipFiles {
  return new Map(
    [...files].filter(([path]) =>
      !path.startsWith("__MACOSX/") && !path.split("/").at(-1)!.startsWith("._")
    ),
  );
}

function hasEnding(path: string, endings: readonly string[]): boolean {
  const lower = path.toLowerCase();
  return endings.some((ending) => lower.endsWith(ending));
}

function rest(files: ZipFiles, used: readonly string[]): string[] {
  const known = new Set(used);
  return [...files.keys()].filter((path) => !known.has(path));
}

/**
 * ai-toolkit (`toolkit/dataloader_mixins.py`, `data_loader.py`): pictures by ending, in any folder; the
 * caption is the text of the same stem, split at commas and joined again; the trigger word is put in
 * front where it is missing.
 */
function aiToolkit(files: ZipFiles, trigger: string): Reading {
  const images = [...files.keys()].filter((path) =>
    hasEnding(path, [".jpg", ".jpeg", ".png", ".webp"])
  ).sort();
  const { captions, used } = stemCaptions(files, images, [".txt"], (text) => {
    const joined = text.replaceAll("\n", ", ").split(",").map((part) => part.trim())
      .filter((part) => part !== "").join(", ");
    return joined.includes(trigger) ? joined : `${trigger}, ${joined}`;
  });
  const bare = images.filter((path) => !captions.has(path));
  const notes = bare.length > 0
    ? [`${bare.length} would be trained on the trigger word alone`]
    : [];
  return { images, captions, autoCaptioned: [], ignored: rest(files, [...images, ...used]), notes };
}

/**
 * replicate/flux-fine-tuner: unpacks all but macOS's files; LLaVA captions each picture without a text
 * of its stem (its walk takes .bmp and .gif too); then ai-toolkit trains.
 */
function replicateFlux(files: ZipFiles, trigger: string): Reading {
  const shown = visible(files);
  const reading = aiToolkit(shown, trigger);
  const walked = [...shown.keys()].filter((path) =>
    hasEnding(path, [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"])
  );
  const autoCaptioned = walked.filter((path) => !reading.captions.has(path));
  const wasted = walked.filter((path) => !reading.images.includes(path));
  const notes = wasted.length > 0
    ? [`${wasted.length} would be captioned and then not be trained on (.bmp, .gif)`]
    : [];
  return { ...reading, autoCaptioned, notes };
}

/** Replicate's qwen trainer: pictures at the top, or in one folder; texts of the same stem. */
function replicateQwen(files: ZipFiles, trigger: string): Reading {
  const shown = visible(files);
  const endings = [".jpg", ".jpeg", ".png", ".webp"];
  const pictures = [...shown.keys()].filter((path) => hasEnding(path, endings));
  const top = pictures.filter((path) => !path.includes("/"));
  const folders = new Set(pictures.map((path) => path.split("/").slice(0, -1).join("/")));
  const inOne = top.length === 0 && folders.size === 1 && ![...folders][0]!.includes("/");
  const images = (top.length > 0 ? top : inOne ? pictures : []).sort();
  const { captions, used } = stemCaptions(shown, images, [".txt"], (text) => text.trim());
  const autoCaptioned = images.filter((path) => !captions.has(path));
  const notes = /^(tok|sks)$/i.test(trigger)
    ? [`"${trigger}" is an abstract token: this trainer wants a word that says something`]
    : [];
  const failure = images.length === 0
    ? "it finds no picture at the top of the zip or in one folder"
    : undefined;
  return {
    images,
    captions,
    autoCaptioned,
    ignored: rest(shown, [...images, ...used]),
    failure,
    notes,
  };
}

/**
 * cog-sdxl (`preprocess.py`): a CSV with "caption" in its name, columns `caption` and `image_file`;
 * as many rows as pictures, or it stops; rows are sorted by `image_file` and meet the pictures sorted
 * by name.
 */
function cogSdxl(files: ZipFiles): Reading {
  const shown = visible(files);
  const images = [...shown.keys()].filter((path) =>
    hasEnding(path, [".jpg", ".jpeg", ".png", ".webp"])
  ).sort();
  const table = [...shown.keys()].find((path) => /caption[^/]*\.csv$/i.test(path));
  const nothing = { images, captions: new Map<string, string>(), notes: [] };
  if (table === undefined) {
    return { ...nothing, autoCaptioned: images, ignored: rest(shown, images) };
  }
  const ignored = rest(shown, [...images, table]);
  const [header = [], ...rows] = parseCsv(shown.get(table) ?? "");
  const [caption, file] = [header.indexOf("caption"), header.indexOf("image_file")];
  if (caption < 0 || file < 0) {
    return { ...nothing, autoCaptioned: [], ignored, failure: `"${table}" lacks its two columns` };
  }
  if (rows.length !== images.length) {
    const failure = `${rows.length} captions for ${images.length} pictures`;
    return { ...nothing, autoCaptioned: [], ignored, failure };
  }
  const sorted = rows.toSorted((a, b) => a[file]! < b[file]! ? -1 : 1);
  const captions = new Map(images.map((path, index) => [path, sorted[index]![caption]!]));
  const crossed = images.filter((path, index) => sorted[index]![file] !== path);
  const notes = crossed.length > 0 ? [`${crossed.length} would get another picture's caption`] : [];
  return { images, captions, autoCaptioned: [], ignored, notes };
}

/**
 * kohya-ss/sd-scripts (`library/train_util.py`): folders named `<repeats>_<words>`; the caption is the
 * file of the same stem and `--caption_extension`, its first line; else the folder's words are.
 */
function kohya(files: ZipFiles): Reading {
  const endings = [".png", ".jpg", ".jpeg", ".webp", ".bmp"];
  const images = [...files.keys()].filter((path) =>
    /^\d+_[^/]*\/[^/]+$/.test(path) && hasEnding(path, endings)
  ).sort();
  const firstLine = (text: string) => text.split("\n")[0]!.trim();
  const { captions, used } = stemCaptions(files, images, [".caption", ".txt"], firstLine);
  const failure = images.length === 0 ? 'it finds no folder like "10_word"' : undefined;
  const autoCaptioned = images.filter((path) => !captions.has(path));
  return {
    images,
    captions,
    autoCaptioned,
    ignored: rest(files, [...images, ...used]),
    failure,
    notes: [],
  };
}

/** Hugging Face `imagefolder`: `metadata.jsonl` names every picture in `file_name`. */
function imageFolder(files: ZipFiles): Reading {
  const endings = [".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp"];
  const images = [...files.keys()].filter((path) => hasEnding(path, endings)).sort();
  const text = files.get("metadata.jsonl");
  const rows = (text ?? "").split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { readonly file_name: string; readonly text: string });
  const captions = new Map(rows.map((row) => [row.file_name, row.text]));
  const lost = rows.find(({ file_name }) => !files.has(file_name));
  const bare = images.find((path) => !captions.has(path));
  const failure = lost !== undefined
    ? `"${lost.file_name}" is not there`
    : bare !== undefined
    ? `"${bare}" has no row`
    : undefined;
  const ignored = rest(files, [...images, "metadata.jsonl"]);
  return { images, captions, autoCaptioned: [], ignored, failure, notes: [] };
}

function plainText(files: ZipFiles): Reading {
  const images = [...files].filter(([, text]) => text === null).map(([path]) => path).sort();
  const { captions, used } = stemCaptions(files, images, [".txt"], (text) => text.trim());
  const ignored = rest(files, [...images, ...used]);
  return { images, captions, autoCaptioned: [], ignored, notes: [] };
}

function stemCaptions(
  files: ZipFiles,
  images: readonly string[],
  endings: readonly string[],
  take: (text: string) => string,
) {
  const captions = new Map<string, string>();
  const used: string[] = [];
  for (const path of images) {
    for (const ending of endings) {
      const name = `${stemOf(path)}${ending}`;
      const text = files.get(name);
      if (typeof text !== "string") continue;
      used.push(name);
      if (!captions.has(path)) captions.set(path, take(text));
    }
  }
  return { captions, used };
}

/** RFC 4180, as Python's csv module reads it. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r\n|\n|\r|$)/gy;
  for (let at = 0; at < text.length; at = field.lastIndex) {
    field.lastIndex = at;
    const match = field.exec(text);
    if (match === null) break;
    row.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
    if (match[3] === ",") continue;
    rows.push(row);
    row = [];
  }
  return rows;
}
