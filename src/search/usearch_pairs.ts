import { cosineOf, cosinesWithAll, countOf, type Vectors } from "./cosine.ts";

export interface IndexedOptions {
  /** Neighbours that are asked for, of each vector. */
  readonly neighbours: number;
  /** By float64 cosine, each pair once, `a` < `b`. */
  readonly visit: (a: number, b: number, cosine: number) => void;
  /** Vectors whose neighbours are also found exactly, for the recall. */
  readonly sample?: number;
  readonly signal?: AbortSignal;
}

/** Vectors that are handed over at once. */
const chunk = 4096;

/** Nearest neighbours by which the recall is measured. */
const measuredNeighbours = 10;

/**
 * The nearest neighbours of each vector by an HNSW graph (usearch: Malkov, Yashunin, "Efficient and
 * robust approximate nearest neighbor search using hierarchical navigable small world graphs", 2018),
 * for sets where all pairs are too many. Not exact: gives its recall, 0 to 1, which is the share of the
 * 10 nearest neighbours of a sample, evenly spread, that it found. It works on one core, so that the
 * same vectors in the same order give the same graph.
 */
export async function indexedPairs(vectors: Vectors, options: IndexedOptions): Promise<number> {
  const { Index, MetricKind, ScalarKind } = (await import("usearch")).default;
  const { dimensions, values } = vectors;
  const count = countOf(vectors);
  const index = new Index({
    dimensions,
    metric: MetricKind.IP,
    quantization: ScalarKind.F16,
    connectivity: 16,
    expansion_add: 128,
    expansion_search: 96,
    multi: false,
  });
  const part = (from: number, to: number) => values.subarray(from * dimensions, to * dimensions);
  for (let from = 0; from < count; from += chunk) {
    options.signal?.throwIfAborted();
    const to = Math.min(count, from + chunk);
    index.add(
      BigUint64Array.from({ length: to - from }, (_, at) => BigInt(from + at)),
      part(from, to),
      1,
    );
    await pause();
  }
  const lists: Uint32Array[] = [];
  for (let a = 0; a < count; a++) {
    if (a % chunk === 0) {
      options.signal?.throwIfAborted();
      await pause();
    }
    const { keys } = index.search(part(a, a + 1), options.neighbours + 1, 1);
    lists.push(Uint32Array.from(keys, Number).filter((b) => b !== a && b < count));
  }
  lists.forEach((list, a) => {
    for (const b of list) {
      if (a > b && lists[b]!.includes(a)) continue;
      options.visit(Math.min(a, b), Math.max(a, b), cosineOf(vectors, a, b));
    }
  });
  const places = samplePlaces(count, options.sample ?? 500);
  return await recallOf(vectors, new Map(places.map((place) => [place, new Set(lists[place])])));
}

/** Lets others have their turn. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function samplePlaces(count: number, most: number): number[] {
  const size = Math.min(count, most);
  return Array.from({ length: size }, (_, at) => Math.floor(at * count / size));
}

async function recallOf(vectors: Vectors, found: ReadonlyMap<number, ReadonlySet<number>>) {
  let wanted = 0;
  let there = 0;
  await cosinesWithAll(vectors, [...found.keys()], (place, cosines) => {
    cosines[place] = -2;
    const least = Float32Array.from(cosines).sort().at(-measuredNeighbours) ?? -2;
    const known = found.get(place)!;
    const nearest = [...cosines.entries()].filter(([other, cosine]) =>
      other !== place && cosine >= least
    ).slice(0, measuredNeighbours);
    wanted += nearest.length;
    there += nearest.filter(([other]) => known.has(other)).length;
  });
  return wanted === 0 ? 1 : there / wanted;
}
