import { type CacheLedger, refsOf } from "./cache_ledger.ts";
import type { ArtifactRef } from "./artifact.ts";
import type { ContentHash, TaskKey } from "./hash.ts";
import type { PackedTask } from "./pack_format.ts";
import type { PackSource } from "./pack_source.ts";
import type { PackWriter } from "./pack_writer.ts";
import { tasksOfRecord } from "./recorded_run.ts";
import { type ArtifactStore, LostBlob } from "./store.ts";
import { parseResult, type StoredResult, writeResult } from "./stored_result.ts";
import { type NodeParts, taskKey } from "./task_key.ts";

/**
 * The rows of the cache that a rerun of the run asks for, under the keys that it asks for them with. A
 * key is another where a parameter names a folder, which is another there.
 */
export function tasksOf(source: PackSource, ledger: CacheLedger): PackedTask[] {
  const tasks: PackedTask[] = [];
  const provisional = new Map(source.provisional.map((task) => [task.key, task]));
  const lost = new Map<string, number>();
  for (const { node, item, key } of tasksOfRecord(source.recorded.record)) {
    const graphNode = source.nodes.get(node);
    if (graphNode === undefined) continue;
    const row = ledger.task(key) ?? provisional.get(key);
    if (row === undefined) {
      lost.set(node, (lost.get(node) ?? 0) + 1);
      continue;
    }
    const itemName = graphNode.step.usesItemName ? item : undefined;
    const { inputs } = row;
    const parts = source.movedParts.get(node)!;
    const moved = keyOf(parts, inputs, itemName);
    const result = writeResult(withoutPaths(row.result, source));
    tasks.push({ node, item, key: moved, inputs, itemName, result });
  }
  for (const [node, count] of lost) {
    source.warnings.push(
      `${node}: ${count} failed, wait or were not kept, so a rerun does them again`,
    );
  }
  return tasks;
}

export function keyOf(
  parts: NodeParts,
  inputs: Readonly<Record<string, string>>,
  itemName: string | undefined,
): TaskKey {
  return taskKey({ ...parts, inputs, ...itemName === undefined ? {} : { itemName } });
}

/** What a step said beside its result, without places of this machine. */
function withoutPaths(result: StoredResult, { layout }: PackSource): StoredResult {
  const { reason, warnings, summary } = result;
  return {
    ...result,
    reason: reason === undefined ? undefined : layout.rewrite(reason),
    warnings: warnings?.map((text) => layout.rewrite(text)),
    summary: summary?.map((text) => layout.rewrite(text)),
  };
}

/** An artifact beyond this is no row or list, in which a path could be. */
const largestRowBytes = 1 << 20;

/** Packs the artifacts of results; originals are not among them. Gives hashes and sizes. */
export async function addArtifacts(
  source: PackSource,
  tasks: readonly PackedTask[],
  { store, pack, originals }: {
    readonly store: ArtifactStore;
    readonly pack: PackWriter;
    readonly originals: ReadonlySet<string | undefined>;
  },
): Promise<ReadonlyMap<ContentHash, number>> {
  const added = new Map<ContentHash, number>();
  const naming = new Set<string>();
  for (const { node, result } of tasks) {
    for (const ref of refsOf(parseResult(result))) {
      if (added.has(ref.hash) || originals.has(ref.hash)) continue;
      const bytes = await bytesOf(ref, store);
      if (bytes === undefined) {
        source.warnings.push(`${node}: an artifact is gone, so a rerun makes it again`);
        continue;
      }
      if (bytes.length <= largestRowBytes && source.namesThisMachine(bytes)) naming.add(node);
      pack.add(bytes);
      added.set(ref.hash, bytes.length);
    }
  }
  for (const node of naming) {
    source.warnings.push(
      `${node}: its result holds a path of this machine, and is packed as it is`,
    );
  }
  return added;
}

async function bytesOf(ref: ArtifactRef, store: ArtifactStore): Promise<Uint8Array | undefined> {
  try {
    return await store.read(ref);
  } catch (error) {
    if (error instanceof LostBlob) return undefined;
    throw error;
  }
}
