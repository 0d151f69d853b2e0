import { resolve } from "node:path";
import {
  openMoves,
  type QuarantineEntry,
  quarantineJournal,
  readQuarantine,
  restore,
  type Restored,
} from "../dedupe/quarantine.ts";
import { localDisk } from "../runtime/local_disk.ts";
import { callerFolder } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { counted } from "./text.ts";
import { UsageError } from "./usage_error.ts";

interface UndoOptions {
  readonly source?: string;
}

/**
 * `tintype undo FOLDER`: moves the files of a quarantine folder back to where they were, by its journal.
 * Nothing is written over and nothing deleted; what cannot go back stays, and is named with the reason.
 */
export async function undo(folder: string, options: UndoOptions): Promise<number> {
  const place = resolve(callerFolder(), folder);
  const { entries, problems } = await readQuarantine(localDisk, place);
  if (entries.length === 0 && problems.length === 0) {
    throw new UsageError(
      `Cannot undo "${place}": there is no ${quarantineJournal} (the folder that a run with ` +
        "action=quarantine moved pictures to is wanted)",
    );
  }
  for (const problem of problems) console.warn(`warning: ${problem}`);
  const keptBack: string[] = [];
  const count = { restored: 0, in_place: 0, kept_back: 0 };
  // Latest first: a name that was freed by a move may have been taken since by another file.
  for (const entry of openMoves(localDisk, place, entries).toReversed()) {
    const { source = entry.source } = options;
    const there = { ...entry, source: resolve(callerFolder(), source) };
    const result = await restoredOrNot(place, there);
    count[result.outcome]++;
    if (result.outcome === "kept_back") keptBack.push(`"${entry.file}": ${result.problem}`);
    else warnOf(result, entry);
  }
  const rest = count.in_place === 0
    ? ""
    : `, ${count.in_place.toLocaleString("en")} in their places already`;
  console.log(`${counted(count.restored, "picture")} moved back from "${place}"${rest}`);
  for (const problem of keptBack) console.error(`not moved back: ${problem}`);
  return keptBack.length === 0 ? exitCodes.complete : exitCodes.failed;
}

function warnOf(result: Restored, { name, file }: QuarantineEntry): void {
  if (result.outcome === "restored" && result.hasChanged) {
    console.warn(`warning: "${file}" was changed in quarantine; moved back as it is`);
  }
  if (result.outcome === "in_place" && result.isInBoth) {
    console.warn(`warning: "${name}" is in its place; "${file}" in quarantine is left as well`);
  }
}

/** One file that cannot be moved does not keep the others. */
async function restoredOrNot(
  place: string,
  entry: QuarantineEntry,
): Promise<Restored> {
  try {
    return await restore(localDisk, place, entry);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { outcome: "kept_back", problem };
  }
}
