import { bornSpace, type Graph, type GraphNode, outputPorts } from "./graph.ts";
import { isPerItem } from "./step.ts";

/**
 * What can go on between two barriers: first the nodes that run once, then every item through all of
 * the stage's nodes before the next item begins.
 */
export interface Stage {
  readonly once: readonly GraphNode[];
  /** By key space, the nodes that each of its items passes, sources first. */
  readonly perItem: ReadonlyMap<string, readonly GraphNode[]>;
}

/** A scan: its items are named at once, and looked at one by one as they flow. */
export function isSource(node: GraphNode): boolean {
  return node.step.world === "reads" &&
    outputPorts(node.step).some(([, port]) => port.flow === "many");
}

/** Whether the tasks of a node are counted one an item. */
export function hasItemTasks(node: GraphNode): boolean {
  return isPerItem(node.step) || isSource(node);
}

/**
 * Cuts a graph into stages, in order. A node that wants `all` of something comes a stage after what
 * it gathers, and so does one whose items are born of another's items; everything else joins the
 * stage of its sources.
 */
export function stagesOf(nodes: Graph["nodes"]): Stage[] {
  const levels = new Map<string, number>();
  for (const node of nodes) levels.set(node.id, levelOf(node, nodes, levels));
  const stages: { once: GraphNode[]; perItem: Map<string, GraphNode[]> }[] = [];
  for (const node of nodes) {
    const level = levels.get(node.id)!;
    while (stages.length <= level) stages.push({ once: [], perItem: new Map() });
    const stage = stages[level]!;
    if (!isPerItem(node.step)) stage.once.push(node);
    const space = isPerItem(node.step)
      ? node.space
      : isSource(node)
      ? sourceSpace(node)
      : undefined;
    if (space !== undefined) {
      stage.perItem.set(space, [...stage.perItem.get(space) ?? [], node]);
    }
  }
  for (const { perItem } of stages) {
    for (const [space, nodes] of perItem) perItem.set(space, batchesLate(nodes));
  }
  return stages;
}

/**
 * An item that waits for its batch lets go of its pixels: nodes that want them have their turn first,
 * unless they want what the batch makes.
 */
function batchesLate(nodes: readonly GraphNode[]): GraphNode[] {
  const left = new Map(nodes.map((node) => [node.id, node]));
  const isReady = ({ wires }: GraphNode) =>
    Object.values(wires).every((wire) => !left.has(wire.node));
  const ordered: GraphNode[] = [];
  while (left.size > 0) {
    const next = left.values().find((node) => node.step.batch === undefined && isReady(node)) ??
      left.values().find(isReady)!;
    left.delete(next.id);
    ordered.push(next);
  }
  return ordered;
}

/** The key space whose items a scan gives birth to. */
export function sourceSpace(node: GraphNode): string {
  const [port] = outputPorts(node.step).find(([, each]) => each.flow === "many")!;
  return bornSpace(node.id, port);
}

function levelOf(
  node: GraphNode,
  nodes: readonly GraphNode[],
  levels: ReadonlyMap<string, number>,
): number {
  let level = 0;
  for (const [input, wire] of Object.entries(node.wires)) {
    const source = nodes.find((each) => each.id === wire.node)!;
    const flow = node.step.inputs[input].flow;
    const isPerItemSource = isPerItem(source.step) || isSource(source);
    const isBorn = source.step.outputs[wire.port].flow === "many" && isPerItem(source.step);
    const waits = isBorn || (flow === "all" && isPerItemSource);
    level = Math.max(level, levels.get(source.id)! + (waits ? 1 : 0));
  }
  return level;
}
