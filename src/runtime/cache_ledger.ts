import { DatabaseSync } from "node:sqlite";
import type { ArtifactRef } from "./artifact.ts";
import { cacheSchema, type IndexedFile } from "./cache.ts";
import type { ContentHash, TaskKey } from "./hash.ts";
import { isResultWhole, parseResult, type StoredResult } from "./stored_result.ts";
import { type KeyParts, type NodeParts, taskKey } from "./task_key.ts";

/** A row of the cache: one task's result. */
export interface LedgerTask {
  readonly key: string;
  readonly step: string;
  /** By port: content hashes, those of collections with their length in front. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly result: StoredResult;
}

/** A result with all that its key is made of. */
export interface LedgerRecord {
  readonly key: TaskKey;
  readonly parts: KeyParts;
  readonly result: StoredResult;
}

/** Which key a task had last. */
interface Latest {
  readonly node: string;
  readonly item: string;
  readonly key: TaskKey;
}

/** Rows that are read at a time. */
const pageRows = 1000;

/** Rows that are removed in one transaction, so that others get their turn. */
const rowsPerTransaction = 1000;

const taskColumns = `tasks.key AS key, inputs, item_name, result, parts FROM tasks
  LEFT JOIN signatures ON signatures.id = tasks.signature`;

/**
 * The cache's file as a whole, for checking it and for clearing it up: what a run asks of it one by one
 * is in `ActionCache`. To be opened with the workspace locked, unless read only.
 */
export class CacheLedger {
  private constructor(readonly database: DatabaseSync, readonly path: string) {}

  /** Where there is no file yet it is empty. Throws SQLite's error for a file that is no cache. */
  static open(path: string, options: { readonly readOnly: boolean }): CacheLedger {
    const isThere = isFile(path);
    const database = isThere
      ? new DatabaseSync(path, { readOnly: options.readOnly })
      : new DatabaseSync(":memory:");
    try {
      // Temporary tables in memory: on disk they take three times as long.
      database.exec("PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY");
      if (!isThere) database.exec(cacheSchema);
      database.prepare("SELECT count(*) FROM tasks, blobs, latest, signatures WHERE false").get();
    } catch (error) {
      database.close();
      throw error;
    }
    return new CacheLedger(database, path);
  }

  close(): void {
    this.database.close();
  }

  /** What SQLite finds wrong with its file: "" where nothing is. */
  damage(): string {
    const rows = this.database.prepare("PRAGMA integrity_check(3)").all();
    const found = rows.map((row) => String(Object.values(row)[0]));
    return found.length === 1 && found[0] === "ok" ? "" : found.join("; ");
  }

  /** Every result that can be read, in the order of the keys. */
  *tasks(): Iterable<LedgerTask> {
    for (const row of this.#rows()) if (isSound(row)) yield taskOf(row);
  }

  /** The same with what their keys are made of, for another cache. */
  *records(): Iterable<LedgerRecord> {
    for (const row of this.#rows()) {
      if (isSound(row)) {
        yield {
          key: row.key as TaskKey,
          parts: keyPartsOf(row),
          result: parseResult(row.result),
        };
      }
    }
  }

  /** Which key the tasks of all recipes had last. */
  *latest(): Iterable<Latest> {
    const statement = this.database.prepare(
      `SELECT node, item, key FROM latest WHERE (node, item) > (?, ?)
       ORDER BY node, item LIMIT ${pageRows}`,
    );
    for (let last: Pick<Latest, "node" | "item"> | undefined = { node: "", item: "" }; last;) {
      const rows: Latest[] = statement.all(last.node, last.item) as unknown as Latest[];
      yield* rows;
      last = rows.at(-1);
    }
  }

  /** The keys of rows that are not as they were written, with what is there, for people. */
  *unsoundTasks(): Iterable<{ readonly key: string; readonly row: string }> {
    for (const row of this.#rows()) {
      if (!isSound(row)) yield { key: row.key, row: JSON.stringify(row) };
    }
  }

  /** In pages, so that no query is open in between: a run that begins would wait for its end. */
  *#rows(): Iterable<TaskRow> {
    const query = `SELECT ${taskColumns} WHERE tasks.key > ? ORDER BY tasks.key LIMIT ${pageRows}`;
    const statement = this.database.prepare(query);
    for (let last: string | undefined = ""; last !== undefined;) {
      const rows: TaskRow[] = statement.all(last) as unknown as TaskRow[];
      yield* rows;
      last = rows.at(-1)?.key;
    }
  }

  /** The result of a task; undefined where there is none that can be read. */
  task(key: string): LedgerTask | undefined {
    const row = this.database.prepare(`SELECT ${taskColumns} WHERE tasks.key = ?`).get(key);
    return row !== undefined && isSound(row as unknown as TaskRow)
      ? taskOf(row as unknown as TaskRow)
      : undefined;
  }

  /** Small artifacts. */
  *blobs(): Iterable<{ readonly hash: ContentHash; readonly bytes: Uint8Array }> {
    const rows = this.database.prepare("SELECT hash, bytes FROM blobs").iterate();
    for (const { hash, bytes } of rows) {
      yield { hash: String(hash) as ContentHash, bytes: bytesOf(bytes) };
    }
  }

  /** How many results there are, also those that cannot be read. */
  taskCount(): number {
    return Number(this.database.prepare("SELECT count(*) AS n FROM tasks").get()!["n"]);
  }

  /** Files that were scanned, by content: what the first look at a file has for its only input. */
  *originals(): Iterable<string> {
    const rows = this.database.prepare(
      `SELECT substr(inputs, 10, 64) AS hash FROM tasks
       WHERE inputs GLOB '{"file":"*"}' AND length(inputs) = 75`,
    ).iterate();
    for (const { hash } of rows) yield String(hash);
  }

  /** The bytes of a small artifact, as they are. */
  blob(hash: string): Uint8Array | undefined {
    const row = this.database.prepare("SELECT bytes FROM blobs WHERE hash = ?").get(hash);
    return row === undefined ? undefined : bytesOf(row["bytes"]);
  }

  hasBlob(hash: string): boolean {
    return this.database.prepare("SELECT 1 FROM blobs WHERE hash = ?").get(hash) !== undefined;
  }

  /** The files that runs have read, as the stat index has them, in the order of their paths. */
  *files(): Iterable<IndexedFile & { readonly path: string }> {
    const rows = this.database.prepare(
      "SELECT path, size, mtime_ms, inode, seen_ms, hash FROM files ORDER BY path",
    ).all();
    for (const { path, size, mtime_ms, inode, seen_ms, hash } of rows) {
      yield {
        path: String(path),
        size: Number(size),
        mtimeMs: Number(mtime_ms),
        inode: Number(inode),
        seenMs: Number(seen_ms),
        hash: String(hash) as ContentHash,
      };
    }
  }

  /** Takes files out of the stat index, so that a run reads them again. */
  forgetFiles(paths: readonly string[]): void {
    this.#remove("DELETE FROM files WHERE path = ?", paths);
  }

  /** The keys that the tasks of a recipe had last. */
  *latestKeys(recipe: string): Iterable<string> {
    const rows = this.database.prepare(
      "SELECT key FROM latest WHERE node >= ? AND node < ?",
    ).iterate(`${recipe}/`, `${recipe}0`); // "0" is the character after "/"
    for (const { key } of rows) yield String(key);
  }

  /** Bytes of the file that hold something, and how much of it is not results and artifacts. */
  sizes(): { readonly used: number; readonly content: number; readonly rest: number } {
    const pages = this.#pragma("page_count") - this.#pragma("freelist_count");
    const sum = (table: string, ...columns: readonly string[]) => {
      const lengths = columns.map((column) => `coalesce(length(${column}), 0)`).join(" + ");
      const row = this.database.prepare(`SELECT sum(${lengths}) AS n FROM ${table}`).get();
      return Number(row!["n"] ?? 0);
    };
    const content = sum("tasks", "key", "inputs", "result") + sum("blobs", "hash", "hash", "bytes");
    const rest = sum("latest", "node", "item", "key") + sum("files", "path", "hash", "hash") +
      sum("signatures", "parts", "parts") + sum("modules", "path", "graph") +
      (this.#hasTable("trails") ? sum("trails", "path", "trail") : 0);
    return { used: pages * this.#pragma("page_size"), content, rest };
  }

  /** A cache of before there was such a table has it only after the next run. */
  #hasTable(name: string): boolean {
    const query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?";
    return this.database.prepare(query).get(name) !== undefined;
  }

  #pragma(name: string): number {
    return Number(Object.values(this.database.prepare(`PRAGMA ${name}`).get()!)[0]);
  }

  /** Removes results, and what is known of which task had them last. */
  removeTasks(keys: readonly string[]): void {
    this.#remove("DELETE FROM tasks WHERE key = ?", keys);
    this.#remove("DELETE FROM latest WHERE key = ?", keys);
  }

  removeBlobs(hashes: readonly string[]): void {
    this.#remove("DELETE FROM blobs WHERE hash = ?", hashes);
  }

  #remove(sql: string, names: readonly string[]) {
    const statement = this.database.prepare(sql);
    this.#inTransaction(() => names.forEach((name) => statement.run(name)));
  }

  /**
   * Removes all rows that are not in a table of needed names, some at a time; `mayGoOn` is asked in
   * between.
   */
  async removeUnneeded(
    table: "tasks" | "blobs",
    needed: string,
    mayGoOn: () => Promise<boolean>,
  ): Promise<void> {
    const { database } = this;
    const column = { tasks: "key", blobs: "hash" }[table];
    const doomed = `temp.doomed_${table}`;
    database.exec(`DROP TABLE IF EXISTS ${doomed};
      CREATE TABLE ${doomed} AS SELECT ${column} AS name FROM main.${table}
      WHERE ${column} NOT IN (SELECT name FROM ${needed})`);
    const count = Number(database.prepare(`SELECT count(*) AS n FROM ${doomed}`).get()!["n"]);
    const part = `(SELECT name FROM ${doomed} WHERE rowid > ? AND rowid <= ?)`;
    const remove = database.prepare(`DELETE FROM main.${table} WHERE ${column} IN ${part}`);
    for (let at = 0; at < count && await mayGoOn(); at += rowsPerTransaction) {
      this.#inTransaction(() => remove.run(at, at + rowsPerTransaction));
    }
  }

  /** Removes what spoke of results that are gone. */
  removeLooseEnds(): void {
    this.#inTransaction(() =>
      this.database.exec(`
        DELETE FROM latest WHERE key NOT IN (SELECT key FROM tasks);
        DELETE FROM signatures WHERE id NOT IN (SELECT signature FROM tasks)`)
    );
  }

  #inTransaction<Value>(work: () => Value): Value {
    this.database.exec("BEGIN IMMEDIATE");
    try {
      const value = work();
      this.database.exec("COMMIT");
      return value;
    } catch (error) {
      this.database.exec("ROLLBACK");
      throw error;
    }
  }

  /**
   * Writes the file anew without what has been removed from it. Somebody who is reading may be in the
   * way: then it stays as large as it is, and is filled again.
   */
  compact(): void {
    try {
      this.database.exec("VACUUM");
      this.database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      if (!/locked|busy|full/i.test(error instanceof Error ? error.message : "")) throw error;
    }
  }
}

/** Every artifact that a result names. */
export function* refsOf(result: StoredResult): Iterable<ArtifactRef> {
  for (const output of Object.values(result.outputs)) {
    if ("one" in output) yield output.one;
    else if ("born" in output) yield* output.born.map(({ ref }) => ref);
    else for (const each of output.members) if (each !== null && "hash" in each) yield each;
  }
}

interface TaskRow {
  readonly key: string;
  readonly inputs: string;
  readonly item_name: string | null;
  readonly result: string;
  readonly parts: string | null;
}

/** Whether a row's key is that of its parts, and its result as it was written. */
function isSound(row: TaskRow): boolean {
  if (row.parts === null) return false;
  try {
    return row.key === taskKey(keyPartsOf(row)) && isResultWhole(row.result);
  } catch {
    return false; // no JSON any more
  }
}

function keyPartsOf({ inputs, item_name, parts }: TaskRow): KeyParts {
  const shared = JSON.parse(parts!) as NodeParts;
  const itemName = item_name === null ? {} : { itemName: item_name };
  return { ...shared, inputs: JSON.parse(inputs), ...itemName };
}

function taskOf({ key, inputs, result, parts }: TaskRow): LedgerTask {
  return {
    key,
    step: (JSON.parse(parts!) as NodeParts).step,
    inputs: JSON.parse(inputs) as Record<string, string>,
    result: parseResult(result),
  };
}

/** A damaged row may hold a text or nothing in place of bytes. */
function bytesOf(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : new TextEncoder().encode(String(value));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
