import type { ArtifactRef } from "./artifact.ts";
import type { CacheLedger } from "./cache_ledger.ts";
import type { SettledOutputs } from "./event.ts";
import type { GraphNode } from "./graph.ts";
import type { HashList } from "./hash_list.ts";
import type { TaskKey } from "./hash.ts";
import { type RecordedRun, tablesOfRecord, tasksOfRecord } from "./recorded_run.ts";
import type { StoredResult } from "./stored_result.ts";
import { type NodeParts, taskKey } from "./task_key.ts";

/** A result that a run used and the cache did not keep: it may come out better another time. */
export interface ProvisionalTask {
  readonly node: string;
  readonly item?: string;
  readonly key: TaskKey;
  readonly inputs: Readonly<Record<string, string>>;
  readonly itemName?: string;
  readonly result: StoredResult;
}

/**
 * The provisional results of a run, as its journal has them; what went into them is found by the hashes of
 * its tables, and counts only where it gives the key. Those of steps that gather everything are not found.
 */
export function provisionalTasks(
  run: RecordedRun,
  nodes: readonly GraphNode[],
  { parts, ledger }: {
    readonly parts: ReadonlyMap<string, NodeParts>;
    readonly ledger: CacheLedger;
  },
): ProvisionalTask[] {
  const hashes = new RecordedHashes(run, nodes);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const found: ProvisionalTask[] = [];
  for (const { node: id, item, key, outputs } of tasksOfRecord(run.record)) {
    const node = byId.get(id);
    if (node === undefined || outputs === undefined || ledger.task(key) !== undefined) continue;
    const result = resultOf(outputs);
    const inputs = hashes.inputsOf(node, item);
    if (result === undefined || inputs === undefined) continue;
    const itemName = node.step.usesItemName ? item : undefined;
    const shared = parts.get(id)!;
    const own = { ...shared, inputs, ...itemName === undefined ? {} : { itemName } };
    if (taskKey(own) === key) found.push({ node: id, item, key, inputs, itemName, result });
  }
  return found;
}

/** A result of single values; undefined where members or new items are among them. */
function resultOf(outputs: SettledOutputs): StoredResult | undefined {
  const single = Object.entries(outputs).filter((entry): entry is [string, ArtifactRef] =>
    isRef(entry[1])
  );
  if (single.length !== Object.keys(outputs).length) return undefined;
  const stored = single.map(([port, ref]) => [port, { one: ref }] as const);
  return { status: "produced", outputs: Object.fromEntries(stored) };
}

function isRef(output: SettledOutputs[string]): output is ArtifactRef {
  return typeof output.hash === "string" && typeof output["byteLength"] === "number";
}

/** What a run's ports had, read from its tables when first asked for. */
class RecordedHashes {
  readonly #lists = new Map<string, readonly HashList[]>();

  constructor(readonly run: RecordedRun, readonly nodes: readonly GraphNode[]) {}

  /** By input port the hash of what a task was given; undefined where it gathers. */
  inputsOf(node: GraphNode, item: string | undefined): Record<string, string> | undefined {
    const inputs: Record<string, string> = {};
    for (const [port, wire] of Object.entries(node.wires)) {
      const { flow } = node.step.inputs[port];
      const hash = flow === "all"
        ? undefined
        : this.#hash(wire.node, wire.port, flow === "one" ? null : item ?? null);
      if (hash === undefined) return undefined;
      inputs[port] = hash;
    }
    return inputs;
  }

  #hash(id: string, port: string, item: string | null): string | undefined {
    let lists = this.#lists.get(id);
    if (lists === undefined) {
      const node = this.nodes.find((each) => each.id === id)!;
      lists = tablesOfRecord(this.run.record, node).map(({ list }) => list);
      this.#lists.set(id, lists);
    }
    const list = lists.find(({ ports }) => ports.includes(port));
    return list?.rows.get(item)?.hashes[list.ports.indexOf(port)] ?? undefined;
  }
}
