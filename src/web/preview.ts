import { isEmpty } from "../captions/empty.ts";
import { makeDataset } from "../export/dataset.ts";
import { type TargetName, targets } from "../export/targets.ts";
import type { Preview } from "./dataset.ts";
import type { FoundFile, Shelf } from "./shelf.ts";

interface Row {
  readonly file: FoundFile;
  readonly trigger: string;
  readonly caption: string;
  readonly marks: readonly string[];
}

/** `metadata.txt` as an export would write it now, with what a person should know of each line. */
export async function previewOf(shelf: Shelf, target: TargetName): Promise<Preview> {
  const files = shelf.files();
  const rows = files.flatMap((file) => rowOf(file, shelf) ?? []);
  const words = [...new Set(rows.map(({ trigger }) => trigger))].sort();
  const shown = new Set(rows.map(({ file }) => file.name));
  return {
    files: await Promise.all(words.map(async (trigger) => ({
      path: words.length > 1 ? `${trigger}/metadata.txt` : "metadata.txt",
      lines: await linesOf(rows.filter((row) => row.trigger === trigger), { target, trigger }),
    }))),
    leftOut: files.map(({ name }) => name).filter((name) => !shown.has(name)),
  };
}

function rowOf(file: FoundFile, shelf: Shelf): Row | undefined {
  const trigger = shelf.triggerOf(file.name);
  if (trigger === "" || shelf.saidOf(file.sha256) === undefined) return undefined;
  const { state, caption, source } = shelf.captionOf(file);
  const marks = [
    ...source === "draft" ? ["draft"] : [],
    ...isEmpty(caption) ? ["empty"] : state === "needs_review" ? ["needs review"] : [],
  ];
  return { file, trigger, caption, marks };
}

async function linesOf(
  rows: readonly Row[],
  dataset: { readonly target: TargetName; readonly trigger: string },
) {
  // Names and captions make the file; the pictures' bytes do not matter to it.
  const pictures = rows.map(({ file, caption }) => ({
    name: file.name,
    ending: endingIn(dataset.target, file.format),
    bytes: new Uint8Array(),
    caption,
  }));
  const { metadata } = await makeDataset(pictures, dataset);
  const marks = new Map(rows.map(({ caption, marks }) => [caption, marks]));
  return metadata.split("\n").slice(0, -1).map((text) => ({ text, marks: marksOf(text, marks) }));
}

const endings: Readonly<Record<string, string>> = { jpeg: "jpg", tiff: "tif" };

/** What a picture's name ends in once exported: those that a trainer does not read become JPEGs. */
function endingIn(target: TargetName, format: string): string {
  return targets[target].formats.includes(format) ? endings[format] ?? format : "jpg";
}

/** The marks of the caption that a line `name: caption` ends in. */
function marksOf(line: string, marks: ReadonlyMap<string, readonly string[]>): readonly string[] {
  for (let at = line.indexOf(": "); at >= 0; at = line.indexOf(": ", at + 1)) {
    const found = marks.get(line.slice(at + 2));
    if (found !== undefined) return found;
  }
  return [];
}
