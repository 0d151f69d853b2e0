import { dirname, extname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { z } from "zod";
import type { Disk } from "../runtime/disk.ts";
import { sha256 } from "../runtime/hash.ts";
import { readManifest, writeManifest } from "../steps/publish/manifest.ts";
import { nameProblem } from "../steps/publish/names.ts";

/** The file in a quarantine folder that says what came from where. */
export const quarantineJournal = "quarantine.jsonl";

/**
 * A line of the journal: written and synced before the move that it tells of, so that it may tell of one
 * that was never made. What is where is then seen by looking.
 */
const entryShape = z.object({
  event: z.enum(["move", "restore"]),
  /** Path below the quarantine folder, with "/" between the parts. */
  file: z.string(),
  /** The folder that it was moved from, and its path below that one. */
  source: z.string(),
  name: z.string(),
  sha256: z.string(),
  /** The picture kept in its place; null where a person decided without one. */
  kept: z.string().nullable(),
  reason: z.string(),
});

export type QuarantineEntry = z.output<typeof entryShape>;

export interface ReadJournal {
  /** In their order. */
  readonly entries: readonly QuarantineEntry[];
  /** Lines that say nothing, with their numbers. */
  readonly problems: readonly string[];
  /** Whether a killed process left its last line half-written. */
  readonly isTorn: boolean;
}

/** The journal of a quarantine folder; empty where there is none. */
export async function readQuarantine(disk: Disk, folder: string): Promise<ReadJournal> {
  const path = join(folder, quarantineJournal);
  if (disk.stat(path) === undefined) return { entries: [], problems: [], isTorn: false };
  const lines = new TextDecoder().decode(await disk.read(path)).split("\n");
  // The move of a half-written line was never begun.
  const isTorn = lines.pop() !== "";
  const entries: QuarantineEntry[] = [];
  const problems: string[] = [];
  lines.forEach((line, index) => {
    const entry = entryOf(line);
    if (entry !== undefined) entries.push(entry);
    else if (line !== "") problems.push(`line ${index + 1} of "${path}" cannot be understood`);
  });
  return { entries, problems, isTorn };
}

function entryOf(line: string): QuarantineEntry | undefined {
  try {
    const entry = entryShape.safeParse(JSON.parse(line)).data;
    const names = entry === undefined ? [] : [entry.name, entry.file];
    return names.every((name) => nameProblem(name) === undefined) ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** The last move of each file of a quarantine, whether it is still there or not. */
export function lastMoves(entries: readonly QuarantineEntry[]): QuarantineEntry[] {
  const moves = entries.filter(({ event }) => event === "move");
  return [...new Map(moves.map((entry) => [entry.file, entry])).values()];
}

/** The moves that are still to be taken back: of files that are there, or went without a trace. */
export function openMoves(
  disk: Disk,
  folder: string,
  entries: readonly QuarantineEntry[],
): QuarantineEntry[] {
  const last = new Map(entries.map((entry) => [entry.file, entry.event]));
  return lastMoves(entries).filter(({ file }) =>
    last.get(file) === "move" || isFile(disk, join(folder, file))
  );
}

/** How many files a quarantine folder holds, by its journal and a look at the disk. */
export async function countQuarantined(disk: Disk, folder: string): Promise<number> {
  const { entries } = await readQuarantine(disk, folder);
  return lastMoves(entries).filter(({ file }) => isFile(disk, join(folder, file))).length;
}

/** A picture that is to go, and the one that stays for it. */
export interface Moving {
  readonly name: string;
  readonly sha256: string;
  readonly kept?: { readonly name: string; readonly sha256: string };
  readonly reason: string;
}

/** How a move ended: where the file is now, or why it was left. */
export type Moved = { readonly file: string } | { readonly refused: string };

/**
 * A folder that originals are moved into, each under its path in the scanned folder. A file is moved only
 * with the bytes that it was judged by, and only while the picture that is kept for it is there with its
 * own; nothing is written over, nothing deleted, and links are not followed. The journal comes before
 * each move, so that `restore` finds the way back from wherever a process was ended.
 */
export class Quarantine {
  readonly #known: Map<string, QuarantineEntry>;
  readonly #checked = new Map<string, string>();

  private constructor(
    readonly disk: Disk,
    readonly folder: string,
    readonly source: string,
    entries: readonly QuarantineEntry[],
  ) {
    this.#known = new Map(lastMoves(entries).map((entry) => [entry.file, entry]));
  }

  /** Throws a sentence where the two folders cannot be used together. */
  static async open(
    disk: Disk,
    { folder, source }: { readonly folder: string; readonly source: string },
  ): Promise<Quarantine> {
    if (disk.stat(source)?.isFolder !== true) {
      throw new Error(`Cannot move pictures from "${source}": there is no such folder`);
    }
    const asked = isWithin(folder, source);
    if (!asked) disk.makeFolder(folder);
    if (asked || isWithin(disk.realPath(folder), disk.realPath(source))) {
      throw new Error(
        `Cannot move pictures from "${source}" to "${folder}": it is, or holds, the scanned folder`,
      );
    }
    const { entries, isTorn } = await readQuarantine(disk, folder);
    // A folder with a manifest is passed over by scans, also where it lies in what they scan.
    await writeManifest(disk, folder, await readManifest(disk, folder));
    if (isTorn) await disk.append(join(folder, quarantineJournal), newline);
    return new Quarantine(disk, folder, source, entries);
  }

  /** Moves one picture, if all that is promised holds. */
  async take(moving: Moving): Promise<Moved> {
    const problem = await this.#problemWith(moving) ?? await this.#problemWithKept(moving);
    if (problem !== undefined) return { refused: problem };
    const { name, sha256, kept, reason } = moving;
    const from = join(this.source, name);
    const known = await this.#unfinished(moving);
    if (known !== undefined) {
      this.disk.remove(from); // the journal has it, and its bytes were just compared
      return { file: known };
    }
    const file = this.#freeName(name, sha256);
    if (file === undefined) return { refused: `something is in the way in "${this.folder}"` };
    const entry: QuarantineEntry = {
      event: "move",
      file,
      source: this.source,
      name,
      sha256,
      kept: kept?.name ?? null,
      reason,
    };
    const to = join(this.folder, file);
    this.disk.makeFolder(dirname(to));
    if (!isPlainWay(this.disk, this.folder, file)) {
      return { refused: `a link in "${this.folder}" leads elsewhere` };
    }
    await appendEntry(this.disk, this.folder, entry);
    await this.disk.move(from, to);
    this.#known.set(file, entry);
    return { file };
  }

  /** Why a file is not one to be moved; undefined where it is. */
  async #problemWith({ name, sha256: judged }: Pick<Moving, "name" | "sha256">) {
    const problem = nameProblem(name);
    if (problem !== undefined) return `its name is none in "${this.source}": ${problem}`;
    const path = join(this.source, name);
    const stat = this.disk.stat(path, { followLinks: false });
    if (stat === undefined) return "it is not there any more";
    if (stat.isSymlink) return "it is a symbolic link";
    if (!stat.isFile) return "it is not a file";
    if (!isPlainWay(this.disk, this.source, name)) {
      return `a link leads to it, and it is outside of "${this.source}"`;
    }
    if (sha256(await this.disk.read(path)) !== judged) {
      return "it was changed since it was judged (run again)";
    }
    return undefined;
  }

  async #problemWithKept({ name, kept }: Moving): Promise<string | undefined> {
    if (kept === undefined) return undefined;
    if (kept.name === name) return "it would be kept instead of itself";
    const path = join(this.source, kept.name);
    const stat = this.disk.stat(path, { followLinks: false });
    const look = stat && `${stat.inode} ${stat.size} ${stat.mtimeMs}`;
    if (look !== undefined && this.#checked.get(kept.name) === look) return undefined;
    const problem = await this.#problemWith(kept);
    if (problem !== undefined) return `"${kept.name}", which is to be kept for it: ${problem}`;
    this.#checked.set(kept.name, look!);
    return undefined;
  }

  /** Where a move that was ended in the middle has put the same bytes already. */
  async #unfinished({ name, sha256: judged }: Moving): Promise<string | undefined> {
    for (const file of [name, marked(name, judged)]) {
      const entry = this.#known.get(file);
      if (entry?.sha256 !== judged || entry.source !== this.source || entry.name !== name) continue;
      const path = join(this.folder, file);
      if (!isFile(this.disk, path)) continue;
      if (sha256(await this.disk.read(path)) === judged) return file;
    }
    return undefined;
  }

  #freeName(name: string, hash: string): string | undefined {
    return [name, marked(name, hash)].find((file) =>
      !isOwnFile(file) &&
      this.disk.stat(join(this.folder, file), { followLinks: false }) === undefined
    );
  }
}

/** How a picture's way back ended. */
export type Restored =
  | { readonly outcome: "restored"; readonly hasChanged: boolean }
  | { readonly outcome: "in_place"; readonly isInBoth: boolean }
  | { readonly outcome: "kept_back"; readonly problem: string };

/**
 * Moves a file of a quarantine back to where it was. Nothing is written over: where something else has
 * its name, it stays in the quarantine.
 */
export async function restore(
  disk: Disk,
  folder: string,
  entry: QuarantineEntry,
): Promise<Restored> {
  const [held, home] = [join(folder, entry.file), join(entry.source, entry.name)];
  const isHeld = isFile(disk, held);
  const atHome = disk.stat(home, { followLinks: false });
  if (atHome !== undefined) {
    const isSame = atHome.isFile && sha256(await disk.read(home)) === entry.sha256;
    if (isSame) return { outcome: "in_place", isInBoth: isHeld };
    return { outcome: "kept_back", problem: `something else is at "${home}"` };
  }
  if (disk.stat(entry.source)?.isFolder !== true) {
    const problem = `there is no folder "${entry.source}" (say where it is now with --source)`;
    return { outcome: "kept_back", problem };
  }
  if (!isHeld) return { outcome: "kept_back", problem: `it is neither there nor at "${home}"` };
  disk.makeFolder(dirname(home));
  if (!isPlainWay(disk, entry.source, entry.name)) {
    return { outcome: "kept_back", problem: `a link in "${entry.source}" leads elsewhere` };
  }
  const hasChanged = sha256(await disk.read(held)) !== entry.sha256;
  await appendEntry(disk, folder, { ...entry, event: "restore" });
  await disk.move(held, home);
  return { outcome: "restored", hasChanged };
}

const newline = new TextEncoder().encode("\n");

async function appendEntry(disk: Disk, folder: string, entry: QuarantineEntry): Promise<void> {
  const line = new TextEncoder().encode(`${JSON.stringify(entry)}\n`);
  await disk.append(join(folder, quarantineJournal), line);
}

/** `sub/a.jpg` as `sub/a.1f2e3d4c.jpg`, for a second file of that name. */
function marked(name: string, hash: string): string {
  const end = extname(name);
  return `${name.slice(0, name.length - end.length)}.${hash.slice(0, 8)}${end}`;
}

function isOwnFile(file: string): boolean {
  return file === quarantineJournal || file.startsWith(".tintype-");
}

function isFile(disk: Disk, path: string): boolean {
  return disk.stat(path, { followLinks: false })?.isFile ?? false;
}

/** Whether no link stands on the way from a folder to what has a name in it. */
function isPlainWay(disk: Disk, folder: string, name: string): boolean {
  const path = dirname(join(folder, name));
  return disk.realPath(path) === resolve(disk.realPath(folder), relative(folder, path));
}

/** Whether a folder is another one, or has it somewhere in it. */
function isWithin(folder: string, inner: string): boolean {
  const way = relative(folder, inner);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
