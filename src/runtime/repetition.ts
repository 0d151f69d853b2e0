import { join } from "node:path";
import type { ArtifactRef } from "./artifact.ts";
import { ActionCache, isUnchanged, type StoredResult } from "./cache.ts";
import type { ItemChoice } from "./chosen_items.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { canonicalJson, type Json, sha256 } from "./hash.ts";
import type { HandleScope } from "./handles.ts";
import type { Item } from "./items.ts";
import { localDisk } from "./local_disk.ts";
import { type Performed, Performer } from "./performer.ts";
import { Pools } from "./pools.ts";
import { lookForPlan, partsOf, scanForPlan } from "./preparation.ts";
import { type Resolution, Resolver, type TaskInputs } from "./resolver.ts";
import { isSource, stagesOf } from "./stages.ts";
import type { Services } from "./step.ts";
import { ArtifactStore } from "./store.ts";
import type { Finding } from "./verification.ts";

/** A task of a run that has a result. */
export interface RepeatableTask {
  readonly node: string;
  readonly key: string;
}

export interface RepetitionOptions {
  readonly workspace: string;
  readonly graph: Graph;
  /** The tasks of the run that is repeated. */
  readonly tasks: Iterable<RepeatableTask>;
  /** How many of them, spread over the nodes. */
  readonly sample: number | "all";
  /** Which tasks a sample has is drawn by it. */
  readonly seed: string;
  readonly choice: ItemChoice;
  readonly services: Services;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Repetition {
  /** Tasks that were done again. */
  readonly repeated: number;
  /** Tasks that could not be reached: a photo, a step or a tool is not what it was in the run. */
  readonly unreached: number;
  readonly findings: readonly Finding[];
}

/**
 * Does tasks of a run again and compares what comes out, byte for byte, with what the cache has. Only
 * steps that compute are called: none that asks a remote model, a person or the world. Nothing is written.
 */
export async function repeatTasks(options: RepetitionOptions): Promise<Repetition> {
  const path = join(options.workspace, "cache.sqlite");
  const cache = ActionCache.open(path, { readOnly: true });
  try {
    const parts = new Map(
      await Promise.all(
        options.graph.nodes.map(async (node) =>
          [node.id, await partsOf(node, options.services)] as const
        ),
      ),
    );
    const { nodes, recipe } = options.graph;
    const store = new ArtifactStore(join(options.workspace, "store"), cache, localDisk);
    const isForced = () => false;
    const resolver = new Resolver({ recipe, nodes, parts, isForced, cache, store });
    return await new Repeater(options, { cache, store, resolver }).repeat();
  } finally {
    cache.close();
  }
}

/** Whether a step's result can come only from its inputs. */
export function isRepeatable({ step }: GraphNode): boolean {
  return step.origin === "computed" && step.world === undefined;
}

/** Reads like the real one, keeps nothing of what is made, and lets nothing be taken away. */
class ComparingStore extends ArtifactStore {
  constructor(readonly real: ArtifactStore) {
    super(real.folder, real.cache, real.disk);
  }

  override put(): Promise<void> {
    return Promise.resolve();
  }

  override async read(ref: ArtifactRef): Promise<Uint8Array> {
    return await this.real.read(ref);
  }

  override discard(): void {}
}

interface Task {
  readonly node: GraphNode;
  readonly item?: Item;
  readonly inputs: TaskInputs;
  readonly expected: StoredResult;
}

class Repeater {
  readonly #chosen: Set<string>;
  readonly #total: number;
  readonly #looker: Performer;
  readonly #performer: Performer;
  readonly #findings: Finding[] = [];
  #repeated = 0;

  constructor(
    readonly options: RepetitionOptions,
    readonly parts: {
      readonly cache: ActionCache;
      readonly store: ArtifactStore;
      readonly resolver: Resolver;
    },
  ) {
    this.#chosen = new Set(chooseTasks(options));
    this.#total = this.#chosen.size;
    this.#looker = this.#newPerformer(parts.store);
    this.#performer = this.#newPerformer(new ComparingStore(parts.store));
  }

  async repeat(): Promise<Repetition> {
    for (const stage of stagesOf(this.options.graph.nodes)) {
      for (const node of stage.once) await this.#once(node);
      for (const [space, nodes] of stage.perItem) await this.#items(space, nodes);
    }
    return {
      repeated: this.#repeated,
      unreached: this.#chosen.size,
      findings: this.#findings,
    };
  }

  #newPerformer(store: ArtifactStore): Performer {
    const { graph, services, signal } = this.options;
    return new Performer({
      recipe: graph.recipe,
      nodes: graph.nodes,
      resolver: this.parts.resolver,
      store,
      disk: localDisk,
      services,
      pools: new Pools({ cpu: navigator.hardwareConcurrency, onnx: 1 }),
      retry: { retries: 0, minWaitMs: 0, maxWaitMs: 0 },
      signal: signal ?? new AbortController().signal,
      emit: () => {},
    });
  }

  async #once(node: GraphNode) {
    this.options.signal?.throwIfAborted();
    if (isSource(node)) {
      await scanForPlan(node, this.#looker, this.parts.resolver, this.options.choice);
      return;
    }
    const resolution = node.step.world === "reads"
      ? await lookForPlan(node, this.#looker, this.parts.resolver)
      : this.parts.resolver.resolve(node, undefined);
    const task = this.#taskOf(node, undefined, resolution);
    if (task !== undefined) await this.#compareAll([task]);
  }

  async #items(space: string, nodes: readonly GraphNode[]) {
    const items = this.parts.resolver.spaces.get(space)?.items ?? [];
    const index = this.parts.cache.filesAt(items.flatMap((item) => item.file?.path ?? []));
    const atWork = new Set<Promise<void>>();
    const most = 2 * navigator.hardwareConcurrency +
      2 * Math.max(0, ...nodes.map(({ step }) => step.batch?.size ?? 0));
    for (const item of items) {
      this.options.signal?.throwIfAborted();
      const tasks: Task[] = [];
      for (const node of nodes) {
        const resolution = isSource(node)
          ? await this.#resolveFile(node, item, index.get(item.file?.path ?? ""))
          : this.parts.resolver.resolve(node, item);
        const task = resolution === undefined ? undefined : this.#taskOf(node, item, resolution);
        if (task !== undefined) tasks.push(task);
      }
      if (tasks.length === 0) continue;
      while (atWork.size >= most) await Promise.race(atWork);
      const work: Promise<void> = this.#performer.underWay(() => this.#compareAll(tasks))
        .finally(() => atWork.delete(work));
      atWork.add(work);
    }
    await Promise.all(atWork);
  }

  async #resolveFile(
    node: GraphNode,
    item: Item,
    known: Parameters<typeof isUnchanged>[1] | undefined,
  ): Promise<Resolution | undefined> {
    if (item.file === undefined) return undefined;
    const { store, resolver } = this.parts;
    const isKnown = known !== undefined && isUnchanged(item.file, known);
    try {
      const hash = isKnown ? known.hash : sha256(await localDisk.read(item.file.path));
      store.addOriginal(hash, item.file);
      return resolver.resolveFile(node, item, hash);
    } catch (error) {
      if (error instanceof Error && "code" in error) return undefined; // gone, or not to be read
      throw error;
    }
  }

  /** Keeps what is known of a task for those behind it; gives it where it is to be done again. */
  #taskOf(node: GraphNode, item: Item | undefined, resolution: Resolution): Task | undefined {
    const { resolver } = this.parts;
    if (resolution.type === "miss") return undefined;
    if (resolution.type === "blocked") {
      resolver.settle(node, item, resolution.status);
      return undefined;
    }
    const { key, inputs, result } = resolution;
    resolver.settle(node, item, result.status, result);
    return this.#chosen.delete(key) ? { node, item, inputs, expected: result } : undefined;
  }

  /** The tasks of one item, whose pixels are decoded once. */
  async #compareAll(tasks: readonly Task[]) {
    const scope = this.#performer.newScope();
    try {
      for (const task of tasks) await this.#compare(task, scope);
    } finally {
      await scope.release();
    }
  }

  async #compare({ node, item, inputs, expected }: Task, scope: HandleScope) {
    const performed = await this.#performer.perform(node, item, inputs, scope);
    this.#repeated++;
    this.options.onProgress?.(this.#repeated, this.#total);
    const difference = differenceOf(expected, performed);
    if (difference === undefined) return;
    const { code, words } = difference;
    const where = item === undefined ? "" : ` on "${item.name}"`;
    this.#findings.push({
      code,
      message: code === "not-deterministic"
        ? `Step "${node.step.name}" (${node.id}) is not deterministic${where}: ${words}`
        : `Cannot repeat step "${node.step.name}" (${node.id})${where}: ${words}`,
      recipe: this.options.graph.recipe,
      node: node.id,
      step: node.step.name,
      item: item?.name,
      keys: [],
      help: code === "not-deterministic"
        ? "the same inputs must give the same bytes: look in the step for the clock, chance, the " +
          "order of a Set or of files, or threads; a tool that matters belongs into tools()"
        : "tintype errors says what can be done about it",
    });
  }
}

/** Keys of tasks that can be repeated: all, or so many in turn from each node. */
function chooseTasks({ graph, tasks, sample, seed }: RepetitionOptions): string[] {
  const byNode = new Map<string, Set<string>>();
  for (const node of graph.nodes.filter(isRepeatable)) byNode.set(node.id, new Set());
  for (const { node, key } of tasks) byNode.get(node)?.add(key);
  const all = [...byNode.values()].map((keys) => [...keys]);
  if (sample === "all") return all.flat();
  const drawn = all.map((keys) =>
    keys.map((key) => ({ key, lot: sha256(seed + key) })).sort((a, b) => a.lot < b.lot ? -1 : 1)
  );
  const chosen: string[] = [];
  for (let turn = 0; chosen.length < sample && drawn.some((each) => each.length > turn); turn++) {
    chosen.push(...drawn.flatMap((each) => each[turn]?.key ?? []));
  }
  return chosen.slice(0, sample);
}

/** What is not as it was, in words. */
function differenceOf(
  expected: StoredResult,
  performed: Performed,
): { readonly code: "not-deterministic" | "not-repeatable"; readonly words: string } | undefined {
  if (performed.type === "unfinished") {
    return { code: "not-repeatable", words: performed.result.reason };
  }
  if (performed.isProvisional) {
    return { code: "not-repeatable", words: "what it asks for does not answer as it did" };
  }
  const { result, failedMembers } = performed;
  const [failure] = failedMembers.values();
  if (failure !== undefined) return { code: "not-repeatable", words: failure };
  const words = resultDifference(expected, result);
  return words === undefined ? undefined : { code: "not-deterministic", words };
}

function resultDifference(before: StoredResult, after: StoredResult): string | undefined {
  if (before.status !== after.status) {
    const words = (each: StoredResult) =>
      each.status === "produced" ? "a result" : `left out (${each.reason})`;
    return `${words(after)}, before ${words(before)}`;
  }
  if (before.reason !== after.reason) return `"${after.reason}", before "${before.reason}"`;
  if (!isSame(before.numbers ?? {}, after.numbers ?? {})) {
    return `numbers ${JSON.stringify(after.numbers)}, before ${JSON.stringify(before.numbers)}`;
  }
  for (const port of Object.keys(before.outputs)) {
    const [old, now] = [before.outputs[port], after.outputs[port]];
    if (isSame(old, now)) continue;
    const [oldPart, nowPart] = firstDifference(old as unknown, now as unknown);
    return `output "${port}" is ${nowPart}, before ${oldPart}`;
  }
  return undefined;
}

function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson((a ?? null) as Json) === canonicalJson((b ?? null) as Json);
}

/** The first parts that differ: sha256 where the bytes do, else what is known of them. */
function firstDifference(before: unknown, after: unknown): readonly [string, string] {
  const [old, now] = [refsWithin(before), refsWithin(after)];
  for (let at = 0; at < Math.max(old.length, now.length); at++) {
    if (isSame(old[at], now[at])) continue;
    if (old[at]?.hash !== now[at]?.hash) {
      const words = (ref: ArtifactRef | undefined) =>
        ref === undefined ? "nothing" : `sha256 ${ref.hash}`;
      return [words(old[at]), words(now[at])];
    }
    return [JSON.stringify(old[at]?.facts), JSON.stringify(now[at]?.facts)];
  }
  return [JSON.stringify(before).slice(0, 200), JSON.stringify(after).slice(0, 200)];
}

/** The references of an output in their order; a member that was rejected counts as nothing. */
function refsWithin(output: unknown): (ArtifactRef | undefined)[] {
  if (typeof output !== "object" || output === null) return [];
  if ("one" in output) return [output.one as ArtifactRef];
  if ("born" in output) {
    return (output.born as { readonly ref: ArtifactRef }[]).map(({ ref }) => ref);
  }
  const { members } = output as { readonly members: readonly (object | null)[] };
  return members.map((each) => each !== null && "hash" in each ? each as ArtifactRef : undefined);
}
