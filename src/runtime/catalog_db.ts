import type { DuckDBConnection, DuckDBInstance, DuckDBResultReader } from "@duckdb/node-api";
import { join } from "node:path";
import type { Column } from "./artifact.ts";
import { listRuns, otherRuns, readLock, type RunRecord } from "./records.ts";
import { jsonColumns, quoteName, quoteText } from "./tables.ts";

/** A value of a query's result; dates and nested values come as text. */
export type Cell = null | boolean | number | string;

export interface QueryResult {
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, Cell>>[];
}

export interface OpenCatalogOptions {
  /** The folder `.tintype`. */
  readonly workspace: string;
  /** Whose tables the views show; the newest run when left out. */
  readonly run?: string;
}

const taskColumns: readonly Column[] = [
  { name: "at", type: "VARCHAR" },
  { name: "type", type: "VARCHAR" },
  { name: "node", type: "VARCHAR" },
  { name: "item", type: "VARCHAR" },
  { name: "outcome", type: "VARCHAR" },
  { name: "key", type: "VARCHAR" },
  { name: "fromCache", type: "BOOLEAN" },
  { name: "elapsedMs", type: "DOUBLE" },
  { name: "code", type: "VARCHAR" },
  { name: "reason", type: "VARCHAR" },
  { name: "numbers", type: "JSON" },
];

const callColumns: readonly Column[] = [
  { name: "at", type: "VARCHAR" },
  { name: "type", type: "VARCHAR" },
  { name: "node", type: "VARCHAR" },
  { name: "item", type: "VARCHAR" },
  { name: "provider", type: "VARCHAR" },
  { name: "model", type: "VARCHAR" },
  { name: "inputTokens", type: "BIGINT" },
  { name: "outputTokens", type: "BIGINT" },
  { name: "cost", type: "DOUBLE" },
];

const runColumns: readonly Column[] = [
  { name: "at", type: "VARCHAR" },
  { name: "type", type: "VARCHAR" },
  { name: "run", type: "VARCHAR" },
  { name: "recipe", type: "VARCHAR" },
  { name: "path", type: "VARCHAR" },
  { name: "shard", type: "VARCHAR" },
  { name: "settings", type: "JSON" },
  { name: "status", type: "VARCHAR" },
  { name: "counts", type: "JSON" },
  { name: "elapsedMs", type: "DOUBLE" },
];

/**
 * Opens what the runs found as a DuckDB database in memory: a view for each table of the run, named
 * after its node, and `items` (what the scans found), `tasks` (how each task of each run ended), `calls`
 * (answers of remote models, with tokens and estimated dollars) and `runs`. Reads only, so it can be open while a run writes; `refresh()` shows what came since.
 * Throws when the workspace or the run is not there.
 */
export async function openCatalog(options: OpenCatalogOptions): Promise<CatalogDb> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
  const connection = await instance.connect();
  const catalog = new CatalogDb(instance, connection, options);
  try {
    await catalog.refresh();
  } catch (error) {
    catalog.close();
    throw error;
  }
  return catalog;
}

/** The catalogue of a workspace. Make it with `openCatalog`. */
export class CatalogDb {
  constructor(
    readonly instance: DuckDBInstance,
    /** For everything that `query` does not do. */
    readonly connection: DuckDBConnection,
    readonly options: OpenCatalogOptions,
  ) {}

  /** Makes the views anew, over what is on disk now. */
  async refresh(): Promise<void> {
    const { workspace, run } = this.options;
    const runs = listRuns(workspace);
    const chosen = run === undefined ? runs.at(-1) : runs.find((each) => each.id === run);
    if (chosen === undefined && run !== undefined) {
      throw new Error(
        `Cannot open run "${run}": there is none of that name in "${workspace}"${
          otherRuns(runs, run)
        }`,
      );
    }
    await this.#runViews(runs);
    const tables = chosen === undefined ? [] : this.#tables(chosen);
    for (const { name, source } of tables) {
      await this.connection.run(`CREATE OR REPLACE VIEW ${quoteName(name)} AS ${source}`);
    }
    await this.#itemsView(chosen, new Set(tables.map((table) => table.name)));
  }

  /** What can be asked: the views, by name. */
  async viewNames(): Promise<readonly string[]> {
    const { rows } = await this.query(
      "SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY view_name",
    );
    return rows.map(({ view_name }) => String(view_name));
  }

  /** Runs one SQL query. Throws DuckDB's error. */
  async query(sql: string): Promise<QueryResult> {
    return resultOf(await this.connection.runAndReadAll(sql));
  }

  /** Runs SQL statements, and gives what each of those found that asks for rows. Throws DuckDB's error. */
  async queryEach(sql: string): Promise<readonly QueryResult[]> {
    const statements = await this.connection.extractStatements(sql).catch(() => undefined);
    // DuckDB says what is wrong where it is run, and that a comment finds nothing.
    if (statements === undefined || statements.count === 1) return [await this.query(sql)];
    const { ResultReturnType } = await import("@duckdb/node-api");
    const results: QueryResult[] = [];
    for (let index = 0; index < statements.count; index++) {
      const reader = await (await statements.prepare(index)).runAndReadAll();
      if (reader.returnType === ResultReturnType.QUERY_RESULT) results.push(resultOf(reader));
    }
    return results;
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }

  #tables(run: RunRecord): { readonly name: string; readonly source: string }[] {
    const folder = join(run.folder, "tables");
    return namesIn(folder).filter((name) => name.endsWith(".columns.json")).map((file) => {
      const name = file.slice(0, -".columns.json".length);
      const sealed = join(folder, `${name}.parquet`);
      if (exists(sealed)) {
        return { name, source: `SELECT * FROM read_parquet(${quoteText(sealed)})` };
      }
      const columns = JSON.parse(Deno.readTextFileSync(join(folder, file))) as Column[];
      return { name, source: readLines([join(folder, `${name}.jsonl`)], columns) };
    });
  }

  async #itemsView(run: RunRecord | undefined, tables: ReadonlySet<string>) {
    const sources = run === undefined ? [] : readLock(run.folder)?.sources ?? [];
    const selects = sources.filter((source) => tables.has(source)).map((source) =>
      `SELECT ${quoteText(source)} AS node, * FROM ${quoteName(source)}`
    );
    const sql = selects.length > 0
      ? selects.join(" UNION ALL BY NAME ")
      : "SELECT NULL::VARCHAR AS node, NULL::VARCHAR AS item WHERE false";
    await this.connection.run(`CREATE OR REPLACE VIEW items AS ${sql}`);
  }

  async #runViews(runs: readonly RunRecord[]) {
    const journals = runs.map((run) => join(run.folder, "journal.jsonl"));
    const runOf = "regexp_extract(filename, '([^/\\\\]+)[/\\\\]journal\\.jsonl$', 1)";
    const tasks = journals.length === 0 ? nothing(taskColumns) : readLines(journals, taskColumns);
    await this.connection.run(
      `CREATE OR REPLACE VIEW tasks AS SELECT ${
        journals.length === 0 ? "NULL::VARCHAR" : runOf
      } AS run, node, item, outcome, key, coalesce(fromCache, outcome = 'cached') AS from_cache,
        elapsedMs AS elapsed_ms, code, reason, numbers, "at"::TIMESTAMPTZ AS settled_at
      FROM (${tasks}) WHERE type = 'task-settled'`,
    );
    const calls = journals.length === 0 ? nothing(callColumns) : readLines(journals, callColumns);
    await this.connection.run(
      `CREATE OR REPLACE VIEW calls AS SELECT ${
        journals.length === 0 ? "NULL::VARCHAR" : runOf
      } AS run, node, item, provider, model, inputTokens AS input_tokens,
        outputTokens AS output_tokens, cost, "at"::TIMESTAMPTZ AS answered_at
      FROM (${calls}) WHERE type = 'remote-called'`,
    );
    const lines = journals.length === 0 ? nothing(runColumns) : readLines(journals, runColumns);
    const count = (name: string) => `(finished.counts->>'${name}')::BIGINT AS ${name}`;
    await this.connection.run(
      `CREATE OR REPLACE VIEW runs AS
      SELECT started.run, started.recipe, started.path, started.shard, started.settings,
        started."at"::TIMESTAMPTZ AS started, finished.elapsedMs AS elapsed_ms,
        coalesce(finished.status, 'unfinished') AS status,
        ${["ran", "cached", "rejected", "skipped", "failed", "waiting"].map(count).join(", ")}
      FROM (SELECT * FROM (${lines}) WHERE type = 'run-started') started
      LEFT JOIN (SELECT * FROM (${lines}) WHERE type = 'run-finished') finished USING (run)
      ORDER BY started.run`,
    );
  }
}

/** JSON lines as a relation; a line that is still being written is passed over. */
function readLines(paths: readonly string[], columns: readonly Column[]): string {
  const list = paths.map(quoteText).join(", ");
  return `SELECT * FROM read_json([${list}], format = 'newline_delimited', ` +
    `columns = ${jsonColumns(columns)}, ignore_errors = true, filename = true, ` +
    `maximum_object_size = 16777216)`;
}

function nothing(columns: readonly Column[]): string {
  return `SELECT ${
    columns.map(({ name, type }) => `NULL::${type} AS ${quoteName(name)}`).join(", ")
  } WHERE false`;
}

function resultOf(reader: DuckDBResultReader): QueryResult {
  const columns = reader.deduplicatedColumnNames();
  const rows = reader.getRowsJS().map((row) =>
    Object.fromEntries(columns.map((column, index) => [column, cellOf(row[index])]))
  );
  return { columns, rows };
}

function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  }
  if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") {
    return value;
  }
  if (value instanceof Date) return value.toISOString();
  return JSON.stringify(value, (_, each) => typeof each === "bigint" ? Number(each) : each);
}

function namesIn(folder: string): string[] {
  return exists(folder) ? Array.from(Deno.readDirSync(folder), (entry) => entry.name).sort() : [];
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
