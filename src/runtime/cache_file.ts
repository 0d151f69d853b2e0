import { DatabaseSync } from "node:sqlite";

/** The file of a cache is no database, or a damaged one. */
export class UnreadableCache extends Error {
  override readonly name = "UnreadableCache";
  /** As what the system refuses has one. */
  readonly code = "unreadable-cache";

  constructor(path: string, override readonly cause: unknown) {
    const words = cause instanceof Error ? cause.message : String(cause);
    super(`Cannot open cache "${path}": ${words} (tintype verify --repair sets it aside)`);
  }
}

/** SQLITE_NOTADB and SQLITE_CORRUPT. */
const damage = /file is not a database|database disk image is malformed/;

/** What to throw in place of an error of a cache's file: `UnreadableCache` where SQLite finds that damaged. */
export function cacheProblem(path: string, error: unknown): unknown {
  const isTold = !(error instanceof Error) || error instanceof UnreadableCache;
  return isTold || !damage.test(error.message) ? error : new UnreadableCache(path, error);
}

/**
 * Opens the SQLite file of a cache, for writing in WAL mode. For reading, an empty one in memory stands
 * in where there is no file, or none that can be read: whoever wrote it was killed, before it had tables or
 * while the folder could still be written.
 */
export function openCacheFile(
  path: string,
  { readOnly, schema }: { readonly readOnly: boolean; readonly schema: string },
): DatabaseSync {
  const isNew = !fileExists(path);
  const isThere = readOnly && !isNew && !isLeftOpen(path);
  const database = readOnly
    ? isThere ? new DatabaseSync(path, { readOnly: true }) : new DatabaseSync(":memory:")
    : new DatabaseSync(path);
  database.exec("PRAGMA busy_timeout = 10000");
  if (!readOnly) {
    // Five times waiting for the disk, 20 ms, would save an empty file from a power cut.
    if (isNew) database.exec("PRAGMA synchronous = OFF");
    enterWal(database, path);
  }
  if (!isThere) database.exec(schema);
  return database;
}

/** Waits for readers, of which a file that is not in WAL mode bears none while it changes. */
function enterWal(database: DatabaseSync, path: string) {
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
  } catch (error) {
    database.close();
    const isBusy = error instanceof Error && error.message === "database is locked";
    if (!isBusy) throw error;
    throw new Error(`Cannot open cache "${path}": somebody is reading it; try again later`);
  }
}

/**
 * A file that is left in WAL mode can be read only where its folder can be written. Where somebody is
 * reading it just now it stays in that mode, which the next writer changes.
 */
export function leaveWal(database: DatabaseSync): void {
  try {
    database.exec("PRAGMA busy_timeout = 0");
    const done = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
    // All is on the disk: what follows changes the name of the mode in the file, and either will do.
    if (done?.busy === 0) database.exec("PRAGMA synchronous = OFF");
    database.exec("PRAGMA journal_mode = DELETE");
  } catch {
    // what was written is safe in either mode
  }
}

/**
 * Whether a writer was killed before it made its tables, or in a folder that can only be read now. Throws
 * for a file that cannot be read.
 */
function isLeftOpen(path: string): boolean {
  Deno.openSync(path, { read: true }).close();
  try {
    using database = new DatabaseSync(path, { readOnly: true });
    database.prepare("SELECT 1 FROM meta LIMIT 1").get();
    return false;
  } catch (error) {
    // SQLITE_CANTOPEN, or no tables; anything else is about what is in the file, and said where that is read.
    const isLeft = /unable to open database file|no such table: meta/;
    return error instanceof Error && isLeft.test(error.message);
  }
}

function fileExists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
