import { type GraphNode, outputPorts } from "./graph.ts";
import type { Space } from "./items.ts";
import { isInShard, type Shard } from "./shard.ts";

/** Which of the items that a scan finds are taken. */
export interface ItemChoice {
  /** At most so many of each scan. */
  readonly limit?: number;
  /** By source node, the only names that are taken; all when left out. */
  readonly items?: ReadonlyMap<string, ReadonlySet<string>>;
  /** Of those, this part; all when left out. */
  readonly shard?: Shard;
}

/** The items that are taken, and whether there are more that the limit or the shard left out. */
export function chosenOf<Birth extends { readonly name: string }>(
  born: readonly Birth[],
  node: GraphNode,
  { limit, items, shard }: ItemChoice,
): { readonly kept: readonly Birth[]; readonly isLimited: boolean } {
  const isLimited = shard !== undefined || (limit !== undefined && born.length > limit);
  const names = items?.get(node.id);
  const wanted = names === undefined ? born : born.filter(({ name }) => names.has(name));
  const within = limit === undefined ? wanted : wanted.slice(0, limit);
  const kept = shard === undefined ? within : within.filter(({ name }) => isInShard(name, shard));
  return { kept, isLimited };
}

/** Of items that come of no scan but of a step, a shard has its part too. */
export function keepShare(
  node: GraphNode,
  spaces: { space(node: GraphNode, port: string): Space },
  shard: Shard | undefined,
): void {
  if (shard === undefined) return;
  for (const [port, { flow }] of outputPorts(node.step)) {
    if (flow !== "many") continue;
    const { items } = spaces.space(node, port);
    const kept = items.filter(({ name }) => isInShard(name, shard));
    items.length = 0;
    for (const item of kept) items.push(item);
  }
}
