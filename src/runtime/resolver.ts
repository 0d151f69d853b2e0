import type { ArtifactRef } from "./artifact.ts";
import type { ActionCache, StoredMember, StoredResult } from "./cache.ts";
import { type GraphNode, inputPorts, spaceOfOutput } from "./graph.ts";
import { type ContentHash, sha256, type TaskKey } from "./hash.ts";
import { byContent, isEnd, isHeldUp, Item, type ItemStatus, Slots, type Space } from "./items.ts";
import { type AbsentItem, isPerItem, type MemberItem } from "./step.ts";
import type { ArtifactStore } from "./store.ts";
import {
  changedParts,
  collectionHash,
  type KeyParts,
  nodeKeyer,
  type NodeParts,
  type Reason,
} from "./task_key.ts";

/** The inputs of a task, by reference. */
export interface TaskInputs {
  /** By port; an optional port may be absent. */
  readonly refs: Readonly<Record<string, ArtifactRef>>;
  readonly gathered?: Gathered;
  /** What goes into the key. */
  readonly keyed: Readonly<Record<string, string>>;
}

/** The members of a step's `all` ports. */
export interface Gathered {
  /** In canonical order: by name where the step uses names, else by content. */
  readonly members: readonly Item[];
  /** By port, a reference or nothing for each member. */
  readonly columns: Readonly<Record<string, readonly (ArtifactRef | undefined)[]>>;
  /** Items that some port has nothing of, by name; only for steps that ask. */
  readonly absent: readonly AbsentItem[];
  readonly isComplete: boolean;
}

export type Resolution =
  | { readonly type: "blocked"; readonly status: "left-out" | "held-up"; readonly by: string }
  | {
    readonly type: "hit";
    readonly key: TaskKey;
    readonly inputs: TaskInputs;
    readonly result: StoredResult;
  }
  | {
    readonly type: "miss";
    readonly key: TaskKey;
    readonly inputs: TaskInputs;
    readonly reason: Reason;
  };

interface PreparedWire {
  readonly port: string;
  readonly flow: "each" | "all" | "one";
  readonly slot: number;
  readonly source: number;
  readonly sourceId: string;
}

interface PreparedNode {
  readonly node: GraphNode;
  readonly number: number;
  readonly parts: NodeParts;
  readonly key: ReturnType<typeof nodeKeyer>;
  readonly wires: readonly PreparedWire[];
  readonly hasSameSignature: boolean;
  readonly isPerItem: boolean;
  gathered?: Gathered;
}

export interface ResolverOptions {
  readonly recipe: string;
  readonly nodes: readonly GraphNode[];
  /** By node id. */
  readonly parts: ReadonlyMap<string, NodeParts>;
  /** Whether a known result is not to be used. */
  isForced(node: string, item: string | undefined): boolean;
  /** Whether there is anything of which that is so. */
  readonly hasForced?: boolean;
  readonly cache: ActionCache;
  /** Results that are used although the cache has not kept them. */
  readonly known?: ReadonlyMap<string, StoredResult>;
  readonly store: ArtifactStore;
}

/**
 * Says of every task whether its result is known, and why not if it is not; and keeps what the
 * settled tasks made. Plan and run share it, so a plan says what a run would do.
 */
export class Resolver {
  readonly slots: Slots;
  readonly spaces = new Map<string, Space>();
  readonly #nodes = new Map<string, PreparedNode>();
  readonly #redone = new Set<TaskKey>();
  readonly #oneRefs: (ArtifactRef | undefined)[] = [];
  readonly #onceStatuses: (ItemStatus | undefined)[] = [];
  readonly #onceReasons: (string | undefined)[] = [];

  constructor(readonly options: ResolverOptions) {
    this.slots = new Slots(options.nodes);
    for (const node of options.nodes) this.#prepare(node);
  }

  #prepare(node: GraphNode) {
    const parts = this.options.parts.get(node.id)!;
    const ports = new Map(inputPorts(node.step));
    const wires = Object.entries(node.wires).map(([port, wire]): PreparedWire => ({
      port,
      flow: ports.get(port)!.flow as PreparedWire["flow"],
      slot: this.slots.slot(wire.node, wire.port),
      source: this.slots.node(wire.node),
      sourceId: wire.node,
    }));
    this.#nodes.set(node.id, {
      node,
      number: this.slots.node(node.id),
      parts,
      key: nodeKeyer(parts),
      wires,
      hasSameSignature: this.options.cache.isSameSignature(this.taskNode(node), parts),
      isPerItem: isPerItem(node.step),
    });
  }

  /** How the cache names a node of this recipe. */
  taskNode(node: GraphNode): string {
    return `${this.options.recipe}/${node.id}`;
  }

  parts(node: GraphNode): NodeParts {
    return this.#nodes.get(node.id)!.parts;
  }

  /** Whether the node's key parts are those that it last had. */
  hasSameParts(node: GraphNode): boolean {
    return this.#nodes.get(node.id)!.hasSameSignature;
  }

  /** A task that was forced is done: its result is that of copies too. */
  noteRedone(key: TaskKey): void {
    this.#redone.add(key);
  }

  /** Whether a known result of the task is not to be used. */
  isForced(node: GraphNode, item: Item | undefined): boolean {
    return this.options.isForced(node.id, item?.name);
  }

  /** What a node that runs once made at a port. */
  oneRef(node: string, port: string): ArtifactRef | undefined {
    return this.#oneRefs[this.slots.slot(node, port)];
  }

  /** The whole key parts of a task, for the cache and for `why`. */
  keyParts(node: GraphNode, inputs: TaskInputs, item: Item | undefined): KeyParts {
    const itemName = this.#itemName(node, item);
    return {
      ...this.parts(node),
      inputs: inputs.keyed,
      ...(itemName === undefined ? {} : { itemName }),
    };
  }

  /** Whether a task is known, has to run, or cannot. Synchronous: a rerun asks 300,000 times. */
  resolve(node: GraphNode, item: Item | undefined): Resolution {
    const prepared = this.#nodes.get(node.id)!;
    const inputs = this.#inputs(prepared, item);
    if ("by" in inputs) return { type: "blocked", ...inputs };
    const key = prepared.key(inputs.keyed, this.#itemName(node, item));
    return this.#lookup(prepared, item, key, inputs);
  }

  /** The same for the first look at a scanned file, whose only input is its content. */
  resolveFile(node: GraphNode, item: Item, hash: ContentHash): Resolution {
    const inputs: TaskInputs = { refs: {}, keyed: { file: hash } };
    const prepared = this.#nodes.get(node.id)!;
    return this.#lookup(prepared, item, prepared.key(inputs.keyed), inputs);
  }

  /** The same for something outside that was just read: what was found is part of the key. */
  resolveSeen(
    node: GraphNode,
    inputs: TaskInputs,
    found: StoredResult,
  ): Exclude<Resolution, { type: "blocked" }> {
    const prepared = this.#nodes.get(node.id)!;
    const outside = sha256(JSON.stringify([found.status, found.outputs, found.reason]));
    const seen = { ...inputs, keyed: { ...inputs.keyed, outside } };
    return this.#lookup(prepared, undefined, prepared.key(seen.keyed), seen);
  }

  #lookup(
    prepared: PreparedNode,
    item: Item | undefined,
    key: TaskKey,
    inputs: TaskInputs,
  ): Exclude<Resolution, { type: "blocked" }> {
    const { cache } = this.options;
    const { node } = prepared;
    if (this.isForced(node, item) && !this.#redone.has(key)) {
      return { type: "miss", key, inputs, reason: { type: "forced" } };
    }
    const result = cache.result(key) ?? this.options.known?.get(key);
    if (result === undefined) {
      return { type: "miss", key, inputs, reason: this.#reason(prepared, item, key, inputs) };
    }
    const lost = this.firstLost(result);
    if (lost !== undefined) {
      return { type: "miss", key, inputs, reason: { type: "lost", hash: lost.hash } };
    }
    if (!prepared.hasSameSignature && !cache.isReadOnly) {
      cache.noteLatest({ node: this.taskNode(node), item: item?.name ?? "", key });
    }
    return { type: "hit", key, inputs, result };
  }

  /** What the store has not of what a result names. */
  firstLost(result: StoredResult): ArtifactRef | undefined {
    const { store } = this.options;
    for (const port in result.outputs) {
      const output = result.outputs[port]!;
      if ("one" in output) {
        if (!store.has(output.one)) return output.one;
        continue;
      }
      const refs = "born" in output ? output.born.map((birth) => birth.ref) : output.members;
      const lost = refs.find((ref) => ref !== null && "hash" in ref && !store.has(ref));
      if (lost !== undefined) return lost as ArtifactRef;
    }
    return undefined;
  }

  #reason(
    prepared: PreparedNode,
    item: Item | undefined,
    key: TaskKey,
    inputs: TaskInputs,
  ): Reason {
    const { node } = prepared;
    const previous = this.options.cache.previous(this.taskNode(node), item?.name ?? "");
    if (previous === undefined) return { type: "new" };
    if (previous.key === key) return { type: "unfinished" };
    const changes = changedParts(previous.parts, this.keyParts(node, inputs, item)).map((change) =>
      change.part === "input" && node.wires[change.name] !== undefined
        ? { ...change, from: node.wires[change.name]!.node }
        : change
    );
    return { type: "changed", changes };
  }

  /** Keeps what a task made, so that what follows can be resolved. */
  settle(
    node: GraphNode,
    item: Item | undefined,
    status: ItemStatus,
    result?: StoredResult,
    reason = result?.reason,
  ): void {
    const number = this.slots.node(node.id);
    if (item === undefined) this.#onceStatuses[number] = status;
    else item.setStatus(number, status);
    if (item === undefined) this.#onceReasons[number] = reason;
    else if (reason !== undefined) item.noteReason(number, reason);
    if (result === undefined) return;
    for (const port in result.outputs) {
      const output = result.outputs[port]!;
      const slot = this.slots.slot(node.id, port);
      if ("born" in output) {
        for (const birth of output.born) this.#bear(node, port, slot, item, birth.name, birth.ref);
      } else if ("members" in output) this.#spread(node, slot, output.members);
      else if (item === undefined) this.#oneRefs[slot] = output.one;
      else item.setRef(slot, output.one);
    }
  }

  /** The space born at an output port, made when first asked for. */
  space(node: GraphNode, port: string): Space {
    const id = spaceOfOutput(node, port)!;
    let space = this.spaces.get(id);
    if (space === undefined) {
      space = { id, items: [], isCut: false };
      this.spaces.set(id, space);
    }
    return space;
  }

  statusOf(node: GraphNode, item: Item | undefined): ItemStatus | undefined {
    const number = this.slots.node(node.id);
    return item === undefined ? this.#onceStatuses[number] : item.status(number);
  }

  /** What a node made of an item at a port, or of everything when there is no item. */
  refOf(node: GraphNode, port: string, item: Item | undefined): ArtifactRef | undefined {
    const slot = this.slots.slot(node.id, port);
    return item === undefined ? this.#oneRefs[slot] : item.ref(slot);
  }

  /** The hash of what a node made of an item at a port, or of everything when there is no item. */
  hashOf(node: GraphNode, port: string, item: Item | undefined): ContentHash | undefined {
    const slot = this.slots.slot(node.id, port);
    return item === undefined ? this.#oneRefs[slot]?.hash : item.hash(slot);
  }

  /** Whether a task has ever run. */
  previous(node: GraphNode, item: Item | undefined): boolean {
    return this.options.cache.previous(this.taskNode(node), item?.name ?? "") !== undefined;
  }

  /** The items that a node's `all` ports were given, in its order. */
  gatheredItems(node: GraphNode): readonly Item[] {
    return this.#nodes.get(node.id)!.gathered?.members ?? [];
  }

  #bear(
    node: GraphNode,
    port: string,
    slot: number,
    parent: Item | undefined,
    name: string,
    ref: ArtifactRef,
  ) {
    const item = new Item(parent === undefined ? name : `${parent.name}#${name}`);
    item.setRef(slot, ref);
    item.setStatus(this.slots.node(node.id), "produced");
    this.space(node, port).items.push(item);
  }

  /** What an `all` step said of each member. */
  #spread(node: GraphNode, slot: number, members: readonly StoredMember[]) {
    const { gathered, number } = this.#nodes.get(node.id)!;
    const statusOfRest = this.spaces.get(node.space ?? "")?.items ?? [];
    for (const item of statusOfRest) {
      if (item.status(number) === undefined) item.setStatus(number, "left-out");
    }
    members.forEach((member, index) => {
      const item = gathered!.members[index]!;
      if (member === null) return;
      if ("rejected" in member) {
        item.setStatus(number, "rejected");
        item.noteReason(number, member.rejected);
      } else {
        item.setStatus(number, "produced");
        item.setRef(slot, member);
      }
    });
  }

  #itemName(node: GraphNode, item: Item | undefined): string | undefined {
    return node.step.usesItemName && item !== undefined ? item.name : undefined;
  }

  #inputs(
    prepared: PreparedNode,
    item: Item | undefined,
  ): TaskInputs | { readonly status: "left-out" | "held-up"; readonly by: string } {
    const refs: Record<string, ArtifactRef> = {};
    const keyed: Record<string, string> = {};
    let gathered: Gathered | undefined;
    for (const wire of prepared.wires) {
      if (wire.flow === "all") {
        // No items at all, not even none: what should have found them failed.
        if (!this.spaces.has(prepared.node.space ?? "")) {
          return { status: "held-up", by: wire.sourceId };
        }
        gathered ??= this.#gather(prepared);
        keyed[wire.port] = columnHash(gathered, wire.port);
        continue;
      }
      const isShared = wire.flow === "one";
      const ref = isShared ? this.#oneRefs[wire.slot] : item!.ref(wire.slot);
      if (ref === undefined) {
        const status = isShared ? this.#onceStatuses[wire.source] : item!.status(wire.source);
        return { status: isHeldUp(status) ? "held-up" : "left-out", by: wire.sourceId };
      }
      refs[wire.port] = ref;
      keyed[wire.port] = ref.hash;
    }
    if (gathered !== undefined) this.#keyMembers(prepared.node, gathered, keyed);
    return { refs, gathered, keyed };
  }

  #keyMembers(node: GraphNode, gathered: Gathered, keyed: Record<string, string>) {
    if (node.step.usesItemName) {
      const names = gathered.members.map((member) => member.name);
      keyed["item names"] = collectionHash(names as string[] as ContentHash[]);
    }
    if (node.step.usesAbsent) keyed["absent"] = sha256(JSON.stringify(gathered.absent));
    if (node.step.world === "writes") keyed["completeness"] = String(gathered.isComplete);
  }

  #gather(prepared: PreparedNode): Gathered {
    if (prepared.gathered !== undefined) return prepared.gathered;
    const wires = prepared.wires.filter((wire) => wire.flow === "all");
    const space = this.spaces.get(prepared.node.space ?? "");
    const items = space?.items ?? [];
    const present = items.filter((item) =>
      wires.some((wire) => item.hash(wire.slot) !== undefined)
    );
    const members = prepared.node.step.usesItemName
      ? present
      : byContent(present, wires.map(({ slot }) => slot));
    const columns = Object.fromEntries(
      wires.map((wire) => [wire.port, members.map((item) => item.ref(wire.slot))]),
    );
    const isComplete = space !== undefined && !space.isCut &&
      items.every((item) =>
        wires.every((wire) =>
          item.hash(wire.slot) !== undefined || !isHeldUp(item.status(wire.source))
        )
      );
    const absent = prepared.node.step.usesAbsent ? this.#absent(items, wires) : [];
    prepared.gathered = { members, columns, absent, isComplete };
    return prepared.gathered;
  }

  /**
   * The items that some wire has nothing of, and the first node that says why: of the item, or else of
   * all of them, where a wire comes from a node that failed as a whole.
   */
  #absent(items: readonly Item[], wires: readonly PreparedWire[]): AbsentItem[] {
    const { nodes } = this.options;
    const whole = wires.find(({ source }) => isEnd(this.#onceStatuses[source]));
    const absent: AbsentItem[] = [];
    for (const item of items) {
      if (wires.every((wire) => item.hash(wire.slot) !== undefined)) continue;
      const own = nodes.find((each) => isEnd(item.status(this.slots.node(each.id))));
      const node = own ?? nodes.find(({ id }) => id === whole?.sourceId);
      if (node === undefined) continue;
      const number = this.slots.node(node.id);
      const [status, reason] = own === undefined
        ? [this.#onceStatuses[number], this.#onceReasons[number]]
        : [item.status(number), item.reason(number)];
      absent.push({
        name: item.name,
        node: node.id,
        step: node.step.name,
        status: status as AbsentItem["status"],
        reason: reason ?? "",
      });
    }
    return absent;
  }
}

/** The members as a step sees them; names only for steps that use them. */
export function memberItems(node: GraphNode, gathered: Gathered | undefined): MemberItem[] {
  const usesName = node.step.usesItemName ?? false;
  return (gathered?.members ?? []).map((item, member) => ({
    member,
    name: usesName ? item.name : "",
  }));
}

function columnHash(gathered: Gathered, port: string): string {
  return collectionHash(gathered.columns[port]!.map((ref) => ref?.hash ?? ""));
}
