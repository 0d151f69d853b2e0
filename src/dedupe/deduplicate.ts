import { pairKey } from "../decisions/decisions.ts";
import { sha256 } from "../runtime/hash.ts";
import { burstOf } from "./bursts.ts";
import { type Content, cosineBetween, hashDistance, largest } from "./content.ts";
import { completeGroups } from "./grouping.ts";
import { Closest, mostOver, nearestBelow } from "./pairs.ts";
import { eachNearPair, type SamePictures, samePictures } from "./same_pictures.ts";
import { embeddedOf, similarByEmbedding, similarByHashes, type Similarity } from "./similar.ts";

export type Verdict = "exact" | "same_picture" | "similar";

export interface Pair {
  readonly a: string;
  readonly b: string;
  readonly verdict: Verdict | null;
  readonly dhash_distance: number | null;
  readonly phash_distance: number | null;
  readonly cosine: number | null;
}

export interface Group {
  readonly id: string;
  readonly verdict: Verdict;
  readonly is_burst: boolean;
  readonly members: readonly string[];
  readonly images: number;
  readonly widest: Pair | null;
}

export interface ContentVerdict {
  readonly sha256: string;
  readonly verdict: Verdict | null;
  readonly exact_group: string | null;
  readonly same_picture_group: string | null;
  readonly similar_group: string | null;
  readonly is_burst: boolean;
  readonly nearest: Pair | null;
}

export interface DedupeOptions {
  /** Cosine, 0 to 1. */
  readonly threshold: number;
  /** Bits of 64. */
  readonly sameDistance: number;
  readonly hashSimilarDistance: number;
  readonly orientations: boolean;
  readonly burstSeconds: number;
  /** What a person decided, by `pairKey`. */
  readonly alike: Readonly<Record<string, boolean>>;
  readonly signal?: AbortSignal;
}

/** Up to here pairs of hashes are counted up to 16 bits, beyond only those that are searched for. */
const mostCounted = 20_000;

/** Members of a group that are compared all with all for its least alike two. */
const mostCompared = 64;

/**
 * Groups contents, which are given by ascending sha256, and says of each how it is like others. Throws
 * `TooManyLinks` where so many are alike that their pairs cannot be held.
 */
export async function deduplicate(contents: readonly Content[], options: DedupeOptions) {
  const decided = decidedPairs(contents, options.alike);
  const same = samePictures(contents, {
    distance: options.sameDistance,
    orientations: options.orientations,
    apart: decided.filter(({ alike }) => !alike).map(({ pair }) => pair),
    decided: new Set(decided.flatMap(({ pair }) => pair)),
  });
  const embedded = embeddedOf(contents);
  const byEmbedding = embedded.contents.length > 0
    ? await similarByEmbedding(embedded, same, options)
    : undefined;
  const links = byEmbedding?.links ?? similarByHashes(contents, same, {
    distance: options.hashSimilarDistance,
    orientations: options.orientations,
  });
  const pictureOf = new Uint32Array(contents.length);
  same.pictures.forEach((places, at) => places.forEach((place) => pictureOf[place] = at));
  const between = (alike: boolean) =>
    decided.filter((each) => each.alike === alike)
      .map(({ pair: [a, b] }) => [pictureOf[a]!, pictureOf[b]!] as const);
  const { groups, refused } = completeGroups(links, {
    together: between(true),
    apart: between(false),
  });
  const similar = groups.map((pictures) =>
    pictures.flatMap((at) => same.pictures[at]!).sort((a, b) => a - b)
  );
  const told = new Teller(contents, options, {
    same,
    pictureOf,
    hasModel: byEmbedding !== undefined,
  });
  const hashes = hashRecord(contents, same, options);
  const near = nearestOf(contents, byEmbedding, { embedded, hashes: hashes.nearest, same });
  const found = told.groups(similar);
  return {
    groups: found.groups,
    verdicts: contents.map((content, place): ContentVerdict => ({
      ...found.verdictOf(place),
      sha256: content.sha256,
      nearest: near[place] === -1 ? null : told.pair(place, near[place]!),
    })),
    pairs: pairsOf(told, { decided, same, byEmbedding, embedded, hashes }),
    similarBy: byEmbedding === undefined ? "hashes" as const : "embedding" as const,
    search: byEmbedding?.search ?? { method: "exact" as const, recall: 1 },
    cosineHistogram: byEmbedding === undefined ? null : [...byEmbedding.record.histogram],
    hashHistogram: hashes.histogram,
    warnings: warningsOf(contents, {
      byEmbedding,
      embedded: embedded.vectorOf,
      refused: refused.length,
      options,
      samePairs: hashes.over.offered,
    }),
  };
}

interface Decided {
  readonly pair: readonly [number, number];
  readonly alike: boolean;
}

function decidedPairs(contents: readonly Content[], alike: DedupeOptions["alike"]): Decided[] {
  const places = new Map(contents.map(({ sha256 }, place) => [sha256, place]));
  return Object.keys(alike).sort().flatMap((key) => {
    const [a, b] = key.split(":").map((each) => places.get(each));
    if (a === undefined || b === undefined || a === b) return [];
    return [{ pair: a < b ? [a, b] as const : [b, a] as const, alike: alike[key]! }];
  });
}

interface Found {
  readonly same: SamePictures;
  readonly pictureOf: Uint32Array;
  readonly hasModel: boolean;
}

/** Says of groups and pairs what they are like. */
class Teller {
  constructor(
    readonly contents: readonly Content[],
    readonly options: DedupeOptions,
    readonly found: Found,
  ) {}

  pair(one: number, other: number): Pair {
    const [a, b] = one < other ? [one, other] : [other, one];
    const [first, second] = [this.contents[a]!, this.contents[b]!];
    const distance = hashDistance(first, second, this.options.orientations);
    return {
      a: first.sha256,
      b: second.sha256,
      verdict: this.#verdictOn(a, b),
      dhash_distance: distance?.dhash ?? null,
      phash_distance: distance?.phash ?? null,
      cosine: cosineBetween(first, second),
    };
  }

  /** All groups by their ids, and where each content stands. */
  groups(similar: readonly (readonly number[])[]) {
    const { pictures } = this.found.same;
    const groups: Group[] = [];
    const ids = { same_picture: new Map<number, string>(), similar: new Map<number, string>() };
    const bursts = new Set<number>();
    for (const [verdict, sets] of [["same_picture", pictures], ["similar", similar]] as const) {
      for (const places of sets.filter(({ length }) => length > 1)) {
        const inBurst = this.#burst(places);
        places.forEach((place, at) => inBurst[at] && bursts.add(place));
        const group = this.#group(verdict, places, inBurst.every(Boolean));
        groups.push(group);
        for (const place of places) ids[verdict].set(place, group.id);
      }
    }
    const exact = this.contents.map((content, place) =>
      content.copies > 1 ? this.#group("exact", [place], false) : undefined
    );
    const verdictOf = (place: number) => {
      const exact_group = exact[place]?.id ?? null;
      const same_picture_group = ids.same_picture.get(place) ?? null;
      const similar_group = ids.similar.get(place) ?? null;
      const verdict: Verdict | null = exact_group !== null
        ? "exact"
        : same_picture_group !== null
        ? "same_picture"
        : similar_group !== null
        ? "similar"
        : null;
      const is_burst = bursts.has(place);
      return { verdict, exact_group, same_picture_group, similar_group, is_burst };
    };
    return { groups: [...exact.filter((group) => group !== undefined), ...groups], verdictOf };
  }

  #verdictOn(a: number, b: number): Verdict | null {
    const { same: { nodeOf, links }, pictureOf, hasModel } = this.found;
    const [first, second] = [this.contents[a]!, this.contents[b]!];
    if (this.options.alike[pairKey(first.sha256, second.sha256)] === false) return null;
    const [own, other] = [nodeOf[a]!, nodeOf[b]!];
    if (own === other || pictureOf[a] === pictureOf[b] || links.isLinked(own, other)) {
      return "same_picture";
    }
    if (this.options.alike[pairKey(first.sha256, second.sha256)] === true) return "similar";
    if (hasModel) {
      const cosine = cosineBetween(first, second);
      return cosine !== null && cosine >= this.options.threshold ? "similar" : null;
    }
    const distance = hashDistance(first, second, this.options.orientations);
    const { hashSimilarDistance } = this.options;
    return distance !== null && largest(distance) <= hashSimilarDistance ? "similar" : null;
  }

  #group(verdict: Verdict, places: readonly number[], is_burst: boolean): Group {
    const members = places.map((place) => this.contents[place]!.sha256);
    return {
      id: `g${sha256(`${verdict}:${members.join()}`).slice(0, 12)}`,
      verdict,
      is_burst,
      members,
      images: places.reduce((sum, place) => sum + this.contents[place]!.copies, 0),
      widest: this.#widest(places),
    };
  }

  /** Where there are very many, of those that are spread evenly over the group. */
  #widest(places: readonly number[]): Pair | null {
    const some = places.length <= mostCompared ? places : Array.from(
      { length: mostCompared },
      (_, at) => places[Math.floor(at * places.length / mostCompared)]!,
    );
    let widest: Pair | null = null;
    some.forEach((a, at) => {
      for (const b of some.slice(at + 1)) {
        const pair = this.pair(a, b);
        if (widest === null || alikeness(pair) < alikeness(widest)) widest = pair;
      }
    });
    return widest;
  }

  #burst(places: readonly number[]): boolean[] {
    const members = places.map((place) => ({
      shot: this.contents[place]!.shot,
      picture: String(this.found.pictureOf[place]),
    }));
    return burstOf(members, this.options.burstSeconds);
  }
}

/** Orders pairs: by cosine where there is one, else by hashes. */
function alikeness({ cosine, dhash_distance, phash_distance }: Pair): number {
  return cosine ?? -1 - Math.max(dhash_distance ?? 64, phash_distance ?? 64);
}

/** What a search by hashes leaves behind, bounded. */
interface HashRecord {
  readonly histogram: number[];
  /** Pairs of nodes that are linked, the least alike kept; and those next to that. */
  readonly over: Closest;
  readonly below: Closest;
  /** The nearest other node; -1 without. */
  readonly nearest: Int32Array;
}

function hashRecord(
  contents: readonly Content[],
  { nodes, links }: SamePictures,
  options: DedupeOptions,
): HashRecord {
  const searched = Math.max(options.sameDistance, options.hashSimilarDistance);
  const distance = nodes.length <= mostCounted ? 16 : searched;
  const record: HashRecord = {
    histogram: new Array(17).fill(0),
    over: new Closest(mostOver, (pair) => pair.score),
    below: new Closest(nearestBelow, (pair) => -pair.score),
    nearest: new Int32Array(nodes.length).fill(-1),
  };
  const least = new Uint8Array(nodes.length).fill(255);
  eachNearPair(contents, nodes, { distance, orientations: false }, (a, b, found) => {
    const score = largest(found);
    record.histogram[score]!++;
    for (const [own, other] of [[a, b], [b, a]] as const) {
      if (score >= least[own]!) continue;
      least[own] = score;
      record.nearest[own] = other;
    }
    (links.isLinked(a, b) ? record.over : record.below).offer({ a, b, score });
  });
  return record;
}

interface Near {
  readonly embedded: ReturnType<typeof embeddedOf>;
  readonly hashes: Int32Array;
  readonly same: SamePictures;
}

/** The nearest other content of each: of its own node, by cosine, else by hashes; -1 without. */
function nearestOf(
  contents: readonly Content[],
  similarity: Similarity | undefined,
  { embedded, hashes, same: { nodes, nodeOf } }: Near,
): Int32Array {
  return Int32Array.from(contents, (_, place) => {
    const others = (places: readonly number[] | undefined) =>
      places?.slice(0, 2).find((other) => other !== place);
    const vector = embedded.vectorOf[place]!;
    const best = vector < 0 ? -1 : similarity!.record.bestPlace[vector]!;
    const own = nodeOf[place]!;
    return others(embedded.contents[vector]) ?? embedded.contents[best]?.[0] ??
      others(nodes[own]!.contents) ?? nodes[hashes[own]!]?.contents[0] ?? -1;
  });
}

interface PairSources {
  readonly decided: readonly Decided[];
  readonly same: SamePictures;
  readonly byEmbedding: Similarity | undefined;
  readonly embedded: ReturnType<typeof embeddedOf>;
  readonly hashes: HashRecord;
}

/** Pairs that a person decided about, those over the thresholds, and those nearest below. */
function pairsOf(teller: Teller, sources: PairSources): Pair[] {
  const { same: { nodes }, embedded, byEmbedding, hashes } = sources;
  const places: (readonly [number, number])[] = sources.decided.map(({ pair }) => pair);
  const ofNodes = (record: Closest) =>
    record.kept().map(({ a, b }) => [nodes[a]!.contents[0]!, nodes[b]!.contents[0]!] as const);
  const ofVectors = (record: Closest) =>
    record.kept().map(({ a, b }) =>
      [embedded.contents[a]![0]!, embedded.contents[b]![0]!] as const
    );
  places.push(...ofNodes(hashes.over));
  if (byEmbedding === undefined) places.push(...ofNodes(hashes.below));
  else places.push(...ofVectors(byEmbedding.record.over), ...ofVectors(byEmbedding.record.below));
  const inside = nodes.flatMap(({ contents: [first, ...others] }) =>
    others.map((other) => [first!, other] as const)
  );
  places.push(...inside.slice(0, mostOver));
  const pairs = new Map<string, Pair>();
  for (const [a, b] of places) {
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    if (!pairs.has(key)) pairs.set(key, teller.pair(a, b));
  }
  return [...pairs.values()].sort((x, y) =>
    alikeness(y) - alikeness(x) || (x.a + x.b < y.a + y.b ? -1 : 1)
  );
}

interface WarningSources {
  readonly byEmbedding: Similarity | undefined;
  readonly embedded: Int32Array;
  readonly refused: number;
  readonly options: DedupeOptions;
  readonly samePairs: number;
}

function warningsOf(contents: readonly Content[], sources: WarningSources): string[] {
  const { byEmbedding, embedded, refused, options, samePairs } = sources;
  const warnings: string[] = [];
  const without = embedded.filter((vector) => vector < 0).length;
  if (contents.length > 0 && byEmbedding === undefined) {
    warnings.push(
      `No embeddings: "similar" is judged by hashes alone, dHash and pHash within ` +
        `${options.hashSimilarDistance} bits; crops, turns and flips are not found`,
    );
  } else if (without > 0) {
    warnings.push(`${without} of ${contents.length} pictures have no embedding to compare`);
  }
  const over = byEmbedding?.record.over.offered ?? 0;
  if (over > mostOver) {
    warnings.push(`${over} pairs are over the threshold; the ${mostOver} nearest to it are listed`);
  }
  if (samePairs > mostOver) {
    warnings.push(
      `${samePairs} pairs are the same picture; the ${mostOver} least alike are listed`,
    );
  }
  if (byEmbedding?.search.method === "index") {
    const recall = (byEmbedding.search.recall * 100).toFixed(1);
    warnings.push(`Neighbours are searched by an index, which finds ${recall} % of them`);
  }
  if (contents.length > mostCounted) {
    warnings.push("Hash distances are counted only as far as they are searched");
  }
  if (refused > 0) {
    warnings.push(
      `${refused} pairs decided to be alike are not grouped: others are decided not to be`,
    );
  }
  return warnings;
}
