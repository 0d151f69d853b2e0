/** Which nodes are linked, and the closest links of each; nodes are numbers from 0. */
export interface LinkGraph {
  readonly count: number;
  isLinked(a: number, b: number): boolean;
}

/** More links than this machine should be asked to hold. */
export class TooManyLinks extends Error {
  override readonly name = "TooManyLinks";
}

/** 512 MB of neighbours. */
const mostWords = 128_000_000;

/** How many of its closest links each node keeps with their scores, once there are very many. */
const closestKept = 16;

/**
 * Links between nodes, as they are found. A node's neighbours are a list while they are few and a
 * bitset once that is smaller, so memory is at most `count² / 8` bytes. Scores are kept for all links
 * while these are few, then for the closest of each node: they only say what is joined first.
 */
export class Links implements LinkGraph {
  readonly #rows: (Row | undefined)[];
  readonly #proposals: Proposals;
  #words = 0;

  constructor(readonly count: number) {
    this.#rows = new Array(count);
    this.#proposals = new Proposals(count);
  }

  /** Links two different nodes, once; the higher the score, the more alike. Throws `TooManyLinks`. */
  add(a: number, b: number, score: number): void {
    for (const [own, other] of [[a, b], [b, a]] as const) {
      const row = this.#rows[own] ??= new Row(this.count);
      this.#words += row.add(other);
    }
    if (this.#words > mostWords) throw new TooManyLinks("more links than fit into 512 MB");
    this.#proposals.add(a, b, score);
  }

  isLinked(a: number, b: number): boolean {
    return this.#rows[a]?.has(b) ?? false;
  }

  neighbours(node: number): readonly number[] {
    return this.#rows[node]?.members() ?? [];
  }

  /** Links with scores, closest first; ties by the nodes' numbers. */
  closestFirst(): readonly Link[] {
    return this.#proposals.closestFirst();
  }

  /** Whether links were left out of `closestFirst`. */
  get isThinned(): boolean {
    return this.#proposals.isThinned;
  }
}

export interface Link {
  readonly a: number;
  readonly b: number;
  readonly score: number;
}

/** The neighbours of one node. */
class Row {
  #list: number[] | undefined = [];
  #bits: Uint32Array | undefined;

  constructor(readonly count: number) {}

  /** Adds a neighbour; gives how many words of memory that took. */
  add(node: number): number {
    if (this.#bits !== undefined) {
      this.#bits[node >>> 5]! |= 1 << (node & 31);
      return 0;
    }
    this.#list!.push(node);
    const words = (this.count + 31) >>> 5;
    if (this.#list!.length <= words) return 1;
    this.#bits = new Uint32Array(words);
    for (const each of this.#list!) this.#bits[each >>> 5]! |= 1 << (each & 31);
    this.#list = undefined;
    return 0;
  }

  has(node: number): boolean {
    if (this.#bits !== undefined) return (this.#bits[node >>> 5]! & 1 << (node & 31)) !== 0;
    return this.#list!.includes(node);
  }

  members(): readonly number[] {
    if (this.#list !== undefined) return this.#list;
    const members: number[] = [];
    for (let node = 0; node < this.count; node++) if (this.has(node)) members.push(node);
    return members;
  }
}

/** Links with their scores, thinned to the closest of each node whenever they are too many. */
class Proposals {
  isThinned = false;
  #links: Link[] = [];
  /** What a new link has to beat at either of its nodes; set by thinning. */
  readonly #floors: Float64Array;
  readonly #most: number;

  constructor(readonly count: number) {
    this.#floors = new Float64Array(count).fill(-Infinity);
    this.#most = Math.max(1_000_000, 2 * closestKept * count);
  }

  add(a: number, b: number, score: number): void {
    if (score <= this.#floors[a]! && score <= this.#floors[b]!) return;
    this.#links.push({ a, b, score });
    if (this.#links.length > this.#most) this.#thin();
  }

  closestFirst(): readonly Link[] {
    return this.#links.sort((x, y) => y.score - x.score || x.a - y.a || x.b - y.b);
  }

  #thin(): void {
    this.isThinned = true;
    const ranks = new Uint32Array(this.count);
    this.#links = this.closestFirst().filter(({ a, b, score }) => {
      for (const node of [a, b]) if (++ranks[node]! === closestKept) this.#floors[node] = score;
      return ranks[a]! <= closestKept || ranks[b]! <= closestKept;
    });
  }
}

export interface GroupingOptions {
  /** Pairs that belong together whatever the links say. */
  readonly together?: readonly (readonly [number, number])[];
  /** Pairs that may not be in one group. */
  readonly apart?: readonly (readonly [number, number])[];
}

export interface Grouping {
  /** Groups of two nodes and more; nodes and groups ascending. */
  readonly groups: readonly (readonly number[])[];
  /** Pairs of `together` that would have joined what must be apart. */
  readonly refused: readonly (readonly [number, number])[];
}

/**
 * Groups nodes by complete links: every two of a group are linked, but for those that a person put
 * together. The closest are joined first, two groups when all of one are linked with all of the other
 * (greedy complete-linkage clustering; Defays, "An efficient algorithm for a complete link method",
 * The Computer Journal 20 (4), 1977, has the measure), so a chain A~B~C does not put A with an unlike C.
 */
export function completeGroups(links: Links, options: GroupingOptions = {}): Grouping {
  const clusters = new Clusters(links, options.apart ?? []);
  const refused = (options.together ?? []).filter(([a, b]) => !clusters.force(a, b));
  for (const { a, b } of links.closestFirst()) clusters.join(a, b);
  if (links.isThinned) {
    for (let node = 0; node < links.count; node++) {
      for (const other of links.neighbours(node)) clusters.join(node, other);
    }
  }
  return { groups: clusters.groups(), refused };
}

class Clusters {
  readonly #root: Uint32Array;
  readonly #members = new Map<number, number[]>();
  /** Nodes that are linked with every member; only of clusters, single nodes have their links. */
  readonly #common = new Map<number, Set<number>>();
  readonly #apart = new Map<number, Set<number>>();

  constructor(readonly links: Links, apart: readonly (readonly [number, number])[]) {
    this.#root = Uint32Array.from({ length: links.count }, (_, node) => node);
    for (const [a, b] of apart) {
      for (const [own, other] of [[a, b], [b, a]] as const) {
        const others = this.#apart.get(own) ?? new Set();
        this.#apart.set(own, others.add(other));
      }
    }
  }

  /** Joins two clusters when all their nodes are linked. */
  join(a: number, b: number): void {
    const [one, other] = [this.#root[a]!, this.#root[b]!];
    if (one === other || this.#isApart(one, other)) return;
    const [large, small] = this.#membersOf(one).length >= this.#membersOf(other).length
      ? [one, other]
      : [other, one];
    const isComplete = this.#membersOf(small).every((node) => this.#isLinkedWithAll(large, node));
    if (isComplete) this.#merge(large, small);
  }

  /** Joins two clusters whatever the links say; false where they must be apart. */
  force(a: number, b: number): boolean {
    const [one, other] = [this.#root[a]!, this.#root[b]!];
    if (one === other) return true;
    if (this.#isApart(one, other)) return false;
    this.#merge(one, other);
    return true;
  }

  groups(): number[][] {
    const groups = [...this.#members.values()].map((nodes) => [...nodes].sort((a, b) => a - b));
    return groups.sort((a, b) => a[0]! - b[0]!);
  }

  #membersOf(root: number): readonly number[] {
    return this.#members.get(root) ?? [root];
  }

  #isLinkedWithAll(root: number, node: number): boolean {
    const common = this.#common.get(root);
    return common === undefined ? this.links.isLinked(root, node) : common.has(node);
  }

  #isApart(one: number, other: number): boolean {
    if (this.#apart.size === 0) return false;
    return this.#membersOf(one).some((node) => {
      const others = this.#apart.get(node);
      return others !== undefined && this.#membersOf(other).some((each) => others.has(each));
    });
  }

  #merge(into: number, from: number): void {
    const common = this.#common.get(into) ?? new Set(this.links.neighbours(into));
    const theirs = this.#common.get(from);
    for (const node of common) {
      const isLinked = theirs?.has(node) ?? this.links.isLinked(from, node);
      if (!isLinked) common.delete(node);
    }
    const moved = this.#membersOf(from);
    const members = this.#members.get(into) ?? [into];
    for (const node of moved) {
      members.push(node);
      this.#root[node] = into;
    }
    this.#members.set(into, members);
    this.#members.delete(from);
    this.#common.delete(from);
    this.#common.set(into, common);
  }
}
