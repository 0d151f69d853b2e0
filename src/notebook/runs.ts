import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { z } from "zod";
import { type Baseline, baselineShape } from "../baseline/baseline.ts";
import { type Recommendation, recommendationShape } from "../baseline/policy.ts";
import type { CatalogDb } from "../runtime/catalog_db.ts";
import { formatDiagnostic } from "../runtime/diagnostic.ts";
import type { Graph } from "../runtime/graph.ts";
import { shellWord } from "../report/normalize_report.ts";
import { fromFileUrl } from "../runtime/file_url.ts";
import { readJournal } from "../runtime/journal.ts";
import {
  listRuns,
  readLock,
  type RunRecord,
  type RunSummary,
  summarizeRun,
} from "../runtime/records.ts";
import type { CheckedRecipe } from "../runtime/session.ts";
import { quoteName } from "../runtime/tables.ts";
import { storiesOf } from "../runtime/why.ts";
import type { Row } from "./table.ts";

/** The folder of this project, wherever the notebook stands. */
export const projectFolder = fromFileUrl(new URL("../../", import.meta.url)).replace(/[/\\]$/, "");

/** A run and where it lies. */
export interface FoundRun {
  readonly workspace: string;
  readonly run: string;
  readonly summary: RunSummary;
}

/**
 * Where runs are looked for: the workspace that the environment names in `TINTYPE_WORKSPACE`, else
 * `.tintype` where the notebook stands, in the project's folder, and in that of its demo.
 */
export function workspaces(): string[] {
  const named = Deno.env.get("TINTYPE_WORKSPACE");
  if (named !== undefined && named !== "") return [resolve(named)];
  const folders = [Deno.cwd(), projectFolder, join(projectFolder, "tintype-demo")];
  return [...new Set(folders.map((folder) => join(folder, ".tintype")))];
}

/** The newest run of a recipe in any of the workspaces; undefined when there is none. */
export function findRun(
  recipe: string,
  places: readonly string[] = workspaces(),
): FoundRun | undefined {
  return allRuns(places).filter(({ summary }) => summary.recipe === recipe).at(-1);
}

/**
 * The newest run of a recipe, or of any that was given a folder of pictures, in any of the workspaces.
 * Throws when there is none, with the command that makes one.
 */
export function newestRun(
  recipe?: string,
  places: readonly string[] = workspaces(),
): FoundRun {
  const newest = recipe === undefined
    ? allRuns(places).filter(({ workspace, run }) =>
      typeof settingsOf(workspace, run).source === "string"
    ).at(-1)
    : findRun(recipe, places);
  if (newest !== undefined) return newest;
  const wanted = recipe === undefined ? "a run" : `a run of the recipe "${recipe}"`;
  throw advice(
    `Cannot find ${wanted}: there is none in ${
      places.map((place) => `"${place}"`).join(", ")
    } (make one in the project's folder: deno task tintype run ${recipe ?? "normalize"} ` +
      "--set source=FOLDER; or set TINTYPE_WORKSPACE to the workspace that has one)",
  );
}

/** An error that says what to do, and shows no lines of ours in the notebook. */
function advice(message: string): Error {
  const error = new Error(message);
  error.stack = `Error: ${message}`;
  return error;
}

/** The runs of all workspaces that came to their end, oldest first. */
function allRuns(places: readonly string[]): FoundRun[] {
  return places.flatMap((workspace) =>
    summaries(workspace).filter(isWhole).map((summary) => ({
      workspace,
      run: summary.run,
      summary,
    }))
  ).sort((a, b) => a.run < b.run ? -1 : 1);
}

/**
 * The newest run that has an earlier one of the same recipe on the same pictures in its workspace, and
 * that earlier one; undefined when there are no two such runs. Two folders, or two shards of one, have
 * nothing that could be compared. Runs that were given a folder come first: one that is written into
 * the recipe, such as that of a notebook's own exploration, is not known to be the same.
 */
export function comparableRuns(
  places: readonly string[] = workspaces(),
): { readonly before: FoundRun; readonly after: FoundRun } | undefined {
  const pairs = places.flatMap((workspace) => {
    const whole = summaries(workspace).filter(isWhole).map((summary) => ({
      workspace,
      run: summary.run,
      summary,
      folder: folderOf(workspace, summary.run),
    }));
    return whole.flatMap((after, index) => {
      const before = whole.slice(0, index).findLast(({ summary, folder }) =>
        summary.recipe === after.summary.recipe && summary.shard === after.summary.shard &&
        folder === after.folder
      );
      return before === undefined ? [] : [{ before, after }];
    });
  }).sort((a, b) => a.after.run < b.after.run ? -1 : 1);
  return pairs.findLast(({ after }) => after.folder !== undefined) ?? pairs.at(-1);
}

/** The folder that a run was given; undefined where its recipe has no setting for one. */
function folderOf(workspace: string, run: string): string | undefined {
  const source = readLock(recordOf(workspace, run).folder)?.settings.source;
  return typeof source === "string" ? givenPath(source, homeOf(workspace, run)) : undefined;
}

/** Runs that came to their end; what a killed one left has no tables to look at. */
function isWhole({ status }: RunSummary): boolean {
  return status === "complete" || status === "failed" || status === "waiting";
}

/** The runs of a workspace, oldest first; none where there is no workspace. */
export function summaries(workspace: string): RunSummary[] {
  return listRuns(workspace).flatMap((run) => summarizeRun(run) ?? []);
}

/** The settings that a run had, by parameter of its recipe. */
export function settingsOf(workspace: string, run: string): Row {
  for (const entry of readJournal(join(recordOf(workspace, run).folder, "journal.jsonl"))) {
    if (entry.type === "run-started") return entry.settings;
  }
  return {};
}

/**
 * Where relative paths of a run's settings begin: where its caller stood, or, where that is gone, the
 * folder that its workspace lies in.
 */
export function homeOf(workspace: string, run: string): string {
  const { cwd } = readLock(recordOf(workspace, run).folder) ?? {};
  return cwd !== undefined && existsSync(cwd) ? cwd : dirname(workspace);
}

/**
 * The folder of pictures that a run was given: its setting `source`, from `homeOf` on. Throws when
 * there is no such folder any more.
 */
export function sourceOf(workspace: string, run: string): string {
  const { source } = settingsOf(workspace, run);
  const given = Deno.env.get("TINTYPE_NOTEBOOK_SOURCE") || source;
  if (typeof given !== "string") {
    throw new Error(`Cannot find the pictures of run "${run}": it has no setting "source"`);
  }
  const path = givenPath(given, homeOf(workspace, run));
  if (existsSync(path)) return path;
  throw advice(
    `Cannot find the pictures of run "${run}": there is no folder "${path}" ` +
      "(set TINTYPE_NOTEBOOK_SOURCE to where they are)",
  );
}

function givenPath(given: string, home: string): string {
  return /^~[/\\]/.test(given)
    ? join(Deno.env.get("HOME") ?? "", given.slice(2))
    : resolve(home, given);
}

export interface CommandOptions {
  readonly workspace: string;
  /** By parameter of the recipe. */
  readonly settings: Row;
}

/** The command that runs a recipe in a workspace, its words as a POSIX shell reads them back. */
export function commandOf(recipe: string, { workspace, settings }: CommandOptions): string {
  const set = Object.entries(settings).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return ` \\\n  --set ${shellWord(`${name}=${text}`)}`;
  });
  return `deno task tintype run ${shellWord(recipe)} --workspace ${shellWord(workspace)}` +
    set.join("");
}

/** Why tasks of a run were done or not: one row for each node, outcome and reason. */
export function reasonsOf(workspace: string, run: string): Row[] {
  const groups = new Map<string, number>();
  for (const { node, outcome, why } of storiesOf(recordOf(workspace, run)).stories) {
    const key = JSON.stringify([node, outcome, why]);
    groups.set(key, (groups.get(key) ?? 0) + 1);
  }
  return [...groups].map(([key, tasks]) => {
    const [node, outcome, why] = JSON.parse(key) as string[];
    return { node, outcome, tasks, why };
  });
}

/**
 * Bytes of the pictures and other files that each node of a run gave, by node. Columns that say how large
 * something else is, such as the original in the metadata, do not count.
 */
export async function weightsOf(catalog: CatalogDb): Promise<Map<string, number>> {
  const { rows } = await catalog.query(`
    SELECT own.table_name, own.column_name FROM duckdb_columns() AS own
    JOIN duckdb_columns() AS beside ON own.table_name = beside.table_name
      AND beside.column_name = regexp_replace(own.column_name, 'bytes$', 'hash')
    WHERE own.column_name ~ '^(.*_)?bytes$' AND own.table_name <> 'items'
    ORDER BY own.table_name, own.column_index`);
  const weights = new Map<string, number>();
  for (const { table_name, column_name } of rows) {
    const { rows: [sum] } = await catalog.query(
      `SELECT sum(${quoteName(String(column_name))})::DOUBLE AS bytes FROM ${
        quoteName(String(table_name))
      }`,
    );
    const node = String(table_name);
    weights.set(node, (weights.get(node) ?? 0) + Number(sum?.bytes ?? 0));
  }
  return weights;
}

/** The graph of a checked recipe. Throws what is wrong with it, as the command line shows it. */
export function graphOf({ graph, diagnostics }: CheckedRecipe): Graph {
  if (graph !== undefined) return graph;
  throw new Error(diagnostics.map((each) => formatDiagnostic(each)).join("\n\n"));
}

/** The baseline that a run of `normalize` found. */
export async function baselineOf(catalog: CatalogDb): Promise<Baseline> {
  return await onlyRow(catalog, "baseline_baseline", baselineShape);
}

/** The policy that a run of `normalize` advised, with its reasons. */
export async function recommendationOf(catalog: CatalogDb): Promise<Recommendation> {
  return await onlyRow(catalog, "advised", recommendationShape);
}

/** The row of a table that has one, nested values parsed. Throws where it has none. */
export async function onlyRow<Shape extends z.ZodType>(
  catalog: CatalogDb,
  view: string,
  shape: Shape,
): Promise<z.output<Shape>> {
  const { rows } = await catalog.query(`SELECT * FROM ${quoteName(view)}`);
  const row = rows[0];
  if (row === undefined || row.status !== "produced") {
    throw new Error(`Cannot read "${view}": ${row?.reason ?? "the run did not make it"}`);
  }
  const types = await catalog.query(`DESCRIBE ${quoteName(view)}`);
  const nested = new Set(
    types.rows.filter((column) => column.column_type === "JSON").map((column) =>
      column.column_name
    ),
  );
  const values = Object.entries(row).map(([name, cell]) =>
    [name, nested.has(name) && typeof cell === "string" ? JSON.parse(cell) : cell] as const
  );
  return shape.parse(Object.fromEntries(values));
}

function recordOf(workspace: string, run: string): RunRecord {
  const found = listRuns(workspace).find(({ id }) => id === run);
  if (found !== undefined) return found;
  throw new Error(`Cannot open run "${run}": there is none of that name in "${workspace}"`);
}
