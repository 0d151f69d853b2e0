import { join, resolve } from "node:path";
import type { Graph, GraphNode } from "./graph.ts";
import { readLock, type RunLock } from "./records.ts";
import { type Shard, shardText } from "./shard.ts";
import { isSource } from "./stages.ts";
import type { NodeParts } from "./task_key.ts";
import { version } from "./version.ts";

/** What a lock says besides the graph. */
export interface LockOptions {
  readonly parts: ReadonlyMap<string, NodeParts>;
  /** Where relative places began. */
  readonly cwd: string;
  readonly limit?: number;
  readonly until?: string;
  readonly shard?: Shard;
}

/** `lock.json` as it is when a run begins: what goes in, and nothing yet of what came out. */
export function lockText(
  graph: Graph,
  nodes: readonly GraphNode[],
  { parts, cwd, limit, until, shard }: LockOptions,
): string {
  return textOf({
    recipe: graph.recipe,
    settings: graph.settings,
    path: resolve(cwd, graph.path),
    cwd,
    limit,
    until,
    shard: shard && shardText(shard),
    tintype: version,
    deno: Deno.version.deno,
    sources: nodes.filter(isSource).map((node) => node.id),
    nodes: nodes.map((node) => ({ id: node.id, ...parts.get(node.id)! })),
  });
}

/** Adds what came out, when a run has come to its end. */
export function sealLock(
  folder: string,
  digests: Readonly<Record<string, string>>,
): void {
  const lock = readLock(folder);
  if (lock === undefined) return; // a person removed it while the run was under way
  const sources = new Set(lock.sources);
  const part = (isInput: boolean) =>
    Object.fromEntries(Object.entries(digests).filter(([table]) => sources.has(table) === isInput));
  // Over the file as it is, which it is longer than: killed in the middle, no temporary file is left.
  using file = Deno.openSync(join(folder, "lock.json"), { write: true });
  const bytes = new TextEncoder().encode(
    textOf({ ...lock, inputs: part(true), outputs: part(false) }),
  );
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

export function textOf(lock: RunLock): string {
  return `${JSON.stringify(lock, undefined, 2)}\n`;
}
