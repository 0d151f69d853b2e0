import type { GraphNode, Wire } from "./graph.ts";
import type { HashRow } from "./hash_list.ts";
import { isSource } from "./stages.ts";
import { changedParts, type NodeParts, reasonText } from "./task_key.ts";

/** One thing that came out otherwise than before. */
export interface Difference {
  readonly node: string;
  /** Absent for what a node makes of everything. */
  readonly item?: string;
  /** `image: 3f2a91c0… → 88d1e07b…` */
  readonly what: string;
  /** Why, where that can be told: the first thing that is not as it was. */
  readonly why: string;
}

/** One side: what each node was made of, and what came of each item. */
export interface ReplaySide {
  readonly parts: ReadonlyMap<string, NodeParts>;
  /** By node and output port, the rows by item; a single value is under null. */
  readonly rows: ReadonlyMap<string, ReadonlyMap<string | null, PortRow>>;
}

/** What became of an item at one port. */
export interface PortRow extends Pick<HashRow, "item" | "status" | "reason"> {
  readonly hash: string | null;
}

export function portName({ node, port }: Wire): string {
  return `${node}.${port}`;
}

/**
 * What differs between two executions of a graph, node by node in its order, and why: an input that is
 * not what it was, a step, a version, a library or a model that is another, something before it that
 * came out otherwise; and where all of these are the same, a step that is not deterministic.
 */
export function differencesOf(
  nodes: readonly GraphNode[],
  before: ReplaySide,
  after: ReplaySide,
): Difference[] {
  const comparison = new Comparison(nodes, before, after);
  return nodes.flatMap((node) => comparison.ofNode(node));
}

class Comparison {
  /** The rows that differ, by port. */
  readonly #different = new Map<string, ReadonlySet<string | null>>();

  constructor(
    readonly nodes: readonly GraphNode[],
    readonly before: ReplaySide,
    readonly after: ReplaySide,
  ) {}

  ofNode(node: GraphNode): Difference[] {
    const own = this.#ownChange(node);
    const found: Difference[] = [];
    const seen = new Set<string | null>();
    for (const port of Object.keys(node.step.outputs)) {
      const name = portName({ node: node.id, port });
      const [then, now] = [this.before.rows.get(name), this.after.rows.get(name)];
      const different = differentRows(then, now);
      this.#different.set(name, different);
      for (const item of different) {
        if (seen.has(item)) continue; // a rejection is one thing, however many ports it leaves empty
        seen.add(item);
        const rows = [then?.get(item), now?.get(item)] as const;
        const why = inputChange(node, rows) ?? own ?? this.#followed(node, item) ??
          whyAlone(node, rows);
        const what = `${port}: ${shown(rows[0])} → ${shown(rows[1])}`;
        found.push({ node: node.id, ...item === null ? {} : { item }, what, why });
      }
    }
    return found;
  }

  /** What is not as it was in the node itself. */
  #ownChange(node: GraphNode): string | undefined {
    const [then, now] = [this.before.parts.get(node.id), this.after.parts.get(node.id)];
    if (then === undefined || now === undefined) return undefined;
    const changes = changedParts({ ...then, inputs: {} }, { ...now, inputs: {} });
    return changes.length === 0 ? undefined : reasonText({ type: "changed", changes });
  }

  /** What came to the node otherwise than before. */
  #followed(node: GraphNode, item: string | null): string | undefined {
    for (const [port, wire] of Object.entries(node.wires)) {
      const different = this.#different.get(portName(wire));
      if (different === undefined || different.size === 0) continue;
      const { flow } = node.step.inputs[port];
      const isReached = flow === "all" || different.has(flow === "one" ? null : item);
      if (isReached) return `follows from ${wire.node}`;
    }
    if (!node.step.usesAbsent) return undefined;
    const cause = this.nodes.find(({ id, step }) =>
      Object.keys(step.outputs).some((port) =>
        (this.#different.get(portName({ node: id, port }))?.size ?? 0) > 0
      )
    );
    return cause === undefined || cause === node ? undefined : `follows from ${cause.id}`;
  }
}

type Rows = ReadonlyMap<string | null, PortRow>;

function differentRows(then: Rows = new Map(), now: Rows = new Map()): ReadonlySet<string | null> {
  const items = new Set([...then.keys(), ...now.keys()]);
  return new Set([...items].filter((item) => !isSame(then.get(item), now.get(item))));
}

function isSame(a: PortRow | undefined, b: PortRow | undefined): boolean {
  if (a?.status !== b?.status || a?.hash !== b?.hash) return false;
  // The words of a failure may hold a time or a place; those of a rejection are its result.
  return a?.status !== "rejected" || a.reason === b?.reason;
}

type Pair = readonly [PortRow | undefined, PortRow | undefined];

/** What became of an original. */
function inputChange(node: GraphNode, [then, now]: Pair): string | undefined {
  if (!isSource(node)) return undefined;
  if (now === undefined) return "input missing";
  if (then === undefined) return "input new";
  return then.hash !== null && now.hash !== null ? "input changed" : undefined;
}

function whyAlone(node: GraphNode, [then, now]: Pair): string {
  if (isSource(node)) return reasonOf(now!);
  if (now === undefined || then === undefined) return "it is made of other items";
  if (["failed", "waiting", "held-up"].includes(now.status)) return reasonOf(now);
  if (node.step.world === "reads") return "what it reads outside is not what it was";
  return "not deterministic: step, version, tools, parameters and inputs are the same";
}

function reasonOf({ reason, status }: PortRow): string {
  return reason ?? status;
}

function shown(row: PortRow | undefined): string {
  if (row === undefined) return "none";
  if (row.hash !== null) return `${row.hash.slice(0, 12)}…`;
  return row.status === "rejected" && row.reason !== undefined
    ? `left out (${row.reason})`
    : row.status;
}
