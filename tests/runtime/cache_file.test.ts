import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { leaveWal, openCacheFile } from "../../src/runtime/cache_file.ts";

const schema = "CREATE TABLE IF NOT EXISTS meta (name TEXT); CREATE TABLE IF NOT EXISTS rows (x)";

/** A place for a cache in a folder of its own. */
class Place implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "tintype-cache-file-" });
  readonly path = join(this.folder, "cache.sqlite");

  count(database: DatabaseSync): unknown {
    return database.prepare("SELECT count(*) AS n FROM rows").get()!["n"];
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

Deno.test("a file whose writer was killed before it had tables is read as an empty one, and written", () => {
  const beginnings = [
    (path: string) => Deno.writeFileSync(path, new Uint8Array()),
    (path: string) => {
      using database = new DatabaseSync(path);
      database.exec("PRAGMA journal_mode = WAL");
    },
  ];
  for (const begin of beginnings) {
    using place = new Place();
    begin(place.path);
    using read = openCacheFile(place.path, { readOnly: true, schema });
    assert.equal(place.count(read), 0);
    using written = openCacheFile(place.path, { readOnly: false, schema });
    written.exec("INSERT INTO rows VALUES (1)");
    leaveWal(written);
    using again = openCacheFile(place.path, { readOnly: true, schema });
    assert.equal(place.count(again), 1);
  }
});

Deno.test("what a reader keeps from the file itself is not left without waiting for the disk", () => {
  using place = new Place();
  const writer = openCacheFile(place.path, { readOnly: false, schema });
  writer.exec("INSERT INTO rows VALUES (1)");
  using reader = new DatabaseSync(place.path, { readOnly: true });
  reader.exec("BEGIN");
  assert.equal(place.count(reader), 1);
  writer.exec("INSERT INTO rows VALUES (2)");
  leaveWal(writer);
  const { synchronous } = writer.prepare("PRAGMA synchronous").get()!;
  assert.equal(synchronous, 1); // NORMAL: the checkpoint is still to come
  writer.close();
  reader.exec("COMMIT");
  assert.equal(place.count(reader), 2);
});
