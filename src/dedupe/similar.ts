import { sha256 } from "../runtime/hash.ts";
import { cosineOf, countOf, eachCosineTile, type Vectors } from "../search/cosine.ts";
import { indexedPairs } from "../search/usearch_pairs.ts";
import type { Content } from "./content.ts";
import { Links } from "./grouping.ts";
import { CosineRecord } from "./pairs.ts";
import { eachNearPair, type SamePictureOptions, type SamePictures } from "./same_pictures.ts";

/** Up to here all pairs are compared; beyond, an index finds the neighbours. */
export const mostExact = 100_000;

/** Neighbours that the index is asked for. */
const indexNeighbours = 32;

/** A float32 product this near to the threshold is made again in float64. */
const nearThreshold = 1e-5;

/** The different embeddings, and which contents have them. */
export interface Embedded {
  readonly vectors: Vectors;
  /** Places of contents by vector, ascending. */
  readonly contents: readonly (readonly number[])[];
  /** Which vector a content has; -1 without. */
  readonly vectorOf: Int32Array;
  /** Contents whose embedding has another length than most. */
  readonly odd: number;
}

export function embeddedOf(contents: readonly Content[]): Embedded {
  const dimensions = commonest(contents.flatMap(({ embedding }) => embedding?.length ?? []));
  const byHash = new Map<string, number[]>();
  let odd = 0;
  contents.forEach(({ embedding }, place) => {
    if (embedding === undefined) return;
    if (embedding.length !== dimensions) return void odd++;
    const { buffer, byteOffset, byteLength } = embedding;
    const key = sha256(new Uint8Array(buffer, byteOffset, byteLength));
    const places = byHash.get(key);
    if (places === undefined) byHash.set(key, [place]);
    else places.push(place);
  });
  const values = new Float32Array(byHash.size * dimensions);
  const vectorOf = new Int32Array(contents.length).fill(-1);
  [...byHash.values()].forEach((places, vector) => {
    values.set(contents[places[0]!]!.embedding!, vector * dimensions);
    for (const place of places) vectorOf[place] = vector;
  });
  return { vectors: { dimensions, values }, contents: [...byHash.values()], vectorOf, odd };
}

function commonest(lengths: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const length of lengths) counts.set(length, (counts.get(length) ?? 0) + 1);
  return [...counts].sort((x, y) => y[1] - x[1] || x[0] - y[0])[0]?.[0] ?? 0;
}

export interface Similarity {
  /** Between pictures of `SamePictures`. */
  readonly links: Links;
  readonly record: CosineRecord;
  readonly search: { readonly method: "exact" | "index"; readonly recall: number };
}

/** Pictures are similar when the cosines of all their embeddings reach the threshold. */
export async function similarByEmbedding(
  embedded: Embedded,
  { pictures }: SamePictures,
  { threshold, signal }: { readonly threshold: number; readonly signal?: AbortSignal },
): Promise<Similarity> {
  const { vectors } = embedded;
  const count = countOf(vectors);
  const record = new CosineRecord(count);
  const links = new PictureLinks(pictures, embedded.vectorOf, count);
  embedded.contents.forEach((_, vector) => links.meet(vector, vector, 1));
  const meet = (a: number, b: number, rough: number) => {
    const isNear = Math.abs(rough - threshold) < nearThreshold;
    const score = isNear ? cosineOf(vectors, a, b) : rough;
    (score >= threshold ? record.over : record.below).offer({ a, b, score });
    if (score >= threshold) links.meet(a, b, score);
  };
  if (count <= mostExact) {
    await scanTiles(vectors, { record, threshold, signal, meet });
    return { links: links.complete(), record, search: { method: "exact", recall: 1 } };
  }
  const visit = (a: number, b: number, cosine: number) => {
    record.histogram[binOf(cosine)]!++;
    record.meet(a, b, cosine);
    meet(a, b, cosine);
  };
  const recall = await indexedPairs(vectors, { neighbours: indexNeighbours, visit, signal });
  return { links: links.complete(), record, search: { method: "index", recall } };
}

interface Scan {
  readonly record: CosineRecord;
  readonly threshold: number;
  readonly signal: AbortSignal | undefined;
  readonly meet: (a: number, b: number, cosine: number) => void;
}

async function scanTiles(vectors: Vectors, { record, threshold, signal, meet }: Scan) {
  const { histogram } = record;
  await eachCosineTile(vectors, ({ row, column, rows, columns, cosines }) => {
    let least = Math.min(threshold - nearThreshold, record.below.floor);
    for (let i = 0; i < rows; i++) {
      const a = row + i;
      for (let j = row === column ? i + 1 : 0, at = i * columns + j; j < columns; j++, at++) {
        const cosine = cosines[at]!;
        histogram[binOf(cosine)]!++;
        if (cosine > record.bestCosine[a]! || cosine > record.bestCosine[column + j]!) {
          record.meet(a, column + j, cosine);
        }
        if (cosine < least) continue;
        meet(a, column + j, cosine);
        least = Math.min(threshold - nearThreshold, record.below.floor);
      }
    }
  }, signal);
}

/** Bins of 0.01 from -1 to 1; rounding beyond them counts as the last. */
function binOf(cosine: number): number {
  return Math.max(0, Math.min(199, Math.floor((cosine + 1) * 100)));
}

/** Links two pictures once all of one are near all of the other. */
class PictureLinks {
  readonly #links: Links;
  /** Pictures that have a vector. */
  readonly #picturesOf: number[][];
  /** Different vectors of a picture. */
  readonly #sizes: Uint32Array;
  /** Pairs found so far, and the least alike, where a picture has several. */
  readonly #found = new Map<number, { count: number; score: number }>();

  constructor(pictures: readonly (readonly number[])[], vectorOf: Int32Array, vectors: number) {
    this.#links = new Links(pictures.length);
    this.#picturesOf = Array.from({ length: vectors }, () => []);
    this.#sizes = new Uint32Array(pictures.length);
    pictures.forEach((contents, picture) => {
      const own = new Set(contents.map((place) => vectorOf[place]!).filter((at) => at >= 0));
      this.#sizes[picture] = own.size;
      for (const vector of own) this.#picturesOf[vector]!.push(picture);
    });
  }

  /** Two vectors are near; or one, with itself. */
  meet(a: number, b: number, score: number): void {
    for (const p of this.#picturesOf[a]!) {
      for (const q of this.#picturesOf[b]!) {
        if (p === q || a === b && p > q) continue;
        this.#count(Math.min(p, q), Math.max(p, q), score);
      }
    }
  }

  complete(): Links {
    const wanted = (p: number, q: number) => this.#sizes[p]! * this.#sizes[q]!;
    for (const [key, { count, score }] of this.#found) {
      const p = Math.floor(key / this.#sizes.length);
      const q = key % this.#sizes.length;
      if (count === wanted(p, q)) this.#links.add(p, q, score);
    }
    return this.#links;
  }

  #count(p: number, q: number, score: number): void {
    if (this.#sizes[p] === 1 && this.#sizes[q] === 1) return this.#links.add(p, q, score);
    const key = p * this.#sizes.length + q;
    const found = this.#found.get(key) ?? { count: 0, score };
    found.count++;
    found.score = Math.min(found.score, score);
    this.#found.set(key, found);
  }
}

/** Without embeddings: pictures are similar when the hashes of all their nodes are within a distance. */
export function similarByHashes(
  contents: readonly Content[],
  { nodes, nodeOf, pictures }: SamePictures,
  options: Pick<SamePictureOptions, "distance" | "orientations">,
): Links {
  const places = Int32Array.from(nodeOf);
  const links = new PictureLinks(pictures, places, nodes.length);
  const met = new Set<number>();
  eachNearPair(contents, nodes, options, (a, b, { dhash, phash }) => {
    if (options.orientations) {
      const key = a * nodes.length + b;
      if (met.has(key)) return;
      met.add(key);
    }
    links.meet(a, b, -dhash - phash);
  });
  return links.complete();
}
