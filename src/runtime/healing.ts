import { join } from "node:path";
import { CacheLedger, refsOf } from "./cache_ledger.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { readJournal } from "./journal.ts";
import { localDisk } from "./local_disk.ts";
import {
  graphOfRecord,
  itemsOfRecord,
  openRecord,
  type RecordedRun,
  RecordProblem,
} from "./recorded_run.ts";
import { listRuns, readLock, type RunRecord } from "./records.ts";
import { Session } from "./session.ts";
import { inlineLimit } from "./store.ts";
import { placeParams } from "./values.ts";
import type { Finding } from "./verification.ts";

/** A node of a run that can make something again. */
export interface Cure {
  readonly run: RunRecord;
  readonly node: string;
}

/** What is wrong, and what would make it right. */
export interface Case {
  finding: Finding;
  readonly cures: readonly Cure[];
}

/** Where a result came from. */
export interface Origin extends Cure {
  readonly recipe: string;
  readonly item?: string;
}

/** A run with its graph. */
export interface OpenedRun {
  readonly recorded: RecordedRun;
  readonly graph: Graph;
}

/** Opens runs for looking at them; what cannot be opened is noted once. */
export class RunOpener {
  readonly notes: string[] = [];

  constructor(readonly session: Session) {}

  async open(run: RunRecord): Promise<OpenedRun | undefined> {
    try {
      const recorded = openRecord(this.session.options.workspace, run.id, "check");
      return { recorded, graph: await graphOfRecord(this.session, recorded, "check") };
    } catch (error) {
      if (!(error instanceof RecordProblem)) throw error;
      const [line = ""] = error.message.split("\n");
      if (!this.notes.includes(line)) this.notes.push(line);
      return undefined;
    }
  }
}

/** The folders that the runs wrote to: by owner (`<recipe>/<node>`) the newest run that did. */
export async function publishedPlaces(
  opener: RunOpener,
): Promise<ReadonlyMap<string, ReadonlyMap<string, Cure>>> {
  const places = new Map<string, Map<string, Cure>>();
  const seen = new Set<string>();
  for (const run of listRuns(opener.session.options.workspace).reverse()) {
    const known = recipeText(run);
    if (known === undefined || seen.has(known)) continue;
    seen.add(known);
    const opened = await opener.open(run);
    for (const node of opened?.graph.nodes ?? []) {
      if (node.step.world !== "writes") continue;
      const owner = `${opened!.graph.recipe}/${node.id}`;
      for (const folder of foldersOf(node)) {
        const owners = places.get(folder) ?? new Map<string, Cure>();
        if (!owners.has(owner)) owners.set(owner, { run, node: node.id });
        places.set(folder, owners);
      }
    }
  }
  return places;
}

/** Runs nodes again, each with what it needs and nothing after it, by the recipes of their runs. */
export async function runAgain(
  opener: RunOpener,
  cases: readonly Case[],
  options: { readonly signal?: AbortSignal; readonly onProgress?: (words: string) => void },
): Promise<void> {
  const wanted = new Map<string, { readonly run: RunRecord; readonly nodes: Set<string> }>();
  for (const { run, node } of cases.flatMap(({ cures }) => cures)) {
    const entry = wanted.get(run.id) ?? { run, nodes: new Set<string>() };
    entry.nodes.add(node);
    wanted.set(run.id, entry);
  }
  for (const { run, nodes } of wanted.values()) {
    const opened = await opener.open(run);
    if (opened === undefined) continue;
    for (const node of opened.graph.nodes.filter(({ id }) => nodes.has(id))) {
      options.onProgress?.(`running "${node.id}" of "${opened.graph.recipe}" again`);
      await runNode(opener, opened, node, options.signal);
    }
  }
}

async function runNode(
  { session, notes }: RunOpener,
  { recorded, graph }: OpenedRun,
  node: GraphNode,
  signal: AbortSignal | undefined,
) {
  const { cwd, limit, path } = recorded.lock;
  const there = new Session({ ...session.options, cwd });
  // What a folder is to hold goes by what there is now; anything else by what there was.
  const items = node.step.world === "writes" ? undefined : itemNames(recorded, graph);
  const settings = { until: node.id, limit, items };
  const asked = (await there.plan(graph, settings)).find(({ verdict, node: id }) =>
    verdict === "run" && graph.nodes.find((each) => each.id === id)?.step.origin === "remote"
  );
  if (asked === undefined) await there.run(graph, { ...settings, signal });
  else {
    notes.push(
      `"${node.id}" is not made again, since "${asked.node}" would ask a remote model ` +
        `(tintype run ${path} does)`,
    );
  }
}

/** Whether the results of a finding are there again, with all that they name. */
export function areWhole(workspace: string, keys: readonly string[]): boolean {
  const ledger = CacheLedger.open(join(workspace, "cache.sqlite"), { readOnly: true });
  try {
    return keys.every((key) => isWhole(workspace, ledger, key));
  } finally {
    ledger.close();
  }
}

function isWhole(workspace: string, ledger: CacheLedger, key: string): boolean {
  const task = ledger.task(key);
  if (task === undefined) return false;
  return [...refsOf(task.result)].every(({ hash, byteLength }) => {
    if (hash === task.inputs["file"]) return true; // an original, which is not kept
    if (byteLength <= inlineLimit) return ledger.hasBlob(hash);
    const path = join(workspace, "store", hash.slice(0, 2), hash.slice(2));
    return localDisk.stat(path)?.size === byteLength;
  });
}

/** Of some keys, which node of which run had them last. */
export function originsOf(
  workspace: string,
  keys: ReadonlySet<string>,
): ReadonlyMap<string, Origin> {
  const origins = new Map<string, Origin>();
  if (keys.size === 0) return origins;
  for (const run of listRuns(workspace).reverse()) {
    const recipe = readLock(run.folder)?.recipe ?? "";
    for (const entry of readJournal(join(run.folder, "journal.jsonl"))) {
      if (entry.type !== "task-settled" || entry.key === undefined) continue;
      if (!keys.has(entry.key) || origins.has(entry.key)) continue;
      origins.set(entry.key, { run, recipe, node: entry.node, item: entry.item });
    }
    if (origins.size === keys.size) break;
  }
  return origins;
}

/** Each node of each run once. */
export function uniqueCures(origins: readonly Origin[]): readonly Cure[] {
  const cures = origins.map(({ run, node }) => [`${run.id}/${node}`, { run, node }] as const);
  return [...new Map(cures).values()];
}

/** What makes two runs publish the same way: recipe, settings and where they were run. */
function recipeText({ folder }: RunRecord): string | undefined {
  const lock = readLock(folder);
  if (lock === undefined) return undefined;
  try {
    const text = Deno.readTextFileSync(join(folder, "recipe.yaml"));
    return JSON.stringify([text, lock.settings, lock.cwd, lock.path]);
  } catch {
    return undefined; // its recipe is gone, and with it where it wrote to
  }
}

function foldersOf({ step, params }: GraphNode): string[] {
  return [...placeParams(step)].flatMap(([name, place]) => {
    const value = params[name];
    return place === "folder" && typeof value === "string" ? [value] : [];
  });
}

/** The tasks of a run that have a result. */
export function* tasksWithResult({ folder }: RunRecord) {
  for (const entry of readJournal(join(folder, "journal.jsonl"))) {
    if (entry.type !== "task-settled" || entry.key === undefined) continue;
    if (["ran", "cached", "rejected"].includes(entry.outcome)) {
      yield { node: entry.node, key: entry.key };
    }
  }
}

/** The items of a run by scan; undefined where that is not known any more. */
export function itemNames(
  recorded: RecordedRun,
  graph: Graph,
): ReadonlyMap<string, ReadonlySet<string>> | undefined {
  try {
    const items = itemsOfRecord(recorded, graph.nodes);
    return new Map([...items].map(([node, rows]) => [node, new Set(rows.keys())]));
  } catch (error) {
    if (error instanceof RecordProblem) return undefined;
    throw error;
  }
}
