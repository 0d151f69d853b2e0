import { join } from "node:path";
import type { Command } from "commander";
import type { Cell, QueryResult } from "../runtime/catalog_db.ts";
import { localDisk } from "../runtime/local_disk.ts";
import type { Session } from "../runtime/session.ts";
import { suggestion } from "../runtime/suggestion.ts";
import { sessionOf } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { alignedRows, counted } from "./text.ts";
import { UsageError } from "./usage_error.ts";

interface QueryOptions {
  readonly run?: string;
  readonly json?: boolean;
  readonly csv?: boolean;
}

/** A cell longer than this is cut in the table that people read: a sha256 is as long. */
const widestCell = 64;

const nothing: QueryResult = { columns: [], rows: [] };

/** `tintype query`: SQL over what the runs found; a table for each statement that asks for rows. */
export async function query(sql: string, options: QueryOptions, command: Command): Promise<number> {
  const session = sessionOf(command);
  if (sql.trim() === "") throw new UsageError('Give a query, such as "select * from items"');
  const results = await ask(session, { sql, run: options.run });
  const [result = nothing] = results;
  if ((options.json || options.csv) && results.length > 1) {
    throw new UsageError(
      `Cannot print ${results.length} results as ${options.json ? "JSON" : "CSV"}: one is wanted`,
    );
  }
  if (options.json) console.log(JSON.stringify(result.rows, undefined, 2));
  else if (options.csv) { for (const line of csvLines(result)) console.log(line); }
  else for (const each of results) printTable(each);
  return exitCodes.complete;
}

async function ask(
  session: Session,
  { sql, run }: { readonly sql: string; readonly run?: string },
): Promise<readonly QueryResult[]> {
  try {
    const catalog = await session.openCatalog({ run });
    try {
      return await catalog.queryEach(sql);
    } catch (error) {
      throw new UsageError(
        `Cannot query: ${queryWords(error, await catalog.viewNames(), session)}`,
      );
    } finally {
      catalog.close();
    }
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** DuckDB's words, which point into the query; of a view that is not there, the way to it, or our views. */
function queryWords(error: unknown, views: readonly string[], session: Session): string {
  const words = error instanceof Error ? error.message : String(error);
  const name = /Table with name (\S+) does not exist/.exec(words)?.[1];
  if (name === undefined) return words;
  const other = runWithTable(name, session);
  const help = other === undefined
    ? suggestion(name, views, "Views")
    : `run ${other.run} of "${other.recipe}" has it: add --run ${other.run}`;
  return `there is no view "${name}" (${help})`;
}

/** The newest run that has a table for a node of this name. */
function runWithTable(node: string, session: Session) {
  if (!/^\w+$/.test(node)) return undefined;
  const tableOf = (run: string) =>
    join(session.options.workspace, "runs", run, "tables", `${node}.parquet`);
  return session.runs().findLast(({ run }) => localDisk.stat(tableOf(run)) !== undefined);
}

function printTable({ columns, rows }: QueryResult) {
  const isNumeric = columns.map((column) =>
    rows.some((row) => row[column] !== null) &&
    rows.every((row) => row[column] === null || typeof row[column] === "number")
  );
  const cells = rows.map((row) => columns.map((column) => shown(row[column]!)));
  const rule = columns.map((column, index) =>
    "─".repeat(Math.max(column.length, ...cells.slice(0, 10_000).map((row) => row[index]!.length)))
  );
  const alignments = isNumeric.map((numeric) => numeric ? "right" as const : "left" as const);
  for (const line of alignedRows([columns, rule, ...cells], alignments)) console.log(line);
  console.log(`(${counted(rows.length, "row")})`);
}

function shown(cell: Cell): string {
  const text = cell === null ? "" : String(cell).replace(/[\r\n\t]+/g, " ");
  return text.length > widestCell ? `${text.slice(0, widestCell - 1)}…` : text;
}

/** RFC 4180, with line feeds. */
function* csvLines({ columns, rows }: QueryResult): Iterable<string> {
  const quoted = (cell: Cell) => {
    const text = cell === null ? "" : String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  yield columns.map(quoted).join(",");
  for (const row of rows) yield columns.map((column) => quoted(row[column]!)).join(",");
}
