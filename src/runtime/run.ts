import type { ArtifactRef, Kind } from "./artifact.ts";
import { type ActionCache, isUnchanged, type StoredResult } from "./cache.ts";
import type { Disk, FileStat } from "./disk.ts";
import { causeOf } from "./cause.ts";
import type { Counts, ItemCounts, RunListener } from "./event.ts";
import { type GraphNode, outputPorts } from "./graph.ts";
import type { HandleScope } from "./handles.ts";
import { type ContentHash, sha256, type TaskKey } from "./hash.ts";
import { Item, type Space } from "./items.ts";
import { chosenOf, keepShare } from "./chosen_items.ts";
import { keepBorn } from "./outputs.ts";
import { MemoryValve } from "./memory.ts";
import { failureOf, NotBegun, type Performed, Performer, type RetryOptions } from "./performer.ts";
import type { Pools } from "./pools.ts";
import type { Resolution, Resolver, TaskInputs } from "./resolver.ts";
import { Settler } from "./settler.ts";
import type { Shard } from "./shard.ts";
import { hasItemTasks, isSource, stagesOf } from "./stages.ts";
import { StatIndex } from "./stat_index.ts";
import type { Born, Failed, Services } from "./step.ts";
import { type ArtifactStore, ChangedFile } from "./store.ts";
import type { TableWriter } from "./tables.ts";
import type { Reason } from "./task_key.ts";
import { timed } from "./task_time.ts";
import type { Footprint } from "./trail.ts";
import { Trails } from "./trails.ts";

export interface RunOptions {
  readonly recipe: string;
  readonly nodes: readonly GraphNode[];
  /** At most so many items of each scan. */
  readonly limit?: number;
  /** By source node, the only items that are taken; all when left out. */
  readonly items?: ReadonlyMap<string, ReadonlySet<string>>;
  /** Of those, this part; all when left out. */
  readonly shard?: Shard;
  readonly retry: RetryOptions;
  /** Fires when the run is to stop: what is in flight is finished, nothing new begins. */
  readonly signal: AbortSignal;
}

/** Where a run's effects go. */
export interface RunEffects {
  readonly resolver: Resolver;
  readonly cache: ActionCache;
  readonly store: ArtifactStore;
  readonly disk: Disk;
  readonly services: Services;
  readonly pools: Pools;
  readonly tables: TableWriter;
  readonly emit: RunListener;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface RunOutcome {
  readonly counts: Counts;
  readonly items: ItemCounts;
  readonly isInterrupted: boolean;
}

/** Timers, signals and the progress bar have their turn this often in a long synchronous pass. */
const breatheMs = 30;

/** How many items beyond those at work are read ahead, so that no core waits for a disk. */
const readAhead = 1;

/** Runs a graph's nodes. Construct it, call `run()` once. */
export class Run {
  readonly #performer: Performer;
  readonly #settler: Settler;
  readonly #memory = new MemoryValve();
  readonly #running = new Map<TaskKey, Promise<void>>();
  /** Of the stage that items are going through. */
  #trails: Trails | undefined;
  /** Nodes that nobody else need try, with the reason. */
  readonly #givenUp = new Map<string, string>();

  constructor(readonly options: RunOptions, readonly effects: RunEffects) {
    this.#performer = new Performer({ ...options, ...effects });
    this.#settler = new Settler({ ...effects, nodes: options.nodes, memory: this.#memory });
  }

  async run(): Promise<RunOutcome> {
    using _watch = this.#memory.watch();
    for (const stage of stagesOf(this.options.nodes)) {
      for (const node of stage.once) {
        this.#memory.consider();
        if (!this.#isStopped) await this.#runOnce(node);
        if (!isSource(node)) keepShare(node, this.effects.resolver, this.options.shard);
        this.#memory.consider();
        if (!hasItemTasks(node)) await this.#settler.seal(node);
      }
      for (const [space, nodes] of stage.perItem) {
        await this.#runItems(this.effects.resolver.spaces.get(space), nodes);
        for (const node of nodes) {
          this.#memory.consider();
          await this.#settler.seal(node);
        }
      }
      this.effects.cache.flush();
    }
    const items = itemCounts([...this.effects.resolver.spaces.values()]);
    return { counts: this.#settler.counts, items, isInterrupted: this.#isStopped };
  }

  get #isStopped(): boolean {
    return this.options.signal.aborted;
  }

  async #runOnce(node: GraphNode) {
    const resolution = this.effects.resolver.resolve(node, undefined);
    if (resolution.type === "blocked") return this.#settler.blocked(node, undefined, resolution);
    if (isSource(node)) return await this.#scan(node, resolution.inputs);
    if (node.step.world === "reads") return await this.#look(node, resolution.inputs);
    if (
      resolution.type === "hit" && await this.#performer.isCurrent(node, resolution.inputs)
    ) {
      return this.#settler.hit(node, undefined, resolution.key, resolution.result);
    }
    const reason: Reason = resolution.type === "miss"
      ? resolution.reason
      : { type: "outside-changed" };
    this.#memory.consider();
    await this.#execute(node, undefined, { ...resolution, reason }, this.#performer.newScope());
  }

  /** Reads something outside, each time; it counts as cached when it is what it was. */
  async #look(node: GraphNode, inputs: TaskInputs) {
    const { resolver } = this.effects;
    const scope = this.#performer.newScope();
    const { value: performed, elapsedMs } = await timed(() =>
      this.#performer.perform(node, undefined, inputs, scope)
    );
    if (performed.type === "unfinished") {
      this.#settler.notes(node, undefined, performed.notes);
      return this.#settler.unfinished(node, undefined, undefined, performed.result, 0);
    }
    const seen = resolver.resolveSeen(node, inputs, performed.result);
    if (seen.type === "hit") return this.#settler.hit(node, undefined, seen.key, seen.result);
    this.#reportStart(node, undefined, seen.key, seen.reason);
    this.#settle(node, undefined, { ...seen, elapsedMs }, performed);
  }

  /** Names the items of a scan. They are read later, one by one, as they flow. */
  async #scan(node: GraphNode, inputs: TaskInputs) {
    const { resolver, emit } = this.effects;
    const { result, notes } = await this.#performer.scan(node, inputs);
    this.#settler.notes(node, undefined, notes);
    if (result.status !== "produced") {
      const { reason } = result;
      const failure: Failed = { status: "failed", reason };
      return this.#settler.unfinished(node, undefined, undefined, failure, 0);
    }
    resolver.settle(node, undefined, "produced");
    const [port] = outputPorts(node.step).find(([, each]) => each.flow === "many")!;
    const space = resolver.space(node, port);
    const born = result.outputs[port] as readonly Born<Kind>[];
    const { kept, isLimited } = chosenOf(born, node, this.options);
    space.isCut = isLimited || (result.isPartial ?? false);
    for (const birth of kept) {
      if ("file" in birth) space.items.push(new Item(birth.name, birth.file));
    }
    await this.#bearValues(node, port, kept);
    const count = space.items.length;
    const files = space.items.filter((item) => item.file !== undefined).length;
    const users = this.options.nodes.filter((each) =>
      each.space === space.id && hasItemTasks(each)
    );
    emit({ type: "items-found", node: node.id, count, tasks: count * users.length + files });
  }

  /** Items that come with their value need no first look. */
  async #bearValues(node: GraphNode, port: string, born: readonly Born<Kind>[]) {
    const values = born.filter((birth) => "value" in birth);
    if (values.length === 0) return;
    const output = await keepBorn(this.effects.store, node, port, values);
    const result: StoredResult = { status: "produced", outputs: { [port]: output } };
    this.effects.resolver.settle(node, undefined, "produced", result);
  }

  async #runItems(space: Space | undefined, nodes: readonly GraphNode[]) {
    if (space === undefined || space.items.length === 0) return;
    const window = this.#window(nodes);
    const { cache } = this.effects;
    const paths = space.items.flatMap((item) => item.file?.path ?? []);
    this.#trails = Trails.of(nodes, this.effects);
    const unknown = space.items.length - (this.#trails?.load(paths) ?? 0);
    const index = new StatIndex(cache, paths);
    cache.preload(nodes.map((node) => this.effects.resolver.parts(node)), unknown * nodes.length);
    const inFlight = new Set<Promise<void>>();
    const bugs: unknown[] = [];
    let breath = performance.now();
    let count = 0;
    for (const item of space.items) {
      if (this.#isStopped || bugs.length > 0) break;
      const next = this.#advance(item, nodes, index);
      if (next < nodes.length) {
        while (inFlight.size >= window) await Promise.race(inFlight);
        const flow: Promise<void> = this.#flow(item, nodes.slice(next), index)
          .catch((error) => void bugs.push(error))
          .finally(() => inFlight.delete(flow));
        inFlight.add(flow);
      }
      // Asking for the time of each item would be a part of the time of a rerun.
      if (++count % 32 === 0 && performance.now() - breath > breatheMs) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        breath = performance.now();
      }
    }
    await Promise.all(inFlight);
    cache.unload();
    if (bugs.length > 0) throw bugs[0];
  }

  /** How many items may be under way: enough to fill every pool and batch, and some read ahead. */
  #window(nodes: readonly GraphNode[]): number {
    const { pools } = this.effects;
    const names = new Set(nodes.map((node) => node.step.pool ?? "cpu"));
    const places = [...names].reduce((sum, name) => sum + pools.size(name), 0);
    const batches = nodes.map((node) => node.step.batch?.size ?? 0);
    return places + readAhead + 2 * Math.max(0, ...batches);
  }

  /**
   * Settles what is known of an item without waiting for anything, and gives the place of the first
   * node that has to work. A rerun is this function and little else.
   */
  #advance(item: Item, nodes: readonly GraphNode[], index: StatIndex): number {
    if (this.#followTrail(item, nodes)) return nodes.length;
    for (let at = 0; at < nodes.length; at++) {
      const node = nodes[at]!;
      if (isSource(node) && item.file === undefined) continue;
      const resolution = isSource(node)
        ? this.#resolveIndexed(node, item, index)
        : this.effects.resolver.resolve(node, item);
      if (resolution === undefined || resolution.type === "miss") return at;
      // A copy that is forced is at work on another result.
      if (resolution.type === "hit" && this.#running.has(resolution.key)) return at;
      if (resolution.type === "blocked") this.#settler.blocked(node, item, resolution);
      else this.#hit(node, item, resolution);
    }
    this.#trails?.forget(item);
    return nodes.length;
  }

  /** Settles all that the stage makes of a file that is as it was; false where there is more to do. */
  #followTrail(item: Item, nodes: readonly GraphNode[]): boolean {
    const trail = this.#trails?.read(item);
    if (trail === undefined) return false;
    this.#settler.follow(nodes, item, trail);
    return true;
  }

  #hit(node: GraphNode, item: Item, footprint: Footprint) {
    this.#trails?.note(item, node, footprint);
    this.#settler.hit(node, item, footprint.key, footprint.result);
  }

  /** What is known of a file that the stat index knows; undefined when it has to be read. */
  #resolveIndexed(node: GraphNode, item: Item, index: StatIndex): Resolution | undefined {
    const known = index.get(item.file!.path);
    if (known === undefined || !isUnchanged(item.file!, known)) return undefined;
    item.seenMs = known.seenMs;
    this.effects.store.addOriginal(known.hash, item.file!);
    return this.effects.resolver.resolveFile(node, item, known.hash);
  }

  /** Takes an item through its nodes, then frees what it held in memory. */
  async #flow(item: Item, nodes: readonly GraphNode[], index: StatIndex) {
    const scope = this.#performer.newScope();
    try {
      await this.#performer.underWay(async () => {
        for (const node of nodes) {
          if (this.#isStopped) return;
          if (isSource(node)) await this.#identify(node, item, scope, index);
          else await this.#runItem(node, item, scope);
        }
      });
    } catch (error) {
      if (!(error instanceof NotBegun)) throw error;
    } finally {
      this.#trails?.forget(item);
      await scope.end();
    }
  }

  async #runItem(node: GraphNode, item: Item, scope: HandleScope): Promise<void> {
    const resolution = this.effects.resolver.resolve(node, item);
    if (resolution.type === "blocked") return this.#settler.blocked(node, item, resolution);
    // A copy of this picture is at work: its result will be this one's too.
    const twin = this.#running.get(resolution.key);
    if (twin !== undefined) {
      await this.#performer.aside(twin);
      return await this.#runItem(node, item, scope);
    }
    if (resolution.type === "hit") return this.#knownAfterAll(node, item, resolution);
    const why = this.#givenUp.get(node.id);
    if (why !== undefined) return this.#settler.givenUp(node, item, why);
    await this.#alone(resolution.key, () => this.#execute(node, item, resolution, scope));
  }

  /** Keeps others from doing the same task at the same time. */
  async #alone(key: TaskKey, work: () => Promise<void>) {
    const running = work();
    this.#running.set(key, running.catch(() => {}));
    try {
      await running;
    } finally {
      this.#running.delete(key);
    }
  }

  /** A result that was known under another name, or has just been made for a copy. */
  #knownAfterAll(
    node: GraphNode,
    item: Item,
    { key, result }: { readonly key: TaskKey; readonly result: StoredResult },
  ) {
    const { cache, resolver } = this.effects;
    cache.noteLatest({ node: resolver.taskNode(node), item: item.name, key });
    this.#hit(node, item, { key, result });
  }

  async #execute(
    node: GraphNode,
    item: Item | undefined,
    task: { readonly key: TaskKey; readonly inputs: TaskInputs; readonly reason: Reason },
    scope: HandleScope,
  ) {
    this.#reportStart(node, item, task.key, task.reason);
    const { value: performed, elapsedMs } = await timed(() =>
      this.#performer.perform(node, item, task.inputs, scope)
    );
    if (item === undefined) this.#memory.consider();
    this.#settle(node, item, { ...task, elapsedMs }, performed);
    const isKept = performed.type === "stored" && !performed.isProvisional;
    if (task.reason.type !== "forced" || !isKept) return;
    this.effects.resolver.noteRedone(task.key);
  }

  /** Reads a file that enters from outside: its hash, and a first look at its header. */
  async #identify(node: GraphNode, item: Item, scope: HandleScope, index: StatIndex) {
    const { store } = this.effects;
    const started = performance.now();
    const file = item.file!;
    const read = await this.#hashOf(item, index);
    if ("status" in read) {
      return this.#settler.unfinished(node, item, undefined, read, performance.now() - started);
    }
    const { hash, bytes } = read;
    store.addOriginal(hash, file);
    const [port, { kind }] = outputPorts(node.step).find(([, each]) => each.flow === "many")!;
    const byteLength = bytes?.length ?? file.size;
    const ref: ArtifactRef = { kind: kind.name, hash, byteLength };
    // The steps that follow get the bytes that were just read for the hash, until the item is done.
    if (bytes !== undefined) scope.own(bytes);
    const readBytes = async (each: ArtifactRef) => bytes?.length ? bytes : await store.read(each);
    if (bytes !== undefined) void scope.open(ref, kind, readBytes).catch(() => {});
    const open = () => scope.open(ref, kind, readBytes);
    await this.#firstLook(node, item, hash, async (task) => {
      const performed = await this.#performer.identify(kind, ref, port, open);
      this.#settle(node, item, { ...task, elapsedMs: performance.now() - started }, performed);
    });
  }

  async #firstLook(
    node: GraphNode,
    item: Item,
    hash: ContentHash,
    look: (task: { readonly key: TaskKey; readonly inputs: TaskInputs }) => Promise<void>,
  ): Promise<void> {
    const resolution = this.effects.resolver.resolveFile(node, item, hash);
    if (resolution.type === "blocked") return; // a file has no inputs that could be missing
    if (resolution.type === "hit") return this.#knownAfterAll(node, item, resolution);
    const twin = this.#running.get(resolution.key);
    if (twin !== undefined) {
      await this.#performer.aside(twin);
      return await this.#firstLook(node, item, hash, look);
    }
    this.#reportStart(node, item, resolution.key, resolution.reason);
    await this.#alone(resolution.key, () => look(resolution));
  }

  async #hashOf(
    item: Item,
    index: StatIndex,
  ): Promise<{ readonly hash: ContentHash; readonly bytes?: Uint8Array } | Failed> {
    const file = item.file!;
    const known = index.get(file.path);
    if (known !== undefined && isUnchanged(file, known)) {
      item.seenMs = known.seenMs;
      return { hash: known.hash };
    }
    const { disk, cache } = this.effects;
    let read: { readonly hash: ContentHash; readonly bytes: Uint8Array };
    const seenMs = this.effects.now();
    try {
      const bytes = await disk.read(file.path);
      read = { hash: sha256(bytes), bytes };
      const after = disk.stat(file.path);
      if (after === undefined) throw new ChangedFile("removed");
      // What is read while it is written is neither what the file was nor what it will be.
      if (!isSameLook(file, after)) throw new ChangedFile("changed");
    } catch (error) {
      const isGone = error instanceof Deno.errors.NotFound;
      return failureOf(isGone ? new ChangedFile("removed") : error);
    }
    item.seenMs = seenMs;
    cache.indexFile(file.path, { ...file, seenMs, hash: read.hash });
    return read;
  }

  #reportStart(node: GraphNode, item: Item | undefined, key: TaskKey, why: Reason) {
    const where = { node: node.id, item: item?.name };
    if (why.type === "lost") {
      this.effects.emit({ type: "blob-lost", ...where, hash: why.hash, problem: "missing" });
    }
    this.effects.emit({ type: "task-started", ...where, key, why });
  }

  #settle(
    node: GraphNode,
    item: Item | undefined,
    task: { readonly key: TaskKey; readonly inputs: TaskInputs; readonly elapsedMs: number },
    performed: Performed,
  ) {
    if (performed.type === "stored") {
      this.#settler.done(node, item, task, performed);
      const { result, isProvisional } = performed;
      if (item !== undefined && !isProvisional) {
        this.#trails?.note(item, node, { key: task.key, result }, true);
      }
      return;
    }
    const { notes, result } = performed;
    const why = this.#givenUp.get(node.id);
    const stopsNode = result.status === "failed" && result.stopsNode;
    if (stopsNode && why !== undefined && item !== undefined) {
      this.#settler.givenUp(node, item, why);
      return;
    }
    if (stopsNode) this.#givenUp.set(node.id, result.reason);
    this.#settler.notes(node, item, notes);
    this.#settler.unfinished(node, item, task.key, result, task.elapsedMs);
  }
}

function itemCounts(spaces: readonly Space[]): ItemCounts {
  const counts = { rejected: 0, failed: 0, waiting: 0 };
  for (const { items } of spaces) {
    for (const item of items) {
      for (const outcome of outcomesOf(item)) counts[outcome]++;
    }
  }
  return counts;
}

/** That a step had nothing to go by follows from another end, and is none of the item's own. */
function outcomesOf(item: Item): ReadonlySet<keyof ItemCounts> {
  const ends = item.ends();
  const isExplained = item.isMissed || ends.length > 1;
  const own = ends.filter(({ outcome, reason }) =>
    !isExplained || causeOf(outcome, reason).code !== "nothing-to-go-by"
  );
  return new Set(own.map(({ outcome }) => outcome));
}

/** Whether two looks at a file show the same state of it. */
function isSameLook(
  before: Pick<FileStat, "size" | "mtimeMs" | "inode">,
  after: Pick<FileStat, "size" | "mtimeMs" | "inode">,
): boolean {
  return before.size === after.size && before.mtimeMs === after.mtimeMs &&
    before.inode === after.inode;
}
