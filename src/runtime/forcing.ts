/** The node of `node` or `node:items`. */
export function forcedNode(force: string): string {
  return force.split(":", 1)[0]!;
}

/**
 * Whether a task is to be done again: its node is named alone, or with the item's name or a pattern of
 * names. A task on the whole collection has no name, and is only meant by the node alone.
 */
export async function forcing(
  forced: readonly string[],
): Promise<(node: string, item: string | undefined) => boolean> {
  const whole = new Set(forced.filter((each) => !each.includes(":")));
  if (whole.size === forced.length) return (node) => whole.has(node);
  const { default: picomatch } = await import("picomatch");
  const parts = new Map<string, ((item: string) => boolean)[]>();
  for (const each of forced) {
    const node = forcedNode(each);
    if (each === node) continue;
    const wanted = each.slice(node.length + 1);
    const matches = picomatch(wanted, { dot: true });
    parts.set(node, [...parts.get(node) ?? [], (item) => item === wanted || matches(item)]);
  }
  return (node, item) =>
    whole.has(node) ||
    (item !== undefined && (parts.get(node)?.some((matches) => matches(item)) ?? false));
}
