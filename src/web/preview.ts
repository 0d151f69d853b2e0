import { isEmpty } from "../captions/empty.ts";
import { endingOf, metadataLines } from "../export/dataset.ts";
import type { TargetName } from "../export/targets.ts";
import { folderTrigger } from "../steps/caption/compose.ts";
import type { Preview } from "./dataset.ts";
import type { FoundFile, Shelf } from "./shelf.ts";

interface Row {
  readonly name: string;
  readonly ending: string;
  readonly trigger: string;
  readonly caption: string;
  readonly marks: readonly string[];
}

/** `metadata.txt` as an export would write it now, with what a person should know of each line. */
export function previewOf(shelf: Shelf, target: TargetName): Preview {
  const files = shelf.files();
  const rows = files.flatMap((file) => rowOf(file, shelf) ?? []);
  const isByFolder = shelf.options.trigger === folderTrigger;
  const words = [...new Set(rows.map(({ trigger }) => trigger))].sort();
  const shown = new Set(rows.map(({ name }) => name));
  return {
    files: words.map((trigger) => ({
      path: isByFolder ? `${trigger}/metadata.txt` : "metadata.txt",
      lines: metadataLines(rows.filter((row) => row.trigger === trigger), { target, trigger })
        .map(({ line, picture: { marks } }) => ({ text: line, marks })),
    })),
    leftOut: files.map(({ name }) => name).filter((name) => !shown.has(name)),
  };
}

function rowOf(file: FoundFile, shelf: Shelf): Row | undefined {
  const { name, format } = file;
  const trigger = shelf.triggerOf(name);
  const { state, caption, source } = shelf.captionOf(file);
  if (trigger === "" || state === "failed" || state === "waiting") return undefined;
  const marks = [
    ...source === "draft" ? ["draft"] : [],
    ...isEmpty(caption) ? ["empty"] : state === "needs_review" ? ["needs review"] : [],
  ];
  return { name, ending: shelf.endingOf(name) ?? endingOf(format), trigger, caption, marks };
}
