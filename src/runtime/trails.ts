import { type ActionCache, isOlderThanLook } from "./cache.ts";
import { type GraphNode, outputPorts } from "./graph.ts";
import { canonicalJson, type Json } from "./hash.ts";
import type { Item } from "./items.ts";
import type { Resolver } from "./resolver.ts";
import { isSource } from "./stages.ts";
import type { ArtifactStore } from "./store.ts";
import { type Footprint, type Trail, TrailForm } from "./trail.ts";

interface TrailsEffects {
  readonly cache: ActionCache;
  readonly resolver: Resolver;
  readonly store: ArtifactStore;
}

/** Longer ones, of thousands of warnings, are not kept: hundreds are read in one text. */
const longestTrail = 100_000;

/**
 * What a stage's nodes made of each scanned file, kept by the file's path in one piece: of a file that is
 * as it was, a rerun reads that instead of making a key for each of its tasks and looking it up: 2 s in
 * place of 8 for 100,000 files and three nodes. It holds nothing that the action cache does not; that drops all trails
 * whenever a result in it is taken away or replaced.
 */
export class Trails {
  readonly #underWay = new Map<Item, (Footprint | undefined)[]>();
  /** Else the cache is still to be told which key a task has now, or a copy's result may be made anew. */
  readonly #isReadable: boolean;
  readonly #form: TrailForm;
  #texts: ReadonlyMap<string, string> = new Map();

  private constructor(
    readonly nodes: readonly GraphNode[],
    readonly stage: number,
    readonly effects: TrailsEffects,
  ) {
    const { resolver } = effects;
    this.#isReadable = !resolver.options.hasForced &&
      nodes.every((node) => resolver.hasSameParts(node));
    this.#form = new TrailForm(nodes, resolver.slots);
  }

  /** Undefined for a stage that also takes something of each item from elsewhere. */
  static of(nodes: readonly GraphNode[], effects: TrailsEffects): Trails | undefined {
    const { cache, resolver } = effects;
    if (nodes[0] === undefined || !isSource(nodes[0]) || cache.isReadOnly) return undefined;
    const parts: Json[] = [TrailForm.version];
    for (const node of nodes) {
      const wires = wiresWithin(node, nodes, resolver);
      if (wires === undefined) return undefined;
      const { step, version, params, tools } = resolver.parts(node);
      parts.push([node.id, step, version, params, tools, wires]);
    }
    const name = nodes.map((node) => resolver.taskNode(node)).join(" ");
    return new Trails(nodes, cache.stageId(name, canonicalJson(parts)), effects);
  }

  /** Reads what there is of some files, and gives how many have something. */
  load(paths: readonly string[]): number {
    if (this.#isReadable) this.#texts = this.effects.cache.trailsAt(paths, this.stage);
    return this.#texts.size;
  }

  /**
   * What each node made of the item, if its file is what it was then; undefined where something of it may
   * have to be done.
   */
  read(item: Item): Trail | undefined {
    const { file } = item;
    const text = file && this.#texts.get(file.path);
    if (text === undefined) return undefined;
    const { store, cache } = this.effects;
    const trail = this.#form.read(item, file!, text, cache);
    if (trail === undefined) return undefined;
    store.addOriginal(trail.original, file!);
    for (const ref of trail.stored()) if (!store.has(ref)) return undefined;
    return trail;
  }

  /**
   * Notes a result that the cache has; writes the item's trail when it is the last of them. One that is
   * new may have taken the place of another.
   */
  note(item: Item, node: GraphNode, footprint: Footprint, isNew = false): void {
    if (footprint.result.status !== "produced" || item.file === undefined) return;
    if (isNew) this.#forgetOthers(item, footprint);
    let steps = this.#underWay.get(item);
    if (steps === undefined) this.#underWay.set(item, steps = []);
    steps[this.nodes.indexOf(node)] = footprint;
    if (this.nodes.some((_, at) => steps[at] === undefined)) return;
    this.forget(item);
    const { file, seenMs } = item;
    const isTrusted = seenMs !== undefined && isOlderThanLook(file, seenMs);
    // A line break ends a path where many are read at once; such a file is looked up task by task.
    if (!isTrusted || file.path.includes("\n")) return;
    const text = this.#form.write(item, file, steps as Footprint[]);
    if (text.length <= longestTrail) this.effects.cache.keepTrail(this.stage, file.path, text);
  }

  /** A copy that is under way may have the result that this one has just taken the place of. */
  #forgetOthers(item: Item, { key }: Footprint) {
    for (const [other, steps] of this.#underWay) {
      if (other !== item && steps.some((step) => step?.key === key)) this.#underWay.delete(other);
    }
  }

  /** Lets go of an item that has come to its end. */
  forget(item: Item): void {
    this.#underWay.delete(item);
  }
}

/** By port, what a node is wired to; undefined where one wire brings something of each item from outside. */
function wiresWithin(
  node: GraphNode,
  nodes: readonly GraphNode[],
  resolver: Resolver,
): Record<string, Json> | undefined {
  const wires: Record<string, Json> = {};
  for (const [port, wire] of Object.entries(node.wires)) {
    const source = nodes.find(({ id }) => id === wire.node);
    if (source !== undefined) wires[port] = `${wire.node}.${wire.port}`;
    else {
      const one = resolver.oneRef(wire.node, wire.port);
      if (one === undefined) return undefined;
      wires[port] = one.hash;
    }
  }
  return outputPorts(node.step).every(([, { flow }]) => flow === "each" || isSource(node))
    ? wires
    : undefined;
}
