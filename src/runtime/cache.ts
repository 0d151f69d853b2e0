import type { DatabaseSync, StatementSync } from "node:sqlite";
import { cacheProblem, leaveWal, openCacheFile } from "./cache_file.ts";
import { canonicalJson, type ContentHash, type TaskKey } from "./hash.ts";
import type { FileStat } from "./disk.ts";
import { parseResult, type StoredResult, writeResult } from "./stored_result.ts";
import type { KeyParts, NodeParts } from "./task_key.ts";

export type { StoredBirth, StoredMember, StoredOutput, StoredResult } from "./stored_result.ts";

/** The last key that a task (a node on an item) had, by its parts. */
export interface PreviousTask {
  readonly key: string;
  readonly parts: KeyParts;
}

const formatVersion = "1";

/** SQLite's page size, and what a task takes with its share of everything else (measured). */
const pageBytes = 4096;
const taskBytes = 750;

/** So few are quicker asked one by one. */
const fewTasks = 500;

const trailsAtOnce = 500;

export const cacheSchema = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  -- What all tasks of a node share in their keys, stored once.
  CREATE TABLE IF NOT EXISTS signatures (id INTEGER PRIMARY KEY, parts TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS tasks (
    key TEXT PRIMARY KEY, signature INTEGER NOT NULL, inputs TEXT NOT NULL, item_name TEXT,
    result TEXT NOT NULL) WITHOUT ROWID;
  -- For "why": which key a node had on an item when it last ran.
  CREATE TABLE IF NOT EXISTS latest (
    node TEXT NOT NULL, item TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (node, item)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS blobs (hash TEXT PRIMARY KEY, bytes BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ms REAL NOT NULL, inode INTEGER NOT NULL,
    seen_ms REAL NOT NULL, hash TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS modules (path TEXT PRIMARY KEY, graph TEXT NOT NULL) WITHOUT ROWID;
  -- See trails.ts. They only repeat what is above, so whatever is taken away there ends them all.
  CREATE TABLE IF NOT EXISTS stages (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, parts TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS trails (
    stage INTEGER NOT NULL, path TEXT NOT NULL, trail TEXT NOT NULL, PRIMARY KEY (stage, path)
  ) WITHOUT ROWID;
  CREATE TRIGGER IF NOT EXISTS trails_without_task AFTER DELETE ON tasks
    BEGIN DELETE FROM trails; END;
  CREATE TRIGGER IF NOT EXISTS trails_of_other_result AFTER UPDATE ON tasks
    WHEN old.result <> new.result BEGIN DELETE FROM trails; END;
  CREATE TRIGGER IF NOT EXISTS trails_without_blob AFTER DELETE ON blobs
    BEGIN DELETE FROM trails; END;
  CREATE TRIGGER IF NOT EXISTS trails_of_other_file AFTER INSERT ON files
    BEGIN DELETE FROM trails WHERE stage IN (SELECT id FROM stages) AND path = new.path; END;
  CREATE TRIGGER IF NOT EXISTS trails_without_file AFTER DELETE ON files
    BEGIN DELETE FROM trails WHERE stage IN (SELECT id FROM stages) AND path = old.path; END;
`;

/** Writes are gathered into transactions of at most this many, or of this long. */
const writesPerTransaction = 500;
const transactionMs = 50;

/**
 * A file whose time is this near to when it was read may have been changed again within the clock's
 * step, so its entry is not trusted (as git does with its index).
 */
const racyMs = 50;

/** The action cache: task key → result, small artifacts, and the stat index, in one SQLite file. */
export class ActionCache {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #signatureIds = new Map<string, number>();
  #preloaded: Map<string, string> = new Map();
  #writes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Why the timer could not write, which nobody could be told. */
  #failure: unknown;

  private constructor(database: DatabaseSync, readonly isReadOnly: boolean) {
    this.#database = database;
  }

  /**
   * Opens or makes the file. `readOnly` leaves the disk untouched: where there is no file yet, an
   * empty cache in memory stands in, and also where it cannot be read because whoever wrote it was killed
   * and the folder is read-only. Throws `UnreadableCache` where it is damaged, and when the file was
   * written by a newer Tintype.
   */
  static open(path: string, options: { readonly readOnly?: boolean } = {}): ActionCache {
    const readOnly = options.readOnly ?? false;
    try {
      const database = openCacheFile(path, { readOnly, schema: cacheSchema });
      const cache = new ActionCache(database, readOnly);
      cache.#checkFormat(path);
      return cache;
    } catch (error) {
      throw cacheProblem(path, error);
    }
  }

  #checkFormat(path: string) {
    const row = this.#get("SELECT value FROM meta WHERE name = 'format'");
    if (row !== undefined && row["value"] !== formatVersion) {
      this.#database.close();
      throw new Error(
        `Cannot open cache "${path}": its format is ${
          row["value"]
        } (${formatVersion} is wanted); remove it, or use a matching Tintype`,
      );
    }
    if (row === undefined && !this.isReadOnly) {
      this.#run("INSERT INTO meta VALUES ('format', ?)", formatVersion);
    }
  }

  /** The result under a key. */
  result(key: TaskKey): StoredResult | undefined {
    const preloaded = this.#preloaded.get(key);
    if (preloaded !== undefined) {
      this.#preloaded.delete(key); // a copy of the same picture asks again: rarely, and one by one
      return parseResult(preloaded);
    }
    const row = this.#get("SELECT result FROM tasks WHERE key = ?", key);
    return row === undefined ? undefined : parseResult(row["result"] as string);
  }

  /**
   * Reads the results of some nodes in one query, for a run that is about to ask for `expected` of
   * them: 1 µs each instead of 5. A cache that holds much else is left to be asked one by one.
   */
  preload(nodes: readonly NodeParts[], expected: number): void {
    this.#preloaded = new Map();
    const pages = this.#get("PRAGMA page_count")!["page_count"] as number;
    const roughCount = pages * pageBytes / taskBytes;
    if (expected < fewTasks || roughCount > expected * 5) return;
    const ids = nodes.flatMap((parts) => this.#knownSignature(parts) ?? []);
    if (ids.length === 0) return;
    const query = this.#database.prepare(
      `SELECT key, result FROM tasks WHERE key >= ? AND key < ? AND signature IN (${
        ids.join(", ")
      })`,
    );
    // In sixteen parts, by the first digit: the rows of all at once would double the memory.
    for (const [at, digit] of [..."0123456789abcdef"].entries()) {
      const end = "123456789abcdefg"[at]!;
      const rows = query.all(digit, end) as unknown as { key: string; result: string }[];
      for (const { key, result } of rows) this.#preloaded.set(key, result);
    }
  }

  /** Lets go of what `preload` read. */
  unload(): void {
    this.#preloaded = new Map();
  }

  /** Keeps a result with the parts of its key, and as the latest of its task. */
  record(
    task: { readonly node: string; readonly item: string; readonly key: TaskKey },
    parts: KeyParts,
    result: StoredResult,
  ): void {
    this.adopt(task.key, parts, result);
    this.noteLatest(task);
  }

  /** Keeps a result without saying which task had it, such as one of another workspace. */
  adopt(key: TaskKey, parts: KeyParts, result: StoredResult): void {
    const id = this.#signatureId(parts);
    this.#preloaded.delete(key);
    this.#begin();
    this.#run(
      `INSERT INTO tasks VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET
         signature = excluded.signature, inputs = excluded.inputs,
         item_name = excluded.item_name, result = excluded.result`,
      key,
      id,
      canonicalJson(parts.inputs),
      parts.itemName ?? null,
      writeResult(result),
    );
  }

  /** Remembers which key a task has now, so that the next change can be told apart. */
  noteLatest(task: { readonly node: string; readonly item: string; readonly key: TaskKey }): void {
    this.#begin();
    this.#run("INSERT OR REPLACE INTO latest VALUES (?, ?, ?)", task.node, task.item, task.key);
  }

  /** The key that a task had when it last ran, and its parts if they are still there. */
  previous(node: string, item: string): PreviousTask | undefined {
    const row = this.#get(
      `SELECT latest.key, inputs, item_name, parts FROM latest
       LEFT JOIN tasks ON tasks.key = latest.key
       LEFT JOIN signatures ON signatures.id = tasks.signature
       WHERE latest.node = ? AND latest.item = ?`,
      node,
      item,
    );
    if (row === undefined || row["parts"] === null) return undefined;
    const shared = JSON.parse(row["parts"] as string) as NodeParts;
    const itemName = row["item_name"] as string | null;
    const inputs = JSON.parse(row["inputs"] as string) as Record<string, string>;
    return {
      key: row["key"] as string,
      parts: { ...shared, inputs, ...(itemName === null ? {} : { itemName }) },
    };
  }

  /** Whether the node's shared key parts are those that it last had; keeps the new ones if not. */
  isSameSignature(node: string, parts: NodeParts): boolean {
    const name = `signature of ${node}`;
    const text = signatureText(parts);
    const row = this.#get("SELECT value FROM meta WHERE name = ?", name);
    if (row?.["value"] === text) return true;
    if (!this.isReadOnly) this.#run("INSERT OR REPLACE INTO meta VALUES (?, ?)", name, text);
    return false;
  }

  /** The tools that a node last had. */
  lastTools(node: string): NodeParts["tools"] | undefined {
    const row = this.#get("SELECT value FROM meta WHERE name = ?", `signature of ${node}`);
    return row === undefined ? undefined : (JSON.parse(row["value"] as string) as NodeParts).tools;
  }

  #signatureId(parts: NodeParts): number {
    const known = this.#knownSignature(parts);
    if (known !== undefined) return known;
    this.#begin();
    this.#run("INSERT OR IGNORE INTO signatures (parts) VALUES (?)", signatureText(parts));
    return this.#knownSignature(parts)!;
  }

  #knownSignature(parts: NodeParts): number | undefined {
    const text = signatureText(parts);
    const known = this.#signatureIds.get(text);
    if (known !== undefined) return known;
    const row = this.#get("SELECT id FROM signatures WHERE parts = ?", text);
    if (row !== undefined) this.#signatureIds.set(text, row["id"] as number);
    return row?.["id"] as number | undefined;
  }

  /** The bytes of a small artifact. */
  blob(hash: ContentHash): Uint8Array | undefined {
    return this.#get("SELECT bytes FROM blobs WHERE hash = ?", hash)?.["bytes"] as
      | Uint8Array
      | undefined;
  }

  putBlob(hash: ContentHash, bytes: Uint8Array): void {
    this.#begin();
    this.#run("INSERT OR IGNORE INTO blobs VALUES (?, ?)", hash, bytes);
  }

  removeBlob(hash: ContentHash): void {
    this.#begin();
    this.#run("DELETE FROM blobs WHERE hash = ?", hash);
  }

  /** What the stat index knows of some files: one query over the folder that holds them all. */
  filesAt(paths: readonly string[]): ReadonlyMap<string, IndexedFile> {
    const files = new Map<string, IndexedFile>();
    const query = this.#prepare(
      `SELECT path, size, mtime_ms AS mtimeMs, inode, seen_ms AS seenMs, hash
       FROM files WHERE path > ? AND path < ?`,
    );
    const rows = query.all(...boundsOf(paths)) as unknown as FileRow[];
    const wanted = rows.length > paths.length ? new Set(paths) : undefined;
    for (const row of rows) if (wanted?.has(row.path) ?? true) files.set(row.path, row);
    return files;
  }

  /** The trails that a stage has of some files, by path. */
  trailsAt(paths: readonly string[], stage: number): ReadonlyMap<string, string> {
    const trails = new Map<string, string>();
    const [first, end] = boundsOf(paths);
    // Some hundred in one text: a row for each would take three times as long, and the memory twice.
    const query = this.#prepare(
      `SELECT group_concat(path || char(10) || trail, char(10)) AS texts, max(path) AS last
       FROM (SELECT path, trail FROM trails WHERE stage = ? AND path > ? AND path < ?
             ORDER BY path LIMIT ${trailsAtOnce})`,
    );
    const wanted = new Set(paths);
    for (let after = first;;) {
      const { texts, last } = query.get(stage, after, end) as unknown as TrailsRow;
      if (texts === null) return trails;
      const lines = texts.split("\n");
      for (let at = 0; at + 1 < lines.length; at += 2) {
        if (wanted.has(lines[at]!)) trails.set(lines[at]!, lines[at + 1]!);
      }
      after = last;
    }
  }

  /** The number of a stage's trails. Those that it had with other parts are dropped. */
  stageId(name: string, parts: string): number {
    const known = this.#get("SELECT id, parts FROM stages WHERE name = ?", name);
    if (known?.["parts"] === parts) return known["id"] as number;
    this.#begin();
    if (known !== undefined) {
      this.#run("DELETE FROM trails WHERE stage = ?", known["id"] as number);
      this.#run("UPDATE stages SET parts = ? WHERE name = ?", parts, name);
      return known["id"] as number;
    }
    this.#run("INSERT INTO stages (name, parts) VALUES (?, ?)", name, parts);
    return this.#get("SELECT id FROM stages WHERE name = ?", name)!["id"] as number;
  }

  keepTrail(stage: number, path: string, trail: string): void {
    this.#begin();
    this.#run("INSERT OR REPLACE INTO trails VALUES (?, ?, ?)", stage, path, trail);
  }

  indexFile(path: string, file: IndexedFile): void {
    this.#begin();
    this.#run(
      "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
      path,
      file.size,
      file.mtimeMs,
      file.inode,
      file.seenMs,
      file.hash,
    );
  }

  /** The known fingerprint of a user's step file: JSON, as `module_graph.ts` writes it. */
  moduleGraph(path: string): string | undefined {
    return this.#get("SELECT graph FROM modules WHERE path = ?", path)?.["graph"] as
      | string
      | undefined;
  }

  putModuleGraph(path: string, graph: string): void {
    if (!this.isReadOnly) this.#run("INSERT OR REPLACE INTO modules VALUES (?, ?)", path, graph);
  }

  /** Makes everything written so far durable against a kill of this process. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const hasWrites = this.#writes > 0;
    this.#writes = 0; // also where it fails: SQLite has taken it all back then
    if (hasWrites) this.#database.exec("COMMIT");
  }

  /** Throws where not everything could be written; the file is closed all the same. */
  close(): void {
    try {
      this.flush();
      this.#assertWhole();
      if (!this.isReadOnly) leaveWal(this.#database);
    } finally {
      this.#database.close();
    }
  }

  #flushLater() {
    try {
      this.flush();
    } catch (error) {
      this.#failure ??= error;
    }
  }

  #assertWhole() {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #begin() {
    this.#assertWhole();
    if (this.#writes === 0) {
      this.#database.exec("BEGIN IMMEDIATE");
      this.#timer = setTimeout(() => this.#flushLater(), transactionMs);
    }
    if (++this.#writes > writesPerTransaction) {
      this.flush();
      this.#begin();
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #get(sql: string, ...values: (string | number)[]): Record<string, unknown> | undefined {
    return this.#prepare(sql).get(...values) as Record<string, unknown> | undefined;
  }

  #run(sql: string, ...values: (string | number | null | Uint8Array)[]): void {
    this.#prepare(sql).run(...values);
  }
}

/** A file's hash with the stat that it was read under. */
export interface IndexedFile {
  readonly size: number;
  readonly mtimeMs: number;
  readonly inode: number;
  /** When it was read, milliseconds since 1970. */
  readonly seenMs: number;
  readonly hash: ContentHash;
}

interface FileRow extends IndexedFile {
  readonly path: string;
}

interface TrailsRow {
  readonly texts: string | null;
  readonly last: string;
}

/** Whether a file is still what the index says, going by its stat alone. */
export function isUnchanged(
  file: Pick<FileStat, "size" | "mtimeMs" | "inode">,
  indexed: IndexedFile,
): boolean {
  return file.size === indexed.size && file.mtimeMs === indexed.mtimeMs &&
    file.inode === indexed.inode && isOlderThanLook(file, indexed.seenMs);
}

/** Whether a file that was read at that time cannot have been changed since within the clock's step. */
export function isOlderThanLook(file: Pick<FileStat, "mtimeMs">, seenMs: number): boolean {
  return file.mtimeMs + racyMs < seenMs;
}

/** Two texts between which all of some paths lie: the deepest folder that holds them, and its end. */
function boundsOf(paths: readonly string[]): [first: string, end: string] {
  const first = commonPrefix(paths);
  // "0" is the character after "/".
  return [first, `${first.slice(0, -1)}0`];
}

/** The deepest folder that holds all files, with a slash behind it. */
function commonPrefix(paths: readonly string[]): string {
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/") + 1);
  let common = folderOf(paths[0] ?? "");
  for (const path of paths) {
    while (!path.startsWith(common)) common = folderOf(common.slice(0, -1));
  }
  return common === "" ? "/" : common;
}

function signatureText({ step, version, params, tools }: NodeParts): string {
  return canonicalJson({ step, version, params, tools });
}
