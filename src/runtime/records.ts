import { join } from "node:path";
import type { Counts, ItemCounts, RunEvent } from "./event.ts";
import type { Json } from "./hash.ts";
import { nearest } from "./suggestion.ts";
import type { PreviousTables } from "./tables.ts";

/** A run's folder in a workspace. */
export interface RunRecord {
  readonly id: string;
  readonly folder: string;
}

/** `lock.json`: what a run was made of, so that it can be told apart and done again. */
export interface RunLock {
  readonly recipe: string;
  readonly settings: Readonly<Record<string, Json>>;
  /** Where relative paths of the recipe and its settings began; in no key. */
  readonly cwd?: string;
  /** The recipe's file, for the steps beside it; in no key. */
  readonly path?: string;
  /** What the run was limited to, if anything. */
  readonly limit?: number;
  readonly until?: string;
  readonly shard?: string;
  readonly tintype: string;
  readonly deno: string;
  /** The nodes whose items are the run's `items`. */
  readonly sources: readonly string[];
  readonly nodes: readonly {
    readonly id: string;
    readonly step: string;
    readonly version: number | string;
    readonly params: Readonly<Record<string, Json>>;
    readonly tools: Readonly<Record<string, string>>;
  }[];
  /**
   * By table of the scans, one sha256 over items and content hashes; `tables/<table>.hashes` has
   * each. Written when the run has come to its end.
   */
  readonly inputs?: Readonly<Record<string, string>>;
  /** The same of all other tables. */
  readonly outputs?: Readonly<Record<string, string>>;
}

/** A run as a line of a list. */
export interface RunSummary {
  readonly run: string;
  readonly recipe: string;
  readonly path: string;
  /** Which part of the items it did, such as `2/4`. */
  readonly shard?: string;
  readonly startedAt: string;
  /** `unfinished`: still at work, or broken off. */
  readonly status: "complete" | "failed" | "waiting" | "interrupted" | "unfinished";
  readonly counts?: Counts;
  /** How many items it left out, or failed at; runs of earlier versions have only tasks. */
  readonly items?: ItemCounts;
  readonly elapsedMs?: number;
}

/** The runs of a workspace, oldest first (their names sort by time). */
export function listRuns(workspace: string): RunRecord[] {
  const folder = join(workspace, "runs");
  let entries: Deno.DirEntry[];
  try {
    entries = Array.from(Deno.readDirSync(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isDirectory)
    .map((entry) => ({ id: entry.name, folder: join(folder, entry.name) }))
    .filter((run) => isFile(join(run.folder, "journal.jsonl")))
    .sort((a, b) => a.id < b.id ? -1 : 1);
}

/** Which runs there are, in brackets behind the name of one that is not there; "" where there is none. */
export function otherRuns(runs: readonly RunRecord[], name: string): string {
  const ids = runs.map(({ id }) => id);
  const near = nearest(name, ids);
  if (near !== undefined) return ` (did you mean "${near}"?)`;
  return ids.length === 0 ? "" : ` (the newest are ${ids.slice(-3).join(", ")})`;
}

export function readLock(folder: string): RunLock | undefined {
  return readJson(join(folder, "lock.json")) as RunLock | undefined;
}

/** The tables of the newest run of a recipe that has them. */
export function previousTables(workspace: string, recipe: string): PreviousTables | undefined {
  for (const run of listRuns(workspace).reverse()) {
    if (readLock(run.folder)?.recipe !== recipe) continue;
    const folder = join(run.folder, "tables");
    const digests = readJson(join(folder, "index.json"));
    if (digests !== undefined) return { folder, digests: digests as Record<string, string> };
  }
  return undefined;
}

/** A run's first and last journal lines: what `tintype runs` shows. */
export function summarizeRun(run: RunRecord): RunSummary | undefined {
  const { first, last } = endsOf(join(run.folder, "journal.jsonl"));
  if (first?.type !== "run-started") return undefined;
  const finished = last?.type === "run-finished" ? last : undefined;
  return {
    run: run.id,
    recipe: first.recipe,
    path: first.path,
    shard: first.shard,
    startedAt: first.at,
    status: finished?.status ?? "unfinished",
    counts: finished?.counts,
    items: finished?.items,
    elapsedMs: finished?.elapsedMs,
  };
}

type Line = RunEvent & { readonly at: string };

/** Both ends of a journal, which may be large. */
function endsOf(path: string): { readonly first?: Line; readonly last?: Line } {
  const file = Deno.openSync(path);
  try {
    const size = file.statSync().size;
    const head = readAt(file, 0, Math.min(size, 1 << 20));
    const tail = readAt(file, Math.max(0, size - 65_536), Math.min(size, 65_536));
    return {
      first: parseLine(head.slice(0, Math.max(0, head.indexOf("\n")))),
      last: parseLine(tail.trimEnd().split("\n").at(-1) ?? ""),
    };
  } finally {
    file.close();
  }
}

function readAt(file: Deno.FsFile, offset: number, length: number): string {
  file.seekSync(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const count = file.readSync(bytes.subarray(at));
    if (count === null) break;
    at += count;
  }
  return new TextDecoder().decode(bytes.subarray(0, at));
}

function parseLine(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return undefined;
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(Deno.readTextFileSync(path));
  } catch {
    return undefined;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
