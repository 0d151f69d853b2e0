/** What each node takes from: ids that are no node of the map are passed over. */
export type Sources = ReadonlyMap<string, readonly string[]>;

/**
 * Sources before what uses them, else in the map's order. Nodes in a ring come last, in the map's
 * order, so that every node is there once.
 */
export function topological(sources: Sources): string[] {
  const order: string[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (id: string) => {
    if (state.has(id) || !sources.has(id)) return;
    state.set(id, "open");
    for (const source of sources.get(id)!) visit(source);
    state.set(id, "done");
    order.push(id);
  };
  for (const id of sources.keys()) visit(id);
  return order;
}

/** One ring for each set of nodes that wait for each other: every node once, each waits for the next. */
export function inCycles(sources: Sources): string[][] {
  const rings: string[][] = [];
  const reported = new Set<string>();
  for (const start of sources.keys()) {
    if (reported.has(start)) continue;
    const ring = shortestRing(sources, start);
    if (ring === undefined || ring.some((id) => reported.has(id))) continue;
    ring.forEach((id) => reported.add(id));
    rings.push(ring);
  }
  return rings;
}

/** Breadth first from `start` back to itself. */
function shortestRing(sources: Sources, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const id of queue) {
    for (const source of sources.get(id) ?? []) {
      if (source === start) return trailTo(cameFrom, start, id);
      if (!sources.has(source) || cameFrom.has(source)) continue;
      cameFrom.set(source, id);
      queue.push(source);
    }
  }
  return undefined;
}

function trailTo(cameFrom: ReadonlyMap<string, string>, start: string, end: string): string[] {
  const trail = [end];
  for (let id = end; id !== start;) {
    id = cameFrom.get(id)!;
    trail.unshift(id);
  }
  return trail;
}
