import type { IndexedFile } from "./cache.ts";
import { isUnchanged } from "./cache.ts";
import type { GraphNode } from "./graph.ts";
import type { Item } from "./items.ts";
import type { Resolution, Resolver, TaskInputs } from "./resolver.ts";
import { isSource, stagesOf } from "./stages.ts";
import { isPerItem } from "./step.ts";
import { type Reason, reasonText } from "./task_key.ts";

/** What a run would do with tasks of one node, for one reason. */
export interface PlannedGroup {
  readonly node: string;
  readonly step: string;
  /** `perhaps`: what it depends on runs first, and may come out the same. */
  readonly verdict: "run" | "perhaps" | "cached" | "rejected" | "skip";
  readonly count: number;
  /** In words; "" for what is cached. */
  readonly why: string;
  /** A few item names, as examples. */
  readonly examples: readonly string[];
  /** What the tasks to run would cost, where the step knows. */
  readonly forecast?: string;
}

export interface PlanEffects {
  readonly resolver: Resolver;
  readonly nodes: readonly GraphNode[];
  /** Names the items of a scan into its space, reading no file. */
  scan(node: GraphNode): Promise<{ readonly problem?: string }>;
  /** Reads something outside that is no scan, and says whether it is what it was. */
  look(node: GraphNode): Promise<Resolution>;
  readonly statIndex: (items: readonly Item[]) => ReadonlyMap<string, IndexedFile>;
  /** The content hash of a file whose stat changed, or undefined for one never seen. */
  rehash(item: Item, known: IndexedFile | undefined): Promise<IndexedFile["hash"] | undefined>;
  /** Whether what a step wrote outside is still there. */
  isCurrent(node: GraphNode, inputs: TaskInputs): Promise<boolean>;
}

/** Says what a run would do and why, grouped; nothing is written. */
export async function planRun(effects: PlanEffects): Promise<PlannedGroup[]> {
  const planner = new Planner(effects);
  await planner.plan();
  return planner.groups();
}

/** What a shard leaves to the run of all items. */
export function heldGroup({ id, step }: GraphNode): PlannedGroup {
  const why = "held for the run without --shard";
  return { node: id, step: step.name, verdict: "skip", count: 1, why, examples: [] };
}

type Verdict = PlannedGroup["verdict"];

class Planner {
  readonly #groups = new Map<string, { group: PlannedGroup; examples: string[]; count: number }>();
  /** Tasks whose outputs are not known yet, as `node` or `node item`. */
  readonly #open = new Set<string>();

  constructor(readonly effects: PlanEffects) {}

  groups(): PlannedGroup[] {
    const order = new Map(this.effects.nodes.map((node, index) => [node.id, index]));
    return [...this.#groups.values()]
      .map(({ group, examples, count }) => ({ ...group, examples, count }))
      .sort((a, b) => order.get(a.node)! - order.get(b.node)! || b.count - a.count);
  }

  async plan() {
    for (const stage of stagesOf(this.effects.nodes)) {
      for (const node of stage.once) await this.#once(node);
      for (const [space, nodes] of stage.perItem) {
        const items = this.effects.resolver.spaces.get(space)?.items ?? [];
        const index = this.effects.statIndex(items);
        for (const item of items) {
          for (const node of nodes) await this.#item(node, item, index);
        }
      }
    }
  }

  async #once(node: GraphNode) {
    const by = this.#openSource(node, undefined);
    if (isSource(node)) {
      const { problem } = await this.effects.scan(node);
      if (problem !== undefined) {
        this.#add(node, undefined, "skip", problem);
        this.#open.add(node.id);
      }
      return;
    }
    if (by !== undefined) return this.#perhaps(node, undefined, by);
    const resolution = node.step.world === "reads"
      ? await this.effects.look(node)
      : this.effects.resolver.resolve(node, undefined);
    if (resolution.type === "hit" && !await this.effects.isCurrent(node, resolution.inputs)) {
      return this.#run(node, undefined, { type: "outside-changed" });
    }
    this.#note(node, undefined, resolution);
  }

  async #item(node: GraphNode, item: Item, index: ReadonlyMap<string, IndexedFile>) {
    if (isSource(node)) {
      if (item.file === undefined) return;
      const known = index.get(item.file!.path);
      const hash = known !== undefined && isUnchanged(item.file!, known)
        ? known.hash
        : await this.effects.rehash(item, known);
      if (hash === undefined) return this.#run(node, item, { type: "new" });
      this.effects.resolver.options.store.addOriginal(hash, item.file!);
      return this.#note(node, item, this.effects.resolver.resolveFile(node, item, hash));
    }
    const by = this.#openSource(node, item);
    if (by !== undefined) return this.#perhaps(node, item, by);
    this.#note(node, item, this.effects.resolver.resolve(node, item));
  }

  #note(node: GraphNode, item: Item | undefined, resolution: Resolution) {
    const { resolver } = this.effects;
    if (resolution.type === "miss") return this.#run(node, item, resolution.reason);
    if (resolution.type === "blocked") {
      resolver.settle(node, item, resolution.status);
      return this.#add(node, item, "skip", `left out at "${resolution.by}"`);
    }
    const { result } = resolution;
    resolver.settle(node, item, result.status, result);
    this.#add(
      node,
      item,
      result.status === "produced" ? "cached" : "rejected",
      result.reason ?? "",
    );
  }

  #run(node: GraphNode, item: Item | undefined, reason: Reason) {
    this.#open.add(openName(node.id, item));
    if (item !== undefined) this.#open.add(`${node.id}\0`);
    this.#add(node, item, "run", reasonText(reason));
  }

  #perhaps(node: GraphNode, item: Item | undefined, by: string) {
    this.#open.add(openName(node.id, item));
    if (item !== undefined) this.#open.add(`${node.id}\0`);
    // What has never run before does not merely run perhaps.
    const previous = this.effects.resolver.previous(node, item);
    this.#add(node, item, previous ? "perhaps" : "run", `after ${by}`);
  }

  /** The source of a task that has to run first. */
  #openSource(node: GraphNode, item: Item | undefined): string | undefined {
    for (const [port, wire] of Object.entries(node.wires)) {
      const { flow } = node.step.inputs[port];
      const source = this.effects.nodes.find((each) => each.id === wire.node)!;
      const isOfItem = flow === "each" && (isPerItem(source.step) || isSource(source));
      const isOpen = flow === "all"
        ? this.#open.has(`${wire.node}\0`) || this.#open.has(wire.node)
        : this.#open.has(openName(wire.node, isOfItem ? item : undefined));
      if (isOpen) return wire.node;
    }
    return undefined;
  }

  #add(node: GraphNode, item: Item | undefined, verdict: Verdict, why: string) {
    const key = `${node.id} ${verdict} ${why}`;
    let entry = this.#groups.get(key);
    if (entry === undefined) {
      const group = { node: node.id, step: node.step.name, verdict, why, count: 0, examples: [] };
      entry = { group, examples: [], count: 0 };
      this.#groups.set(key, entry);
    }
    entry.count++;
    if (item !== undefined && entry.examples.length < 3) entry.examples.push(item.name);
  }
}

function openName(node: string, item: Item | undefined): string {
  return item === undefined ? node : `${node}\0${item.name}`;
}
