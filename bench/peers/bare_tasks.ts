import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * The least that a cache with a record can do for a task: hash its key and its output, keep its
 * result in SQLite, and write a line. Arguments: an empty folder, items, steps.
 */
const [folder, items, steps] = Deno.args as [string, string, string];

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const tasksPerTransaction = 500;

const database = new DatabaseSync(join(folder, "cache.sqlite"));
database.exec(`
  PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
  CREATE TABLE tasks (key TEXT PRIMARY KEY, result TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE blobs (hash TEXT PRIMARY KEY, text TEXT NOT NULL);
`);
const putTask = database.prepare("INSERT INTO tasks VALUES (?, ?)");
const putBlob = database.prepare("INSERT OR IGNORE INTO blobs VALUES (?, ?)");
const journal = Deno.openSync(join(folder, "journal.jsonl"), { write: true, create: true });
const encoder = new TextEncoder();

let lines = "";
let count = 0;

function keep(key: string, hash: string, text: string) {
  if (count % tasksPerTransaction === 0) database.exec("BEGIN");
  putBlob.run(hash, text);
  putTask.run(key, JSON.stringify({ hash, length: text.length }));
  lines += `${JSON.stringify({ at: new Date().toISOString(), key, hash })}\n`;
  if (++count % tasksPerTransaction === 0) commit();
}

function commit() {
  database.exec("COMMIT");
  journal.writeSync(encoder.encode(lines));
  lines = "";
}

for (let item = 0; item < Number(items); item++) {
  let text = `text ${item}`;
  for (let step = 1; step <= Number(steps); step++) {
    const key = sha256(`["bare",${step},"${sha256(text)}"]`);
    text += `-${step}`;
    keep(key, sha256(text), text);
  }
}
if (count % tasksPerTransaction !== 0) commit();
database.close();
journal.close();
