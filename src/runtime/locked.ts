import type { Graph, GraphNode } from "./graph.ts";
import { partsOf } from "./preparation.ts";
import { partsOfLock, RecordProblem } from "./recorded_run.ts";
import type { RunLock } from "./records.ts";
import { isSource } from "./stages.ts";
import { type AnyStep, failed, type OutputPorts, type Services } from "./step.ts";
import { changedParts, type NodeParts, reasonText } from "./task_key.ts";

/** A graph that is run as a lock says. */
export interface LockedGraph {
  readonly graph: Graph;
  readonly parts: ReadonlyMap<string, NodeParts>;
}

/**
 * A graph whose task keys are those of a run's lock, whatever this machine has: what is in the cache is
 * used. What is not is done only where step, version, models and libraries are the locked ones, and is
 * never asked of a remote model; else the task fails and says why. So nothing is kept under a key that
 * does not say what made it. Throws `RecordProblem` where the lock is of another recipe.
 */
export async function lockedGraph(
  graph: Graph,
  lock: RunLock,
  services: Services,
): Promise<LockedGraph> {
  const locked = partsOfLock(lock);
  // A run until a node has nothing of those behind it, nor a shard of those that gather all items.
  const isWhole = lock.until === undefined && lock.shard === undefined;
  const ran = graph.nodes.filter(({ id }) => isWhole || locked.has(id));
  const nodes = await Promise.all(ran.map(async (node) => {
    const parts = locked.get(node.id);
    if (parts?.step !== node.step.name) {
      const what = parts === undefined ? "is not in it" : `is "${parts.step}" in it`;
      throw new RecordProblem(
        `Cannot use the lock of recipe "${lock.recipe}": node "${node.id}" ${what}`,
      );
    }
    return await lockedNode(node, parts, services);
  }));
  return { graph: { ...graph, nodes }, parts: locked };
}

async function lockedNode(node: GraphNode, parts: NodeParts, services: Services) {
  if (node.step.origin === "remote") {
    return refusing(node, "its reply is not in the cache, and no model is asked in a locked run");
  }
  const difference = await differenceOf(node, parts, services);
  return difference === undefined
    ? node
    : refusing(node, `its result is not in the cache, and cannot be made as locked: ${difference}`);
}

/** What differs here from the locked parts, in words; undefined where nothing does. */
async function differenceOf(
  node: GraphNode,
  locked: NodeParts,
  services: Services,
): Promise<string | undefined> {
  let here: NodeParts;
  try {
    here = await partsOf(node, services);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const changes = changedParts({ ...locked, inputs: {} }, { ...here, inputs: {} });
  return changes.length === 0 ? undefined : reasonText({ type: "changed", changes });
}

/** A node that uses what is known, and fails for what is not. */
export function refusing(node: GraphNode, reason: string): GraphNode {
  const { batch: _, ...step } = node.step as AnyStep;
  if (!isSource(node)) {
    const run = () => failed(reason, { stopsNode: true });
    return { ...node, step: { ...step, run } };
  }
  // A scan names files, which nobody can get wrong; it is the first look at them that is refused.
  const identify = () => Promise.reject(new Error(reason));
  const outputs = Object.fromEntries(
    Object.entries(step.outputs as OutputPorts).map(([name, port]) =>
      [name, { ...port, kind: { ...port.kind, identify } }] as const
    ),
  );
  return { ...node, step: { ...step, outputs } };
}
