import type { GraphNode } from "./graph.ts";

/** Which of the items that a scan finds are taken. */
export interface ItemChoice {
  /** At most so many of each scan. */
  readonly limit?: number;
  /** By source node, the only names that are taken; all when left out. */
  readonly items?: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The items that are taken, and whether the limit left some out. */
export function chosenOf<Birth extends { readonly name: string }>(
  born: readonly Birth[],
  node: GraphNode,
  { limit, items }: ItemChoice,
): { readonly kept: readonly Birth[]; readonly isLimited: boolean } {
  const isLimited = limit !== undefined && born.length > limit;
  const names = items?.get(node.id);
  const wanted = names === undefined ? born : born.filter(({ name }) => names.has(name));
  return { kept: limit === undefined ? wanted : wanted.slice(0, limit), isLimited };
}
