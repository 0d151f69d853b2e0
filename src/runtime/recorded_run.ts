import { join } from "node:path";
import { existsSync } from "node:fs";
import { formatDiagnostic } from "./diagnostic.ts";
import type { SettledOutputs } from "./event.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { type HashList, readHashList } from "./hash_list.ts";
import type { TaskKey } from "./hash.ts";
import { readJournal } from "./journal.ts";
import { listRuns, otherRuns, readLock, type RunLock, type RunRecord } from "./records.ts";
import { Session } from "./session.ts";
import { type TableDefinition, tablesOf } from "./tables.ts";
import type { NodeParts } from "./task_key.ts";

/** Something is wrong with what was asked for: there is no such run, it cannot be packed, … */
export class RecordProblem extends Error {
  override readonly name = "RecordProblem";
}

/** What was settled in a run under a key. */
export interface RecordedTask {
  readonly node: string;
  readonly item?: string;
  readonly key: TaskKey;
  /** Given where it was done in this run. */
  readonly outputs?: SettledOutputs;
}

/** A run that came to its end, with what it was made of. */
export interface RecordedRun {
  readonly record: RunRecord;
  readonly lock: RunLock & Required<Pick<RunLock, "cwd" | "path" | "inputs" | "outputs">>;
  /** The recipe as it was run. */
  readonly text: string;
}

/** Opens a run by its name, or the newest as "last". Throws `RecordProblem`, saying `verb`. */
export function openRecord(workspace: string, run: string, verb: string): RecordedRun {
  const problem = (what: string) => new RecordProblem(`Cannot ${verb} run "${run}": ${what}`);
  const runs = listRuns(workspace);
  const record = run === "last" ? runs.at(-1) : runs.find(({ id }) => id === run);
  if (record === undefined) {
    throw problem(
      runs.length === 0
        ? `there is no run in "${workspace}"`
        : `there is none of that name${otherRuns(runs, run)}`,
    );
  }
  const lock = readLock(record.folder);
  const path = join(record.folder, "recipe.yaml");
  if (lock === undefined || !existsSync(path)) throw problem("its lock.json or recipe is gone");
  const { cwd, path: recipePath, inputs, outputs } = lock;
  if (cwd === undefined || recipePath === undefined) {
    throw problem("an older Tintype made it, which kept no hashes; run the recipe again");
  }
  if (inputs === undefined || outputs === undefined) {
    throw problem("it was broken off, so its outputs are not known; run the recipe again");
  }
  const text = Deno.readTextFileSync(path);
  return { record, lock: { ...lock, cwd, path: recipePath, inputs, outputs }, text };
}

/** The graph of a run as this Tintype understands its recipe. Throws `RecordProblem`. */
export async function graphOfRecord(
  session: Session,
  { record, lock, text }: RecordedRun,
  verb: string,
): Promise<Graph> {
  const there = new Session({ ...session.options, cwd: lock.cwd });
  const source = { path: lock.path, text };
  const { graph, diagnostics } = await there.check(source, {
    settings: settingsOfLock(lock),
    needsValues: true,
  });
  if (graph === undefined) {
    const first = diagnostics.find(({ severity }) => severity === "error") ?? diagnostics[0];
    const words = first === undefined ? "it is wrong" : formatDiagnostic(first);
    throw new RecordProblem(
      `Cannot ${verb} run "${record.id}": its recipe does not check now\n${words}`,
    );
  }
  const ran = new Set(lock.nodes.map(({ id }) => id));
  return { ...graph, nodes: graph.nodes.filter(({ id }) => ran.has(id)) };
}

/** The settings of a run, as a recipe takes them: null stands for a value that was not given. */
export function settingsOfLock({ settings }: RunLock): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));
}

/** The key parts of a run's nodes, as they were. */
export function partsOfLock({ nodes }: RunLock): ReadonlyMap<string, NodeParts> {
  return new Map(nodes.map(({ id, ...parts }) => [id, parts]));
}

/** The tasks of a run that have a key, in the order in which they were settled. */
export function* tasksOfRecord({ folder }: RunRecord): Iterable<RecordedTask> {
  for (const entry of readJournal(join(folder, "journal.jsonl"))) {
    if (entry.type !== "task-settled" || entry.key === undefined) continue;
    const { node, item, key, outputs } = entry;
    yield { node, item, key, outputs };
  }
}

/** A table of a run with its hashes. */
export interface RecordedTable {
  readonly definition: TableDefinition;
  readonly list: HashList;
}

/** The hashes of a node's tables in a run. Throws `RecordProblem` where a list is gone. */
export function tablesOfRecord({ folder, id }: RunRecord, node: GraphNode): RecordedTable[] {
  return tablesOf(node).map((definition) => {
    const list = readHashList(join(folder, "tables"), definition.name);
    if (list !== undefined) return { definition, list };
    throw new RecordProblem(
      `Cannot read run "${id}": the hashes of "${definition.name}" are gone from its tables`,
    );
  });
}

/** The items that a run had of each scan, by source node. */
export function itemsOfRecord(
  run: RecordedRun,
  nodes: readonly GraphNode[],
): ReadonlyMap<string, ReadonlyMap<string, string | null>> {
  const sources = nodes.filter(({ id }) => run.lock.sources.includes(id));
  return new Map(sources.map((node) => {
    const { list } = tablesOfRecord(run.record, node)[0]!;
    const rows = [...list.rows.values()].filter(({ item }) => item !== null);
    return [node.id, new Map(rows.map(({ item, hashes }) => [item!, hashes[0] ?? null]))];
  }));
}
