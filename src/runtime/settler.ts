import type { ArtifactRef } from "./artifact.ts";
import type { ActionCache, StoredResult } from "./cache.ts";
import { codeOf } from "./cause.ts";
import {
  type Counts,
  type Outcome,
  outcomes,
  type RunListener,
  type SettledOutputs,
} from "./event.ts";
import { bornSpace, type GraphNode } from "./graph.ts";
import type { TaskKey } from "./hash.ts";
import type { HashRow } from "./hash_list.ts";
import type { Item } from "./items.ts";
import type { MemoryValve } from "./memory.ts";
import type { Note, Performed } from "./performer.ts";
import type { Resolver, TaskInputs } from "./resolver.ts";
import { isSource } from "./stages.ts";
import type { Failed, Waiting } from "./step.ts";
import { type TableDefinition, type TableRow, tablesOf, type TableWriter } from "./tables.ts";
import type { Trail } from "./trail.ts";

export interface SettlerEffects {
  readonly nodes: readonly GraphNode[];
  readonly resolver: Resolver;
  readonly cache: ActionCache;
  readonly tables: TableWriter;
  readonly memory: MemoryValve;
  readonly emit: RunListener;
}

/** A row may be of 10 kB: so many are written between two looks at the memory. */
const rowsPerLook = 1_000;

/** Writes down how each task ended: in the cache, the counts, the events and the tables. */
export class Settler {
  readonly #counts = Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as Record<
    Outcome,
    number
  >;
  /** By node and item, why there is no value. */
  readonly #reasons = new Map<string, Map<string | null, string>>();
  readonly #definitions: ReadonlyMap<string, readonly TableDefinition[]>;
  /** Until something ran, the tables are probably those of the run before: no live rows. */
  #hasNews = false;

  constructor(readonly effects: SettlerEffects) {
    this.#definitions = new Map(effects.nodes.map((node) => [node.id, tablesOf(node)]));
  }

  get counts(): Counts {
    return { ...this.#counts };
  }

  /** The result was known. */
  hit(node: GraphNode, item: Item | undefined, key: TaskKey, result: StoredResult): void {
    const isProduced = result.status === "produced";
    this.effects.resolver.settle(node, item, isProduced ? "produced" : "rejected", result);
    this.#noteResult(node, item, result);
    this.#countHit(node, item, key, result);
  }

  /** All that a stage's nodes made of an item was known. */
  follow(nodes: readonly GraphNode[], item: Item, trail: Trail): void {
    item.follow(trail);
    const { words } = trail;
    for (let at = 0; at < nodes.length; at++) {
      const result = { status: "produced", outputs: {}, ...words?.[at] } as const;
      if (words !== undefined) this.#noteResult(nodes[at]!, item, result);
      this.#countHit(nodes[at]!, item, trail.key(at), result);
    }
  }

  #countHit(
    node: GraphNode,
    item: Item | undefined,
    key: TaskKey,
    { status, reason, numbers }: Pick<StoredResult, "status" | "reason" | "numbers">,
  ) {
    const outcome = status === "produced" ? "cached" : "rejected";
    this.#counts[outcome]++;
    this.effects.emit({
      type: "task-settled",
      node: node.id,
      item: item?.name,
      outcome,
      key,
      fromCache: status === "produced" ? undefined : true,
      code: codeOf(outcome, reason),
      reason,
      numbers,
    });
    if (this.#hasNews) this.#addRow(node, item);
  }

  /** The task was done now. */
  done(
    node: GraphNode,
    item: Item | undefined,
    task: { readonly key: TaskKey; readonly inputs: TaskInputs; readonly elapsedMs: number },
    { result, failedMembers, isProvisional }: Extract<Performed, { type: "stored" }>,
  ): void {
    const { resolver, cache, emit } = this.effects;
    const { key, inputs, elapsedMs } = task;
    if (failedMembers.size === 0 && !isProvisional) {
      const name = { node: resolver.taskNode(node), item: item?.name ?? "", key };
      cache.record(name, resolver.keyParts(node, inputs, item), result);
      // It was paid for: a kill within the cache's 50 ms would have it asked and paid for again.
      if (node.step.origin === "remote") cache.flush();
    }
    const isProduced = result.status === "produced";
    resolver.settle(node, item, isProduced ? "produced" : "rejected", result);
    this.#noteResult(node, item, result);
    const outcome = isProduced ? "ran" : "rejected";
    this.#counts[outcome]++;
    this.#hasNews = true;
    emit({
      type: "task-settled",
      node: node.id,
      item: item?.name,
      outcome,
      key,
      elapsedMs: rounded(elapsedMs),
      code: codeOf(outcome, result.reason),
      reason: result.reason,
      numbers: result.numbers,
      outputs: isProduced ? outputsOf(result, inputs) : undefined,
    });
    this.#addRow(node, item);
    for (const [member, reason] of failedMembers) {
      const failed = inputs.gathered!.members[member]!;
      this.unfinished(node, failed, undefined, { status: "failed", reason }, 0);
    }
  }

  /** The task failed or waits; nothing is kept of it. */
  unfinished(
    node: GraphNode,
    item: Item | undefined,
    key: TaskKey | undefined,
    { status, reason }: Pick<Failed | Waiting, "status" | "reason">,
    elapsedMs: number,
  ): void {
    const { resolver, emit } = this.effects;
    resolver.settle(node, item, status, undefined, reason);
    this.#noteReason(node, item, reason);
    this.#counts[status]++;
    this.#hasNews = true;
    const where = { node: node.id, item: item?.name };
    if (status === "waiting") emit({ type: "task-waiting", ...where, reason });
    emit({
      type: "task-settled",
      ...where,
      outcome: status,
      key,
      elapsedMs: rounded(elapsedMs),
      code: codeOf(status, reason),
      reason,
    });
    this.#addRow(node, item);
  }

  /** The task's inputs never came. */
  blocked(
    node: GraphNode,
    item: Item | undefined,
    { status, by }: { readonly status: "left-out" | "held-up"; readonly by: string },
  ): void {
    const why = this.#reasons.get(by)?.get(item?.name ?? null) ?? this.#reasons.get(by)?.get(null);
    const verb = status === "left-out" ? "left out" : "held up";
    const reason = `${verb} at "${by}"${why === undefined ? "" : `: ${why}`}`;
    this.effects.resolver.settle(node, item, status);
    this.#noteReason(node, item, reason);
    this.#counts.skipped++;
    this.effects.emit({
      type: "task-settled",
      node: node.id,
      item: item?.name,
      outcome: "skipped",
      reason,
    });
    if (this.#hasNews) this.#addRow(node, item);
  }

  /** Another item of the node failed in a way that would be this one's too. */
  givenUp(node: GraphNode, item: Item, why: string): void {
    const reason = `held up at "${node.id}": ${why}`;
    this.effects.resolver.settle(node, item, "held-up");
    this.#noteReason(node, item, reason);
    this.#counts.skipped++;
    this.#hasNews = true;
    this.effects.emit({
      type: "task-settled",
      node: node.id,
      item: item.name,
      outcome: "skipped",
      reason,
    });
    this.#addRow(node, item);
  }

  notes(node: GraphNode, item: Item | undefined, notes: readonly Note[]): void {
    for (const { type, text } of notes) {
      if (type === "summary") this.effects.emit({ type, node: node.id, line: text });
      else this.effects.emit({ type, node: node.id, item: item?.name, message: text });
    }
  }

  /** Writes a node's tables in their final form. */
  async seal(node: GraphNode): Promise<void> {
    let rows = 0;
    for (const definition of this.#definitions.get(node.id)!) {
      const items = this.#itemsOf(node, definition);
      rows = Math.max(rows, items?.length ?? 1);
      await this.effects.tables.seal(definition, {
        rows: () => this.#rows(items, (item) => this.#row(node, definition, item)),
        hashRows: () => this.#rows(items, (item) => this.#hashRow(node, definition, item)),
      });
    }
    this.effects.emit({ type: "stage-sealed", node: node.id, rows });
  }

  #noteResult(node: GraphNode, item: Item | undefined, result: StoredResult) {
    if (result.reason !== undefined) this.#noteReason(node, item, result.reason);
    this.notes(node, item, (result.warnings ?? []).map((text) => ({ type: "warning", text })));
    this.notes(node, item, (result.summary ?? []).map((text) => ({ type: "summary", text })));
    for (const output of Object.values(result.outputs)) {
      if (!("members" in output)) continue;
      const items = this.effects.resolver.gatheredItems(node);
      output.members.forEach((member, index) => {
        if (member !== null && "rejected" in member) {
          this.#noteReason(node, items[index], member.rejected);
        }
      });
    }
  }

  #noteReason(node: GraphNode, item: Item | undefined, reason: string) {
    let reasons = this.#reasons.get(node.id);
    if (reasons === undefined) {
      reasons = new Map();
      this.#reasons.set(node.id, reasons);
    }
    reasons.set(item?.name ?? null, reason);
  }

  #addRow(node: GraphNode, item: Item | undefined) {
    if (item === undefined) return; // a single row is there when its table is sealed
    const definition = this.#definitions.get(node.id)!.find((each) =>
      each.ports.every((port) => node.step.outputs[port.name].flow === "each") || isSource(node)
    );
    if (definition !== undefined) {
      this.effects.tables.add(definition, this.#row(node, definition, item));
    }
  }

  *#rows<Row>(
    items: readonly Item[] | undefined,
    rowOf: (item: Item | undefined) => Row,
  ): Iterable<Row> {
    if (items === undefined) return yield rowOf(undefined);
    let count = 0;
    for (const item of items) {
      if (++count % rowsPerLook === 0) this.effects.memory.consider();
      yield rowOf(item);
    }
  }

  /** The items that a table has a row for; undefined for a single row. */
  #itemsOf(node: GraphNode, definition: TableDefinition): readonly Item[] | undefined {
    const { resolver } = this.effects;
    const port = definition.ports[0]!.name;
    const { flow } = node.step.outputs[port];
    if (flow === "one") return undefined;
    const space = flow === "many" ? bornSpace(node.id, port) : node.space;
    return resolver.spaces.get(space ?? "")?.items ?? [];
  }

  #row(node: GraphNode, definition: TableDefinition, item: Item | undefined): TableRow {
    const { resolver } = this.effects;
    return {
      ...this.#endOf(node, item),
      refs: definition.ports.map((port) => resolver.refOf(node, port.name, item)),
    };
  }

  #hashRow(node: GraphNode, definition: TableDefinition, item: Item | undefined): HashRow {
    const { resolver } = this.effects;
    const { item: name, status, reason } = this.#endOf(node, item);
    const hashes = definition.ports.map((port) => resolver.hashOf(node, port.name, item) ?? null);
    return { item: name, status, reason, hashes };
  }

  #endOf(node: GraphNode, item: Item | undefined): Omit<TableRow, "refs"> {
    const status = this.effects.resolver.statusOf(node, item) ?? "not-reached";
    const reason = status === "produced"
      ? undefined
      : this.#reasons.get(node.id)?.get(item?.name ?? null);
    return { item: item?.name ?? null, status, reason };
  }
}

function rounded(elapsedMs: number): number {
  return Math.round(elapsedMs * 10) / 10;
}

function outputsOf(result: StoredResult, inputs: TaskInputs): SettledOutputs {
  const outputs: Record<string, ArtifactRef | Record<string, ArtifactRef>> = {};
  for (const [port, output] of Object.entries(result.outputs)) {
    if ("one" in output) outputs[port] = output.one;
    else if ("born" in output) {
      outputs[port] = Object.fromEntries(output.born.map(({ name, ref }) => [name, ref]));
    } else {
      const { members } = inputs.gathered!;
      outputs[port] = Object.fromEntries(
        output.members.flatMap((member, index) =>
          member !== null && "hash" in member ? [[members[index]!.name, member]] : []
        ),
      );
    }
  }
  return outputs;
}
