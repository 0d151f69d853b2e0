import type { ActionCache, IndexedFile } from "./cache.ts";
import { type GraphNode, outputPorts } from "./graph.ts";
import { canonicalJson, type Json, type TaskKey } from "./hash.ts";
import type { Item } from "./items.ts";
import type { Resolver } from "./resolver.ts";
import { isSource } from "./stages.ts";
import { readResult, type StoredResult, writeResult } from "./stored_result.ts";

/** A node's result for an item, under its key. */
export interface Footprint {
  readonly key: TaskKey;
  readonly result: StoredResult;
}

/**
 * What a stage's nodes made of each scanned file, kept by the file's path in one piece: of a file that is
 * as it was, a rerun reads that instead of making a key for each of its tasks and looking it up, which
 * takes a third of the time. It holds nothing that the action cache does not; that drops all trails
 * whenever a result in it is taken away or replaced.
 */
export class Trails {
  readonly #underWay = new Map<Item, (Footprint | undefined)[]>();
  /** Else the cache is still to be told which key a task has now. */
  readonly #isReadable: boolean;

  private constructor(
    readonly nodes: readonly GraphNode[],
    readonly stage: number,
    readonly effects: { readonly cache: ActionCache; readonly resolver: Resolver },
  ) {
    this.#isReadable = nodes.every((node) => effects.resolver.hasSameParts(node));
  }

  /** Undefined for a stage that also takes something of each item from elsewhere. */
  static of(
    nodes: readonly GraphNode[],
    effects: { readonly cache: ActionCache; readonly resolver: Resolver },
  ): Trails | undefined {
    const { cache, resolver } = effects;
    if (nodes[0] === undefined || !isSource(nodes[0]) || cache.isReadOnly) return undefined;
    const parts: Json[] = [];
    for (const node of nodes) {
      const wires = wiresWithin(node, nodes, resolver);
      if (wires === undefined) return undefined;
      const { step, version, params, tools } = resolver.parts(node);
      parts.push([node.id, step, version, params, tools, wires]);
    }
    const name = nodes.map((node) => resolver.taskNode(node)).join(" ");
    return new Trails(nodes, cache.stageId(name, canonicalJson(parts)), effects);
  }

  /** How many of the files have a trail. */
  countIn(index: ReadonlyMap<string, IndexedFile>): number {
    let count = 0;
    if (this.#isReadable) { for (const { trail } of index.values()) if (trail) count++; }
    return count;
  }

  /**
   * What each node made of the item, whose file has this hash now; undefined where something of it has to
   * be done. The stat index is every recipe's: it may know of a newer file than the trail.
   */
  read(item: Item, text: string | undefined, hash: string): readonly Footprint[] | undefined {
    if (text === undefined || !this.#isReadable) return undefined;
    const { resolver } = this.effects;
    if (this.nodes.some((node) => resolver.isForced(node, item))) return undefined;
    const { name, footprints } = parsedTrail(text) ?? {};
    if (name !== item.name || footprints?.length !== this.nodes.length) return undefined;
    const first = Object.values(footprints[0]!.result.outputs)[0];
    if (first === undefined || !("one" in first) || first.one.hash !== hash) return undefined;
    const isWhole = footprints.every(({ result }) => resolver.firstLost(result) === undefined);
    return isWhole ? footprints : undefined;
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
    const texts = steps.map((each) => `,"${each!.key}",${writeResult(each!.result)}`);
    const text = `[${JSON.stringify(item.name)}${texts.join("")}]`;
    this.forget(item);
    this.effects.cache.keepTrail(this.stage, item.file.path, text);
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

/** Undefined for a text that was damaged: the tasks are looked up one by one then. */
function parsedTrail(text: string) {
  try {
    const [name, ...steps] = JSON.parse(text) as [string, ...unknown[]];
    const footprints: Footprint[] = [];
    for (let at = 0; at < steps.length; at += 2) {
      footprints.push({ key: steps[at] as TaskKey, result: readResult(steps[at + 1]) });
    }
    return { name, footprints };
  } catch {
    return undefined;
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
