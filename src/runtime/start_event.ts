import type { ChosenNodes } from "./chosen_nodes.ts";
import type { RunEvent } from "./event.ts";
import type { Graph } from "./graph.ts";
import { type Shard, shardText } from "./shard.ts";
import { version } from "./version.ts";

/** What the journal says first. */
export function startEvent(
  run: string,
  graph: Graph,
  { nodes, held }: ChosenNodes,
  { shard, pid }: { readonly shard?: Shard; readonly pid: number },
): RunEvent {
  return {
    type: "run-started",
    run,
    recipe: graph.recipe,
    path: graph.path,
    settings: graph.settings,
    nodes: Object.fromEntries(nodes.map((node) => [node.id, node.step.name])),
    ...shard && { shard: shardText(shard), held: held.map(({ id }) => id) },
    tintype: version,
    pid,
  };
}
