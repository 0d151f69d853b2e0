import type { ArtifactRef } from "./artifact.ts";
import type { Outcome } from "./event.ts";
import type { GraphNode } from "./graph.ts";
import type { TaskKey } from "./hash.ts";
import type { OutsideFile, Rejected } from "./step.ts";

/** How far a node got with an item. */
export type ItemStatus =
  | "produced"
  | "rejected"
  | "failed"
  | "waiting"
  /** Left out, since something before it rejected the item. */
  | "left-out"
  /** Not reached, since something before it failed or waits. */
  | "held-up";

/** One thing flowing through a key space. */
export interface Item {
  readonly name: string;
  readonly file?: OutsideFile;
  /** By slot (see `Slots`), what the nodes made of it. */
  readonly refs: (ArtifactRef | undefined)[];
  /** By node number. */
  readonly statuses: (ItemStatus | undefined)[];
  /** By node number, why it ended there; undefined as long as it did not. */
  reasons?: Map<number, string>;
}

/** The items that were born at one output port. */
export interface Space {
  readonly id: string;
  readonly items: Item[];
  /** Under `--limit`, or when the scan could not read everything. */
  isCut: boolean;
}

/** Numbers for nodes and output ports, so that an item's state is two small arrays. */
export class Slots {
  readonly #nodes = new Map<string, number>();
  /** By node and port; a rerun asks some hundred thousand times. */
  readonly #slots = new Map<string, ReadonlyMap<string, number>>();

  constructor(nodes: readonly GraphNode[]) {
    let next = 0;
    for (const node of nodes) {
      this.#nodes.set(node.id, this.#nodes.size);
      const ports = Object.keys(node.step.outputs);
      this.#slots.set(node.id, new Map(ports.map((port) => [port, next++])));
    }
  }

  node(id: string): number {
    return this.#nodes.get(id)!;
  }

  slot(node: string, port: string): number {
    return this.#slots.get(node)!.get(port)!;
  }
}

/** What a settled task hands to tables and listeners. */
export interface Settlement {
  readonly node: GraphNode;
  readonly item?: Item;
  readonly outcome: Outcome;
  readonly key?: TaskKey;
  readonly reason?: string;
  readonly numbers?: Rejected["numbers"];
  readonly elapsedMs?: number;
}

export function newItem(name: string, file?: OutsideFile): Item {
  return { name, file, refs: [], statuses: [] };
}

/** Whether what holds an item up may be gone in another run, unlike a rejection. */
export function isHeldUp(status: ItemStatus | undefined): boolean {
  return status === undefined || status === "failed" || status === "waiting" ||
    status === "held-up";
}

/** Whether a node ended an item there, and did not only pass on that another had. */
export function isEnd(status: ItemStatus | undefined): boolean {
  return status === "rejected" || status === "failed" || status === "waiting";
}

export function noteReason(item: Item, node: number, reason: string): void {
  item.reasons ??= new Map();
  item.reasons.set(node, reason);
}

/** Items by what they have at some slots: names have no part in it, so renaming a file changes nothing. */
export function byContent(items: readonly Item[], slots: readonly number[]): Item[] {
  const keyed = items.map((item) => ({
    item,
    key: slots.map((slot) => item.refs[slot]?.hash ?? "").join(" "),
  }));
  keyed.sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
  return keyed.map(({ item }) => item);
}
