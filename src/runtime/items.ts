import type { ArtifactRef } from "./artifact.ts";
import type { ItemCounts } from "./event.ts";
import type { GraphNode } from "./graph.ts";
import type { ContentHash } from "./hash.ts";
import type { OutsideFile } from "./step.ts";

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

/** What several nodes made of an item, in a form that is taken apart only where somebody asks. */
export interface KnownResults {
  /** By node number. */
  readonly statuses: readonly (ItemStatus | undefined)[];
  /** By slot; undefined for one that these nodes do not fill, or left empty. */
  hash(slot: number): ContentHash | undefined;
  /** By slot. */
  refs(): (ArtifactRef | undefined)[];
}

const none: readonly never[] = [];

/** One thing flowing through a key space. */
export class Item {
  /** When its file was read, milliseconds since 1970; as long as it was not, undefined. */
  seenMs: number | undefined = undefined;
  #known: KnownResults | undefined = undefined;
  #refs: (ArtifactRef | undefined)[] | undefined = undefined;
  #statuses: readonly (ItemStatus | undefined)[] = none;
  /** Whether the statuses are this item's alone. */
  #ownsStatuses = false;
  #reasons: Map<number, string> | undefined = undefined;

  constructor(readonly name: string, readonly file?: OutsideFile) {}

  /** Takes over what nodes made of it, before anything else is said of it. */
  follow(known: KnownResults): void {
    this.#known = known;
    this.#statuses = known.statuses;
  }

  /** What a node made of it, by slot (see `Slots`). */
  ref(slot: number): ArtifactRef | undefined {
    return this.#ownRefs[slot];
  }

  /** The hash of what a node made of it, by slot. */
  hash(slot: number): ContentHash | undefined {
    return this.#refs === undefined ? this.#known?.hash(slot) : this.#refs[slot]?.hash;
  }

  setRef(slot: number, ref: ArtifactRef): void {
    this.#ownRefs[slot] = ref;
  }

  /** How far a node, by number, got with it. */
  status(node: number): ItemStatus | undefined {
    return this.#statuses[node];
  }

  /** Where it ended, as far as nodes that had something of it say. */
  ends(): readonly { readonly outcome: keyof ItemCounts; readonly reason: string }[] {
    if (!this.#statuses.some(isEnd)) return none;
    return this.#statuses.flatMap((status, node) =>
      isEnd(status) ? [{ outcome: status, reason: this.reason(node) ?? "" }] : []
    );
  }

  /** Whether some node never had it, because of where it ended. */
  get isMissed(): boolean {
    return this.#statuses.includes("left-out") || this.#statuses.includes("held-up");
  }

  setStatus(node: number, status: ItemStatus): void {
    if (!this.#ownsStatuses) {
      this.#statuses = [...this.#statuses];
      this.#ownsStatuses = true;
    }
    (this.#statuses as (ItemStatus | undefined)[])[node] = status;
  }

  /** Why it ended at a node; undefined where it did not. */
  reason(node: number): string | undefined {
    return this.#reasons?.get(node);
  }

  noteReason(node: number, reason: string): void {
    this.#reasons ??= new Map();
    this.#reasons.set(node, reason);
  }

  get #ownRefs(): (ArtifactRef | undefined)[] {
    if (this.#refs === undefined) {
      this.#refs = this.#known?.refs() ?? [];
      this.#known = undefined;
    }
    return this.#refs;
  }
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

/** Whether what holds an item up may be gone in another run, unlike a rejection. */
export function isHeldUp(status: ItemStatus | undefined): boolean {
  return status === undefined || status === "failed" || status === "waiting" ||
    status === "held-up";
}

/** Whether a node ended an item there, and did not only pass on that another had. */
export function isEnd(status: ItemStatus | undefined): status is keyof ItemCounts {
  return status === "rejected" || status === "failed" || status === "waiting";
}

/** Items by what they have at some slots: names have no part in it, so renaming a file changes nothing. */
export function byContent(items: readonly Item[], slots: readonly number[]): Item[] {
  const keyed = items.map((item) => ({
    item,
    key: slots.map((slot) => item.hash(slot) ?? "").join(" "),
  }));
  keyed.sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
  return keyed.map(({ item }) => item);
}
