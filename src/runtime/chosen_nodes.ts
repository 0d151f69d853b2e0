import { forcedNode } from "./forcing.ts";
import { ancestorsOf, type Graph, type GraphNode } from "./graph.ts";
import { type Shard, shardProblem, shardText } from "./shard.ts";

/** Which nodes of a graph are run. */
export interface NodeChoice {
  /** This node and what it needs, nothing after it. */
  readonly until?: string;
  /** Nodes that are named to be done again, perhaps with items. */
  readonly force?: readonly string[];
  /** Only what can be done with a part of the items. */
  readonly shard?: Shard;
}

export interface ChosenNodes {
  readonly nodes: readonly GraphNode[];
  /** Wanted, but not in a shard. */
  readonly held: readonly GraphNode[];
}

/** A node that was asked for is not in the recipe. */
export class UnknownNode extends Error {
  override readonly name = "UnknownNode";

  constructor(readonly node: string, readonly known: readonly string[]) {
    super(`There is no node "${node}" in the recipe (nodes: ${known.join(", ")})`);
  }
}

/** A shard cannot be run as asked for. */
export class ShardProblem extends Error {
  override readonly name = "ShardProblem";
}

/** The nodes that are run. Throws `UnknownNode` or `ShardProblem` where there are none such. */
export function chosenNodes(graph: Graph, choice: NodeChoice): ChosenNodes {
  const { until, force = [], shard } = choice;
  const named = [...until === undefined ? [] : [until], ...force.map(forcedNode)];
  for (const each of named) requireNode(graph, each);
  const wanted = until === undefined ? graph.nodes : ancestorsOf(graph, until);
  if (shard === undefined) return { nodes: wanted, held: [] };
  const wrong = shardProblem(shard);
  if (wrong !== undefined) throw new ShardProblem(`Cannot run a shard: ${wrong}`);
  const chosen = splitNodes(wanted);
  const held = chosen.held.find(({ id }) => named.includes(id));
  if (held === undefined) return chosen;
  throw new ShardProblem(
    `Cannot run node "${held.id}" in shard ${shardText(shard)}: it needs the items of all shards ` +
      "(run it without --shard when they are done)",
  );
}

function requireNode(graph: Graph, id: string) {
  if (graph.nodes.some((node) => node.id === id)) return;
  throw new UnknownNode(id, graph.nodes.map((node) => node.id));
}

/**
 * What a shard can do, and what it cannot: nodes that gather all items, that write into a folder (which
 * would take what the other shards have for gone), and all that come after such a node.
 */
function splitNodes(wanted: readonly GraphNode[]): ChosenNodes {
  const held = new Set<string>();
  for (const { id, step, wires } of wanted) {
    const gathers = Object.keys(wires).some((port) => step.inputs[port].flow === "all");
    const comesAfter = Object.values(wires).some(({ node }) => held.has(node));
    if (gathers || comesAfter || step.world === "writes") held.add(id);
  }
  return {
    nodes: wanted.filter(({ id }) => !held.has(id)),
    held: wanted.filter(({ id }) => held.has(id)),
  };
}
