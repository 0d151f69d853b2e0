import { join } from "node:path";
import { type CacheLedger, refsOf } from "./cache_ledger.ts";
import type { Disk } from "./disk.ts";
import { readJournal } from "./journal.ts";
import { readLock, type RunRecord } from "./records.ts";
import { parseResult } from "./stored_result.ts";

/** What one run needs: the sums are over what lies in the workspace. */
export interface RunNeeds {
  /** Bytes that no run before it in the order needs: all of them together are what must stay. */
  readonly newBytes: number;
  /** Bytes that no other run needs. */
  readonly ownBytes: number;
}

/** A file of the store. */
export interface StoreFile {
  readonly hash: string;
  readonly path: string;
  readonly bytes: number;
}

/** Temporary tables of the ledger's connection: a name, and the first and last run that needs it. */
export const neededKeys = "temp.needed_keys";
export const neededHashes = "temp.needed_hashes";

/**
 * Notes which results and artifacts the runs need, in the ledger's temporary tables. A run needs the
 * results that its journal names, with what they are made of and what they made; one that was broken
 * off may have results that its journal does not tell of, so it needs all that its recipe had last.
 * Gives how many tasks each run settled. Throws where a journal cannot be read: nothing may be taken away then.
 */
export function gatherNeeds(
  ledger: CacheLedger,
  runs: readonly RunRecord[],
): readonly { readonly tasks: number }[] {
  const keys = new Needed();
  const hashes = new Needed();
  const counts = runs.map((run, rank) => ({ tasks: noteRun(ledger, run, { keys, hashes, rank }) }));
  keys.write(ledger, neededKeys);
  noteArtifacts(ledger, hashes);
  hashes.write(ledger, neededHashes);
  return counts;
}

/** Names that are bound into one statement: a call costs more than a row. */
const namesAtOnce = 500;

/** Names with the first and the last run that needs each, gathered before SQLite hears of them. */
class Needed {
  readonly #ranks = new Map<string, readonly [first: number, last: number]>();

  note(name: string, first: number, last: number): void {
    const known = this.#ranks.get(name);
    if (known === undefined) this.#ranks.set(name, [first, last]);
    else if (first < known[0] || last > known[1]) {
      this.#ranks.set(name, [Math.min(first, known[0]), Math.max(last, known[1])]);
    }
  }

  write({ database }: CacheLedger, table: string): void {
    database.exec(`DROP TABLE IF EXISTS ${table};
      CREATE TABLE ${table} (name TEXT PRIMARY KEY, first INTEGER, last INTEGER) WITHOUT ROWID`);
    const insert = database.prepare(
      `INSERT INTO ${table} SELECT value->>0, value->>1, value->>2 FROM json_each(?)`,
    );
    const rows: (readonly [string, number, number])[] = [];
    const flush = () => void insert.run(JSON.stringify(rows.splice(0)));
    database.exec("BEGIN");
    for (const [name, [first, last]] of this.#ranks) {
      rows.push([name, first, last]);
      if (rows.length === namesAtOnce) flush();
    }
    flush();
    database.exec("COMMIT");
  }
}

interface Notes {
  readonly keys: Needed;
  readonly hashes: Needed;
  readonly rank: number;
}

/** Gives how many tasks the run settled. */
function noteRun(ledger: CacheLedger, run: RunRecord, { keys, hashes, rank }: Notes): number {
  let isFinished = false;
  let count = 0;
  try {
    for (const entry of readJournal(join(run.folder, "journal.jsonl"))) {
      if (entry.type === "run-finished") isFinished = true;
      if (entry.type !== "task-settled") continue;
      count++;
      if (entry.key !== undefined) keys.note(entry.key, rank, rank);
      for (const output of Object.values(entry.outputs ?? {})) {
        // One reference, or one an item.
        const refs = typeof output.hash === "string" ? [output] : Object.values(output);
        for (const { hash } of refs as { readonly hash: string }[]) hashes.note(hash, rank, rank);
      }
    }
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Cannot tell what run "${run.id}" needs: its journal cannot be read, ${words} ` +
        `(remove "${run.folder}" to give that run up)`,
    );
  }
  const recipe = isFinished ? undefined : readLock(run.folder)?.recipe;
  for (const each of recipe === undefined ? [] : ledger.latestKeys(recipe)) {
    keys.note(each, rank, rank);
  }
  return count;
}

/** What the needed results are made of, and what they made. */
function noteArtifacts({ database }: CacheLedger, hashes: Needed) {
  const rows = database.prepare(
    `SELECT inputs, result, first, last FROM tasks JOIN ${neededKeys} ON name = key`,
  ).iterate();
  for (const { inputs, result, first, last } of rows) {
    const [from, to] = [Number(first), Number(last)];
    try {
      for (const { hash } of refsOf(parseResult(String(result)))) hashes.note(hash, from, to);
      for (const each of Object.values(JSON.parse(String(inputs)))) {
        hashes.note(String(each), from, to);
      }
    } catch (error) {
      // A damaged row is made anew with all that it had; `verify` speaks of it.
      if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
    }
  }
}

/** The files of a store, and the temporary ones that a killed run left. */
export function storeFiles(
  disk: Disk,
  folder: string,
  isTemporary: (name: string) => boolean,
): { readonly files: StoreFile[]; readonly leftovers: StoreFile[]; readonly foreign: string[] } {
  const found = { files: [] as StoreFile[], leftovers: [] as StoreFile[], foreign: [] as string[] };
  if (disk.stat(folder)?.isFolder !== true) return found;
  for (const shard of disk.list(folder)) {
    const below = join(folder, shard.name);
    if (!shard.isFolder) {
      found.foreign.push(below);
      continue;
    }
    for (const { name } of disk.list(below)) {
      const path = join(below, name);
      const stat = disk.stat(path, { followLinks: false });
      if (stat === undefined) continue; // renamed this moment
      const file = { hash: shard.name + name, path, bytes: stat.size };
      if (isTemporary(name)) found.leftovers.push(file);
      else if (stat.isFile && /^[0-9a-f]{64}$/.test(file.hash)) found.files.push(file);
      else found.foreign.push(path);
    }
  }
  return found;
}

/** Sums what each run needs, after `gatherNeeds`, for as many runs as that was given. */
export function sumNeeds(
  ledger: CacheLedger,
  runs: readonly RunRecord[],
  { files, disk }: { readonly files: readonly StoreFile[]; readonly disk: Disk },
): readonly RunNeeds[] {
  const { database } = ledger;
  noteFiles(ledger, files);
  const { used, content, rest } = ledger.sizes();
  const overhead = used / Math.max(1, content + rest);
  const own = new Array<number>(runs.length).fill(0);
  const fresh = new Array<number>(runs.length).fill(0);
  const add = (sql: string, factor: number) => {
    for (const { first, last, bytes } of database.prepare(sql).iterate()) {
      fresh[Number(first)]! += Number(bytes) * factor;
      if (first === last) own[Number(first)]! += Number(bytes) * factor;
    }
  };
  const bytesOf = (size: string, table: string, needed: string, column: string) =>
    `SELECT first, last, sum(${size}) AS bytes FROM ${table} JOIN ${needed}
      ON name = ${column} GROUP BY first, last`;
  const row = "length(key) + length(inputs) + length(result)";
  add(bytesOf(row, "tasks", neededKeys, "key"), overhead);
  add(bytesOf("2 * length(hash) + length(bytes)", "blobs", neededHashes, "hash"), overhead);
  add(bytesOf("bytes", "temp.store_files", neededHashes, "hash"), 1);
  for (const { first, last, bytes } of folderFiles(disk, runs)) {
    fresh[first]! += bytes;
    if (first === last) own[first]! += bytes;
  }
  return runs.map((_, rank) => ({
    newBytes: Math.round(fresh[rank]!),
    ownBytes: Math.round(own[rank]!),
  }));
}

/** Notes the store's files beside the needs, so that both can be asked together. */
export function noteFiles({ database }: CacheLedger, files: readonly StoreFile[]): void {
  database.exec(`DROP TABLE IF EXISTS temp.store_files;
    CREATE TABLE temp.store_files (hash TEXT PRIMARY KEY, bytes INTEGER) WITHOUT ROWID`);
  const insert = database.prepare("INSERT OR IGNORE INTO temp.store_files VALUES (?, ?)");
  database.exec("BEGIN");
  for (const { hash, bytes } of files) insert.run(hash, bytes);
  database.exec("COMMIT");
}

/** The files of the runs' folders, each once: tables that are the same are one file with many names. */
function folderFiles(disk: Disk, runs: readonly RunRecord[]) {
  const files = new Map<string, { first: number; last: number; readonly bytes: number }>();
  runs.forEach((run, rank) => {
    for (const { id, bytes } of filesBelow(disk, run.folder)) {
      const known = files.get(id);
      if (known === undefined) files.set(id, { first: rank, last: rank, bytes });
      else known.last = rank;
    }
  });
  return files.values();
}

/** Every file below a folder; `id` is the same for names of one file. Links are not followed. */
export function* filesBelow(
  disk: Disk,
  folder: string,
): Iterable<{ readonly path: string; readonly id: string; readonly bytes: number }> {
  for (const { name, isFolder } of disk.list(folder)) {
    const path = join(folder, name);
    const stat = disk.stat(path, { followLinks: false });
    if (stat === undefined) continue;
    if (isFolder && !stat.isSymlink) yield* filesBelow(disk, path);
    else yield { path, id: `${stat.device}:${stat.inode || path}`, bytes: stat.size };
  }
}
