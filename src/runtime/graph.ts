import type { Json } from "./hash.ts";
import type { AnyStep, Port } from "./step.ts";

/** A recipe with everything checked: what plan and run work on. */
export interface Graph {
  readonly recipe: string;
  /** The recipe's file as given, for people; never part of a key. */
  readonly path: string;
  /** The recipe's text. */
  readonly text: string;
  /** The values of the recipe's parameters in this run. */
  readonly settings: Readonly<Record<string, Json>>;
  /** Sources before what uses them; else in the order of the recipe. */
  readonly nodes: readonly GraphNode[];
}

/** One use of a step, wired and with checked parameters. */
export interface GraphNode {
  readonly id: string;
  readonly step: AnyStep;
  /** The step's version, or the fingerprint of a user's step file. */
  readonly version: number | string;
  readonly params: Readonly<Record<string, unknown>>;
  /** By input port; optional ports may be absent. */
  readonly wires: Readonly<Record<string, Wire>>;
  /** The key space of its `each` and `all` inputs; undefined where it has none. */
  readonly space?: string;
}

/** The output that an input port is fed by. */
export interface Wire {
  readonly node: string;
  readonly port: string;
}

/** The input ports of a step with their names, in order. */
export function inputPorts(step: AnyStep): [string, Port][] {
  return Object.entries(step.inputs) as [string, Port][];
}

/** The output ports of a step with their names, in order. */
export function outputPorts(step: AnyStep): [string, Port][] {
  return Object.entries(step.outputs) as [string, Port][];
}

/** The key space that is born at an output port. */
export function bornSpace(node: string, port: string): string {
  return `${node}.${port}`;
}

/** The key space of an output port, undefined for `one`. */
export function spaceOfOutput(node: GraphNode, port: string): string | undefined {
  const flow = (node.step.outputs as Record<string, Port>)[port]!.flow;
  if (flow === "one") return undefined;
  return flow === "many" ? bornSpace(node.id, port) : node.space;
}

/** The nodes that `target` needs, itself included, in graph order. */
export function ancestorsOf(graph: Graph, target: string): readonly GraphNode[] {
  const wanted = new Set([target]);
  for (const node of [...graph.nodes].reverse()) {
    if (!wanted.has(node.id)) continue;
    for (const wire of Object.values(node.wires)) wanted.add(wire.node);
  }
  return graph.nodes.filter((node) => wanted.has(node.id));
}

/**
 * The graph without the wires that steps do not look at with their parameters, and without the nodes
 * that are there only for those.
 */
export function withoutUnused(graph: Graph): Graph {
  let nodes = graph.nodes.map((node) => {
    const unused = new Set(node.step.unusedPorts?.(node.params) ?? []);
    if (unused.size === 0) return node;
    const used = Object.entries(node.wires).filter(([port]) => !unused.has(port));
    return { ...node, wires: Object.fromEntries(used) };
  });
  const wanted = consumedBy(graph.nodes);
  for (;;) {
    const consumed = consumedBy(nodes);
    const kept = nodes.filter(({ id }) => consumed.has(id) || !wanted.has(id));
    if (kept.length === nodes.length) return { ...graph, nodes };
    nodes = kept;
  }
}

function consumedBy(nodes: readonly GraphNode[]): ReadonlySet<string> {
  return new Set(nodes.flatMap(({ wires }) => Object.values(wires).map(({ node }) => node)));
}
