import { join, resolve } from "node:path";
import { ActionCache } from "./cache.ts";
import { cacheProblem } from "./cache_file.ts";
import type { Catalog } from "./catalog.ts";
import type { CatalogDb } from "./catalog_db.ts";
import { type CheckOptions, checkRecipe, usesStepFiles } from "./check.ts";
import type { Kind } from "./artifact.ts";
import { type Diagnostic, obvious } from "./diagnostic.ts";
import type { Disk } from "./disk.ts";
import type { Counts, ItemCounts, RunListener } from "./event.ts";
import { type Graph, type GraphNode, inputPorts, outputPorts, withoutUnused } from "./graph.ts";
import { sha256 } from "./hash.ts";
import { Journal } from "./journal.ts";
import { loadModule } from "./load_module.ts";
import { localDisk } from "./local_disk.ts";
import { type Holder, WorkspaceLock } from "./lock.ts";
import { Performer, type RetryOptions } from "./performer.ts";
import { type ChosenNodes, chosenNodes } from "./chosen_nodes.ts";
import { forcing } from "./forcing.ts";
import type { PlannedGroup } from "./plan.ts";
import { lookForPlan, partsOf, scanAll, scanForPlan, withForecasts } from "./preparation.ts";
import { Pools } from "./pools.ts";
import { parseRecipe, type Recipe } from "./recipe.ts";
import { listRuns, previousTables, type RunSummary, summarizeRun } from "./records.ts";
import { Resolver } from "./resolver.ts";
import { Run } from "./run.ts";
import { lockText, sealLock } from "./run_lock.ts";
import { nextRunName } from "./run_name.ts";
import type { Settings } from "./settings.ts";
import { SourceFile } from "./source.ts";
import type { AnyStep, Born, Releasable, Services } from "./step.ts";
import { ArtifactStore } from "./store.ts";
import type { StoredResult } from "./stored_result.ts";
import { TableWriter } from "./tables.ts";
import { tracedDisk } from "./traces.ts";
import { refusalOf, WorkspaceProblem } from "./workspace_problem.ts";
import type { NodeParts } from "./task_key.ts";
import {
  type AllowSteps,
  allowSteps,
  prepareSteps,
  recallAllowed,
  releaseSteps,
} from "./step_approval.ts";
import type { Shard } from "./shard.ts";
import { startEvent } from "./start_event.ts";
import { withPlaces, writeSameFiles, writesIntoSources } from "./places.ts";

export { ShardProblem, UnknownNode } from "./chosen_nodes.ts";

export interface SessionOptions {
  readonly catalog: Catalog;
  /** Where relative paths begin. */
  readonly cwd: string;
  /** The folder for cache, store and runs. */
  readonly workspace: string;
  /** What steps may reach beyond this machine. */
  readonly services?: Services;
  /** The clock, for tests. */
  readonly now?: () => Date;
}

/** A recipe as text, with the steps that only it has. */
export interface RecipeText {
  /** What messages show; user steps are looked for beside it. */
  readonly path: string;
  readonly text: string;
  readonly steps?: readonly AnyStep[];
}

export interface CheckedRecipe {
  /** Undefined where there are errors. */
  readonly graph?: Graph;
  readonly diagnostics: readonly Diagnostic[];
}

export interface RunSettings {
  /** How many items are computed at the same time; one more than there are cores when left out. */
  readonly jobs?: number;
  /** Limits of other pools, by name. */
  readonly pools?: Readonly<Record<string, number>>;
  /** Run this node and what it needs, nothing after it. */
  readonly until?: string;
  /**
   * Nodes whose cached results are not used: `captions`, or `captions:trip/*.jpg` for the items of
   * that name or pattern.
   */
  readonly force?: readonly string[];
  /** At most so many items of each scan. */
  readonly limit?: number;
  /** By source node, the only items that are taken; all when left out. */
  readonly items?: ReadonlyMap<string, ReadonlySet<string>>;
  /** Of those, this part, and only the nodes that can do without the others. */
  readonly shard?: Shard;
  /** By node, what its tasks share in their keys, in place of what this machine has. */
  readonly parts?: ReadonlyMap<string, NodeParts>;
  /** By key, results that are used although the cache has not kept them. */
  readonly known?: ReadonlyMap<string, StoredResult>;
  readonly retry?: Partial<RetryOptions>;
  readonly signal?: AbortSignal;
  readonly listener?: RunListener;
  /** Hears who is in the way when the workspace is taken. */
  readonly onWait?: (holder: Holder | undefined) => void;
  /** What the steps look at the world through; this machine's file system when left out. */
  readonly disk?: Disk;
  /** Leaves services as they are, for the next run: whoever wants that calls `releaseAll`. */
  readonly keepsServices?: boolean;
  /** Whether step files may have what they ask for; only what was allowed before, when left out. */
  readonly allowSteps?: AllowSteps;
}

export type PlanSettings = RunSettings;

export interface RunReport {
  readonly run: string;
  readonly folder: string;
  readonly status: "complete" | "failed" | "waiting" | "interrupted";
  readonly counts: Counts;
  readonly items: ItemCounts;
}

/** Everything that can be done with recipes in one workspace: what CLI, web and notebooks use. */
export class Session {
  constructor(readonly options: SessionOptions) {}

  /** Reads and checks a recipe's file. Throws the platform's error when it cannot be read. */
  async checkFile(
    path: string,
    options: { readonly settings?: Settings; readonly needsValues?: boolean } = {},
  ): Promise<CheckedRecipe> {
    const text = Deno.readTextFileSync(resolve(this.options.cwd, path)).replace(/^\uFEFF/, "");
    return await this.check({ path, text }, options);
  }

  /** Checks a recipe: every mistake at once, and the graph where there is none. */
  async check(
    source: RecipeText,
    options: { readonly settings?: Settings; readonly needsValues?: boolean } = {},
  ): Promise<CheckedRecipe> {
    const { recipe, diagnostics } = parseRecipe(new SourceFile(source.path, source.text));
    if (recipe === undefined) return { diagnostics };
    const catalog = await this.#catalogFor(recipe, source.steps ?? []);
    const checked = usesStepFiles(recipe)
      ? await this.#checkWithStepFiles(recipe, source.path, { ...options, catalog })
      : checkRecipe(recipe, { ...options, catalog });
    const all = [...diagnostics, ...checked.diagnostics];
    const hasError = all.some((diagnostic) => diagnostic.severity === "error");
    if (hasError || checked.graph === undefined) return { diagnostics: all };
    const placed = withPlaces(checked.graph, this.options.cwd);
    const clashes = [...writesIntoSources(placed, recipe), ...writeSameFiles(placed, recipe)];
    all.push(...clashes);
    if (clashes.some(({ severity }) => severity === "error")) return { diagnostics: all };
    const graph = withoutUnused(placed);
    recallAllowed(graph.nodes, this.options.workspace);
    return { graph, diagnostics: all };
  }

  /** The catalogue with the steps of a recipe loaded, and those that only this recipe has. */
  async #catalogFor(recipe: Recipe, steps: readonly AnyStep[]): Promise<Catalog> {
    const { catalog } = this.options;
    const names = catalog.names();
    const uses = recipe.nodes.flatMap(({ use }) => use?.text ?? []);
    const meant = uses.flatMap((use) => names.includes(use) ? use : obvious(use, names) ?? []);
    await catalog.load([...meant, ...steps.map((step) => step.name)]);
    const own = steps.filter((step) => catalog.get(step.name) !== step);
    return own.length === 0 ? catalog : catalog.with(own);
  }

  async #checkWithStepFiles(recipe: Recipe, path: string, options: CheckOptions) {
    const { checkWithStepFiles } = await load<typeof import("./user_steps.ts")>("./user_steps.ts");
    const recipePath = resolve(this.options.cwd, path);
    return await this.#withCache(
      "read",
      (memory) => checkWithStepFiles(recipe, { ...options, recipePath, memory }),
    );
  }

  /** What a run would do and why, grouped. Writes nothing. */
  async plan(graph: Graph, settings: PlanSettings = {}): Promise<PlannedGroup[]> {
    const { nodes, held } = chosenNodes(graph, settings);
    const { heldGroup, planRun } = await load<typeof import("./plan.ts")>("./plan.ts");
    return await this.#withCache("read", async (cache) => {
      const { performer, resolver } = await this.#looker(graph, nodes, settings, cache);
      const groups = await planRun({
        resolver,
        nodes,
        look: (node) => lookForPlan(node, performer, resolver),
        scan: (node) => scanForPlan(node, performer, resolver, settings),
        statIndex: (items) => cache.filesAt(items.flatMap((item) => item.file?.path ?? [])),
        rehash: async (item, known) =>
          known?.size === item.file!.size
            ? sha256(await localDisk.read(item.file!.path))
            : undefined,
        isCurrent: (node, inputs) => performer.isCurrent(node, inputs),
      });
      return [...await withForecasts(groups, nodes, this.#services), ...held.map(heldGroup)];
    });
  }

  /** What the scans of a graph find, by node; nothing of it is read. Throws where one cannot. */
  async scan(
    graph: Graph,
    settings: PlanSettings = {},
  ): Promise<ReadonlyMap<string, readonly Born<Kind>[]>> {
    const { nodes } = chosenNodes(graph, settings);
    return await this.#withCache("read", async (cache) => {
      const { performer } = await this.#looker(graph, nodes, settings, cache);
      return await scanAll(nodes, performer);
    });
  }

  /** Runs a graph, waiting for its turn in the workspace. */
  async run(graph: Graph, settings: RunSettings = {}): Promise<RunReport> {
    const chosen = chosenNodes(graph, settings);
    const { workspace } = this.options;
    let lock: WorkspaceLock | undefined;
    try {
      Deno.mkdirSync(join(workspace, "runs"), { recursive: true });
      writeIgnoreFile(workspace);
      let run = "";
      const holder = () => {
        // Only when it has its turn: others may have begun while it waited.
        const now = this.#now();
        run = nextRunName(runNames(workspace), now);
        return { pid: Deno.pid, run, since: now.toISOString() };
      };
      const onWait = settings.onWait ?? (() => {});
      await allowSteps(chosen.nodes, workspace, settings.allowSteps);
      lock = await WorkspaceLock.acquire(join(workspace, "lock"), holder, onWait);
      return await this.#withCache(
        "write",
        (cache) => this.#runLocked({ run, graph, chosen }, settings, cache),
      );
    } catch (error) {
      throw workspaceProblem(workspace, error);
    } finally {
      await releaseSteps(chosen.nodes);
      if (!settings.keepsServices) {
        await releaseAll(this.#services);
        await restKinds(chosen.nodes);
      }
      lock?.release();
    }
  }

  /** The runs of the workspace, oldest first. */
  runs(): RunSummary[] {
    return listRuns(this.options.workspace).flatMap((run) => summarizeRun(run) ?? []);
  }

  /** What the runs found, as a DuckDB database. */
  async openCatalog(options: { readonly run?: string } = {}): Promise<CatalogDb> {
    const { openCatalog } = await load<typeof import("./catalog_db.ts")>("./catalog_db.ts");
    return await openCatalog({ workspace: this.options.workspace, ...options });
  }

  async #runLocked(
    { run, graph, chosen }: {
      readonly run: string;
      readonly graph: Graph;
      readonly chosen: ChosenNodes;
    },
    settings: RunSettings,
    cache: ActionCache,
  ): Promise<RunReport> {
    const { workspace } = this.options;
    const { nodes } = chosen;
    const startedMs = performance.now();
    prepareSteps(nodes, { jobs: jobsOf(settings), cache });
    const { resolver, store, parts } = await this.#resolver(graph, nodes, settings, cache);
    store.sweep();
    const previous = previousTables(workspace, graph.recipe);
    sweepRuns(workspace);
    const traced = tracedDisk(settings.disk ?? localDisk, join(workspace, "unfinished.jsonl"));
    const folder = join(workspace, "runs", run);
    Deno.mkdirSync(folder);
    Deno.writeTextFileSync(join(folder, "recipe.yaml"), graph.text);
    Deno.writeTextFileSync(
      join(folder, "lock.json"),
      lockText(graph, nodes, { ...settings, parts, cwd: this.options.cwd }),
    );
    const journal = new Journal(join(folder, "journal.jsonl"), {
      now: () => this.#now(),
      beforeWrite: () => cache.flush(),
    });
    const tables = new TableWriter(join(folder, "tables"), previous, (ref) => {
      const bytes = store.readNow(ref);
      return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes));
    });
    const emit: RunListener = (event) => {
      journal.listener(event);
      settings.listener?.(event);
    };
    try {
      emit(startEvent(run, graph, chosen, { shard: settings.shard, pid: Deno.pid }));
      const { counts, items, isInterrupted } = await new Run({
        recipe: graph.recipe,
        nodes,
        limit: settings.limit,
        items: settings.items,
        shard: settings.shard,
        retry: { ...retryDefaults, ...settings.retry },
        signal: settings.signal ?? new AbortController().signal,
      }, {
        resolver,
        cache,
        store,
        disk: traced.disk,
        services: this.#services,
        pools: poolsOf(settings),
        tables,
        emit,
        now: () => this.#now().getTime(),
      }).run();
      tables.close();
      if (!isInterrupted) sealLock(folder, tables.digests);
      const status = statusOf(counts, isInterrupted);
      const elapsedMs = Math.round(performance.now() - startedMs);
      cache.flush();
      emit({ type: "run-finished", run, status, counts, items, elapsedMs });
      return { run, folder, status, counts, items };
    } finally {
      // Whatever it ended by, it has cleared up behind itself; only a kill leaves something.
      traced.finish();
      tables.abandon();
      journal.close();
    }
  }

  /** What looks at the world for a plan. */
  async #looker(
    graph: Graph,
    nodes: readonly GraphNode[],
    settings: PlanSettings,
    cache: ActionCache,
  ) {
    const { resolver, store } = await this.#resolver(graph, nodes, settings, cache);
    const performer = new Performer({
      recipe: graph.recipe,
      nodes,
      resolver,
      store,
      disk: settings.disk ?? localDisk,
      services: this.#services,
      pools: new Pools({}),
      retry: retryDefaults,
      signal: new AbortController().signal,
      emit: () => {},
    });
    return { performer, resolver };
  }

  async #resolver(
    graph: Graph,
    nodes: readonly GraphNode[],
    settings: RunSettings,
    cache: ActionCache,
  ) {
    const store = new ArtifactStore(join(this.options.workspace, "store"), cache, localDisk);
    const partsHere = async (node: GraphNode) => {
      const lastTools = cache.isReadOnly
        ? () => cache.lastTools(`${graph.recipe}/${node.id}`)
        : undefined;
      const { parts, signal } = settings;
      return parts?.get(node.id) ?? await partsOf(node, this.#services, { lastTools, signal });
    };
    const parts = new Map(
      await Promise.all(nodes.map(async (node) => [node.id, await partsHere(node)] as const)),
    );
    const isForced = await forcing(settings.force ?? []);
    const resolver = new Resolver({
      recipe: graph.recipe,
      nodes,
      parts,
      isForced,
      hasForced: (settings.force ?? []).length > 0,
      cache,
      known: settings.known,
      store,
    });
    return { resolver, store, parts };
  }

  get #services(): Services {
    return this.options.services ?? new Map();
  }

  #now(): Date {
    return this.options.now?.() ?? new Date();
  }

  async #withCache<Value>(
    mode: "read" | "write",
    work: (cache: ActionCache) => Promise<Value>,
  ): Promise<Value> {
    const path = join(this.options.workspace, "cache.sqlite");
    const cache = ActionCache.open(path, { readOnly: mode === "read" });
    try {
      return await work(cache);
    } catch (error) {
      throw cacheProblem(path, error);
    } finally {
      cache.close();
    }
  }
}

/** What most commands do without. */
async function load<Module>(path: string): Promise<Module> {
  return await loadModule(path, import.meta.url);
}

const retryDefaults: RetryOptions = { retries: 4, minWaitMs: 1_000, maxWaitMs: 60_000 };

/** Lets go of models and workers. */
export async function releaseAll(services: Services): Promise<void> {
  for (const service of services.values()) await (service as Partial<Releasable>).release?.();
}

/** Lets go of what the values that went through these nodes share. */
async function restKinds(nodes: readonly GraphNode[]): Promise<void> {
  const ports = nodes.flatMap(({ step }) => [...inputPorts(step), ...outputPorts(step)]);
  for (const kind of new Set(ports.map(([, port]) => port.kind))) await kind.rest?.();
}

/** One more than there are cores: while one picture has the main thread, all cores decode others. */
function jobsOf({ jobs }: RunSettings): number {
  return jobs ?? navigator.hardwareConcurrency + 1;
}

function poolsOf(settings: RunSettings): Pools {
  // How many calls of a model go on at once is a setting of the step that makes them.
  return new Pools({ cpu: jobsOf(settings), onnx: 1, vision: 64, ...settings.pools });
}

function statusOf(counts: Counts, isInterrupted: boolean): RunReport["status"] {
  if (isInterrupted) return "interrupted";
  if (counts.failed > 0) return "failed";
  return counts.waiting > 0 ? "waiting" : "complete";
}

function runNames(workspace: string): readonly string[] {
  return localDisk.list(join(workspace, "runs")).map(({ name }) => name);
}

/** Removes what the run before left half-written, if it was killed; its tables are read as they are. */
function sweepRuns(workspace: string) {
  const last = runNames(workspace).toSorted().at(-1);
  if (last !== undefined) TableWriter.sweep(join(workspace, "runs", last, "tables"), localDisk);
}

/** What the system refuses, said of the workspace; any other error as it is. */
function workspaceProblem(workspace: string, error: unknown): unknown {
  const refusal = refusalOf(error);
  return refusal === undefined ? error : new WorkspaceProblem(workspace, refusal, error);
}

/** Keeps a workspace out of a dataset's version control. */
function writeIgnoreFile(workspace: string) {
  const path = join(workspace, ".gitignore");
  if (localDisk.stat(path) === undefined) Deno.writeTextFileSync(path, "*\n");
}
