import { join } from "node:path";
import { UnreadableCache } from "./cache_file.ts";
import { CacheLedger, refsOf } from "./cache_ledger.ts";
import { type Disk, temporaryPrefix } from "./disk.ts";
import {
  filesBelow,
  gatherNeeds,
  neededHashes,
  neededKeys,
  noteFiles,
  type RunNeeds,
  type StoreFile,
  storeFiles,
  sumNeeds,
} from "./needs.ts";
import { listRuns, readLock, type RunRecord, summarizeRun } from "./records.ts";

export interface CollectionRules {
  /** Runs that began longer ago may go. */
  readonly olderThanMs?: number;
  /** Runs go, the oldest first, until the workspace has at most so many bytes. */
  readonly maxBytes?: number;
  /** The newest runs of each recipe that stay whatever their age and size; 1 when left out. */
  readonly keepRuns?: number;
}

/** A run that clearing up would take away. */
export interface DroppedRun {
  readonly run: string;
  readonly recipe: string;
  /** What nothing that stays needs as well. */
  readonly bytes: number;
}

/** What clearing up takes, or would take. */
export interface Collection {
  readonly isApplied: boolean;
  /** It was told to stop; what is left can be cleared up another time. */
  readonly isInterrupted: boolean;
  readonly kept: readonly string[];
  readonly dropped: readonly DroppedRun[];
  /** Results that no kept run needs. */
  readonly tasks: number;
  /** Artifacts that no kept run needs. */
  readonly artifacts: number;
  /** Half-written files and remains of runs. */
  readonly leftovers: number;
  readonly freedBytes: number;
  /** The workspace without its quarantine, before and after. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** What is asked for cannot be reached: the kept runs alone take this much. */
  readonly tooLargeBytes?: number;
}

export interface CollectionEffects {
  readonly workspace: string;
  readonly disk: Disk;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** Fires when it is to stop: what has begun is finished. */
  readonly signal: AbortSignal;
}

/** What a workspace holds, and what of it clearing up by the rules would take. Changes nothing. */
export function planCollection(rules: CollectionRules, effects: CollectionEffects): Collection {
  using survey = new Survey(rules, effects, { readOnly: true });
  return survey.result({ isApplied: false, isInterrupted: false });
}

/**
 * Clears a workspace up by the rules. Runs go first, then results, then the artifacts that nothing names
 * any more: wherever it is broken off, what is there is whole. To be called with the workspace locked.
 */
export async function applyCollection(
  rules: CollectionRules,
  effects: CollectionEffects,
): Promise<Collection> {
  using survey = new Survey(rules, effects, { readOnly: false });
  await survey.remove();
  const isInterrupted = effects.signal.aborted;
  return survey.result({ isApplied: true, isInterrupted });
}

/** From this share of the cache's content on, writing its file anew is worth the time. */
const emptyShare = 0.1;

/** Files that are removed before others get their turn. */
const filesAtOnce = 100;

/** The workspace as it is, weighed by what each run needs. */
class Survey implements Disposable {
  readonly ledger: CacheLedger;
  /** Those that stay whatever happens first, else the newest first. */
  readonly #runs: readonly RankedRun[];
  readonly #keptCount: number;
  readonly #files: readonly StoreFile[];
  readonly #leftovers: readonly { readonly path: string; readonly bytes: number }[];
  readonly #counts: { readonly tasks: number; readonly artifacts: number };
  readonly #sums: readonly RunNeeds[];
  readonly #bytesBefore: number;
  readonly #freedBytes: number;

  constructor(
    readonly rules: CollectionRules,
    readonly effects: CollectionEffects,
    { readOnly }: { readonly readOnly: boolean },
  ) {
    const { workspace, disk } = effects;
    this.ledger = openLedger(workspace, readOnly);
    try {
      this.#runs = rankedRuns(rules, effects);
      const { files, leftovers } = filesOf(workspace, disk);
      this.#files = files;
      this.#leftovers = [...leftovers, ...remainsOfRuns(workspace, disk)];
      const records = this.#runs.map(({ record }) => record);
      gatherNeeds(this.ledger, records);
      this.#sums = sumNeeds(this.ledger, records, { files, disk });
      this.#keptCount = this.#countKept();
      this.#forgetDropped();
      this.#counts = this.#countUnneeded();
      this.#bytesBefore = workspaceBytes(workspace, disk);
      this.#freedBytes = this.#unneededBytes();
    } catch (error) {
      this.ledger.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.ledger.close();
  }

  get #kept(): readonly RankedRun[] {
    return this.#runs.slice(0, this.#keptCount);
  }

  get #dropped(): readonly RankedRun[] {
    return this.#runs.slice(this.#keptCount);
  }

  /** How many of the ranked runs stay. */
  #countKept(): number {
    const { olderThanMs, maxBytes, keepRuns } = this.rules;
    const isAsked = olderThanMs !== undefined || maxBytes !== undefined;
    const fixed = this.#runs.filter(({ stays }) => stays).length;
    // Alone, it says which runs there are to be.
    if (!isAsked) return keepRuns === undefined ? this.#runs.length : fixed;
    const oldestMs = olderThanMs === undefined ? -Infinity : this.effects.nowMs - olderThanMs;
    const young =
      this.#runs.filter(({ stays, startedMs }) => stays || startedMs >= oldestMs).length;
    let count = 0;
    for (let bytes = fixedBytes(this.effects, this.ledger); count < young; count++) {
      bytes += this.#sums[count]!.newBytes;
      if (count >= fixed && bytes > (maxBytes ?? Infinity)) break;
    }
    return count;
  }

  /** What only runs need that do not stay is not needed. */
  #forgetDropped() {
    for (const table of [neededKeys, neededHashes]) {
      this.ledger.database.prepare(`DELETE FROM ${table} WHERE first >= ?`).run(this.#keptCount);
    }
  }

  #countUnneeded() {
    const count = (sql: string) => Number(this.ledger.database.prepare(sql).get()!["n"]);
    const without = (needed: string, column: string) =>
      `WHERE ${column} NOT IN (SELECT name FROM ${needed})`;
    return {
      tasks: count(`SELECT count(*) AS n FROM tasks ${without(neededKeys, "key")}`),
      artifacts: count(`SELECT count(*) AS n FROM blobs ${without(neededHashes, "hash")}`) +
        count(`SELECT count(*) AS n FROM temp.store_files ${without(neededHashes, "hash")}`),
    };
  }

  #unneededBytes(): number {
    const needed = this.#sums.slice(0, this.#keptCount).reduce(
      (sum, each) => sum + each.newBytes,
      0,
    );
    const fixed = fixedBytes(this.effects, this.ledger);
    return Math.max(0, this.#bytesBefore - needed - fixed);
  }

  result(ended: Pick<Collection, "isApplied" | "isInterrupted">): Collection {
    const { workspace, disk } = this.effects;
    const after = ended.isApplied
      ? workspaceBytes(workspace, disk)
      : this.#bytesBefore - this.#freedBytes;
    const { maxBytes } = this.rules;
    return {
      ...ended,
      kept: this.#kept.map(({ record }) => record.id).sort(),
      dropped: this.#dropped.map(({ record, recipe }, index) => ({
        run: record.id,
        recipe,
        bytes: this.#sums[this.#keptCount + index]!.newBytes,
      })).reverse(),
      ...this.#counts,
      leftovers: this.#leftovers.length,
      freedBytes: ended.isApplied ? Math.max(0, this.#bytesBefore - after) : this.#freedBytes,
      bytesBefore: this.#bytesBefore,
      bytesAfter: after,
      tooLargeBytes: maxBytes !== undefined && after > maxBytes ? after : undefined,
    };
  }

  async remove(): Promise<void> {
    const { disk, signal } = this.effects;
    const mayGoOn = async () => {
      await new Promise((resolve) => setTimeout(resolve, 0)); // for whoever may want to stop it
      return !signal.aborted;
    };
    const before = this.ledger.sizes();
    for (const { path } of this.#leftovers) if (await mayGoOn()) removeAll(disk, path);
    for (const { record } of this.#dropped.toReversed()) {
      if (await mayGoOn()) removeRun(disk, record);
    }
    // Results before artifacts: a result whose artifact is gone would have to be found out.
    await this.ledger.removeUnneeded("tasks", neededKeys, mayGoOn);
    if (await mayGoOn()) this.ledger.removeLooseEnds();
    await this.ledger.removeUnneeded("blobs", neededHashes, mayGoOn);
    await this.#removeFiles(mayGoOn);
    // Keys are random, so what is removed leaves every page a little emptier, and none quite empty.
    const { content } = this.ledger.sizes();
    const isWorth = before.content - content > before.content * emptyShare ||
      (this.rules.maxBytes !== undefined && content < before.content);
    if (isWorth && await mayGoOn()) this.ledger.compact();
  }

  async #removeFiles(mayGoOn: () => Promise<boolean>) {
    const isNeeded = this.ledger.database.prepare(`SELECT 1 FROM ${neededHashes} WHERE name = ?`);
    for (const [index, { hash, path }] of this.#files.entries()) {
      if (index % filesAtOnce === 0 && !await mayGoOn()) return;
      if (isNeeded.get(hash) === undefined) this.effects.disk.remove(path);
    }
  }
}

interface RankedRun {
  readonly record: RunRecord;
  readonly recipe: string;
  readonly startedMs: number;
  readonly stays: boolean;
}

/** The runs with what stays in front, each part the newest first. */
function rankedRuns(rules: CollectionRules, { workspace, nowMs }: CollectionEffects): RankedRun[] {
  const perRecipe = new Map<string, number>();
  const keepRuns = rules.keepRuns ?? 1;
  const runs = listRuns(workspace).reverse().map((record, index): RankedRun => {
    const summary = summarizeRun(record);
    const recipe = summary?.recipe ?? readLock(record.folder)?.recipe ?? "";
    const before = perRecipe.get(recipe) ?? 0;
    perRecipe.set(recipe, before + 1);
    const startedMs = Date.parse(summary?.startedAt ?? "");
    // The newest may be at work this moment; one without a beginning has no age to go by.
    const isOpen = index === 0 && summary?.status === "unfinished";
    return {
      record,
      recipe,
      startedMs: Number.isFinite(startedMs) ? startedMs : nowMs,
      stays: before < keepRuns || isOpen,
    };
  });
  return [...runs.filter(({ stays }) => stays), ...runs.filter(({ stays }) => !stays)];
}

function openLedger(workspace: string, readOnly: boolean): CacheLedger {
  const path = join(workspace, "cache.sqlite");
  try {
    return CacheLedger.open(path, { readOnly });
  } catch (error) {
    throw new UnreadableCache(path, error);
  }
}

function filesOf(workspace: string, disk: Disk) {
  return storeFiles(disk, join(workspace, "store"), (name) => name.startsWith(temporaryPrefix));
}

/** Folders of runs whose journal is gone: their removal was broken off, or their beginning. */
function remainsOfRuns(workspace: string, disk: Disk) {
  const folder = join(workspace, "runs");
  if (disk.stat(folder)?.isFolder !== true) return [];
  const whole = new Set(listRuns(workspace).map(({ id }) => id));
  return disk.list(folder).filter(({ name, isFolder }) => isFolder && !whole.has(name))
    .map(({ name }) => ({ path: join(folder, name), bytes: 0 }));
}

/** The journal goes first: without it the folder is no run any more. */
function removeRun(disk: Disk, { folder }: RunRecord) {
  disk.remove(join(folder, "journal.jsonl"));
  removeAll(disk, folder);
}

function removeAll(disk: Disk, path: string) {
  const stat = disk.stat(path, { followLinks: false });
  if (stat?.isFolder && !stat.isSymlink) {
    for (const { name } of disk.list(path)) removeAll(disk, join(path, name));
  }
  disk.remove(path);
}

/** All that a workspace takes, each file once, without what was set aside. */
function workspaceBytes(workspace: string, disk: Disk): number {
  if (disk.stat(workspace)?.isFolder !== true) return 0;
  const seen = new Map<string, number>();
  for (const { name, isFolder } of disk.list(workspace)) {
    const path = join(workspace, name);
    if (name === "quarantine") continue;
    if (isFolder) { for (const { id, bytes } of filesBelow(disk, path)) seen.set(id, bytes); }
    else seen.set(path, disk.stat(path, { followLinks: false })?.size ?? 0);
  }
  return [...seen.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** What is there whatever the runs need: the stat index, an empty database, the lock. */
function fixedBytes({ workspace, disk }: CollectionEffects, ledger: CacheLedger): number {
  if (disk.stat(workspace)?.isFolder !== true) return 0;
  const files = disk.list(workspace).filter(({ isFile }) => isFile)
    .reduce((sum, { name }) => sum + (disk.stat(join(workspace, name))?.size ?? 0), 0);
  const { used, content, rest } = ledger.sizes();
  // Results and artifacts are weighed with their share of the file; the rest of it stays.
  const share = content + rest === 0 ? 1 : rest / (content + rest);
  const cache = ["", "-wal"].reduce(
    (sum, end) => sum + (disk.stat(ledger.path + end)?.size ?? 0),
    0,
  );
  return Math.max(0, files - cache) + Math.round(used * share);
}

/** What a workspace holds. */
export interface WorkspaceStats {
  readonly results: number;
  readonly artifacts: number;
  readonly storeBytes: number;
  readonly cacheBytes: number;
  readonly runsBytes: number;
  readonly quarantineBytes: number;
  readonly steps: readonly StepStats[];
  readonly runs: readonly RunStats[];
  /** What clearing up without any rules would give back. */
  readonly freeableBytes: number;
}

export interface StepStats {
  readonly step: string;
  readonly results: number;
  /** Artifacts that no step before it made, with their bytes. */
  readonly artifacts: number;
  readonly bytes: number;
}

export interface RunStats {
  readonly run: string;
  readonly recipe: string;
  readonly tasks: number;
  /** What only this run needs. */
  readonly ownBytes: number;
}

/** Weighs a workspace. Changes nothing. */
export function workspaceStats(effects: CollectionEffects): WorkspaceStats {
  const { workspace, disk } = effects;
  using ledger = openLedgerToRead(workspace);
  const records = listRuns(workspace);
  const { files } = filesOf(workspace, disk);
  const counts = gatherNeeds(ledger, records);
  const sums = sumNeeds(ledger, records, { files, disk });
  const sizeOf = (name: string) => {
    const path = join(workspace, name);
    if (disk.stat(path)?.isFolder !== true) return 0;
    const found = new Map([...filesBelow(disk, path)].map(({ id, bytes }) => [id, bytes]));
    return [...found.values()].reduce((sum, bytes) => sum + bytes, 0);
  };
  const steps = stepStats(ledger, files);
  const blobs = Number(ledger.database.prepare("SELECT count(*) AS n FROM blobs").get()!["n"]);
  return {
    results: steps.reduce((sum, each) => sum + each.results, 0),
    artifacts: blobs + files.length,
    storeBytes: sizeOf("store"),
    cacheBytes: ["", "-wal", "-shm"].reduce(
      (sum, end) => sum + (disk.stat(`${ledger.path}${end}`)?.size ?? 0),
      0,
    ),
    runsBytes: sizeOf("runs"),
    quarantineBytes: sizeOf("quarantine"),
    steps,
    runs: records.map((record, index) => ({
      run: record.id,
      recipe: readLock(record.folder)?.recipe ?? "",
      tasks: counts[index]!.tasks,
      ownBytes: sums[index]!.ownBytes,
    })),
    freeableBytes: Math.max(
      0,
      workspaceBytes(workspace, disk) - fixedBytes(effects, ledger) -
        sums.reduce((sum, { newBytes }) => sum + newBytes, 0),
    ),
  };
}

function openLedgerToRead(workspace: string): CacheLedger & Disposable {
  const ledger = openLedger(workspace, true);
  return Object.assign(ledger, { [Symbol.dispose]: () => ledger.close() });
}

/** Results and artifacts by step; an artifact that was passed on counts for the first that has it. */
function stepStats(ledger: CacheLedger, files: readonly StoreFile[]): StepStats[] {
  noteFiles(ledger, files);
  ledger.database.exec(`DROP TABLE IF EXISTS temp.made;
    CREATE TABLE temp.made (hash TEXT PRIMARY KEY, step TEXT) WITHOUT ROWID`);
  const made = ledger.database.prepare("INSERT OR IGNORE INTO temp.made VALUES (?, ?)");
  const results = new Map<string, number>();
  ledger.database.exec("BEGIN");
  for (const { step, result } of ledger.tasks()) {
    results.set(step, (results.get(step) ?? 0) + 1);
    for (const { hash } of refsOf(result)) made.run(hash, step);
  }
  ledger.database.exec("COMMIT");
  const rows = ledger.database.prepare(
    `SELECT step, count(*) AS artifacts, sum(bytes) AS bytes FROM temp.made JOIN
      (SELECT hash, bytes FROM temp.store_files UNION SELECT hash, length(bytes) FROM blobs)
      USING (hash) GROUP BY step`,
  ).all();
  const sums = new Map(rows.map((row) => [String(row["step"]), row]));
  return [...results].map(([step, count]) => ({
    step,
    results: count,
    artifacts: Number(sums.get(step)?.["artifacts"] ?? 0),
    bytes: Number(sums.get(step)?.["bytes"] ?? 0),
  })).sort((a, b) => b.bytes - a.bytes || (a.step < b.step ? -1 : 1));
}
