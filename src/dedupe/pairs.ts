/** Two places, `a` < `b`, and how alike they are. */
export interface ScoredPair {
  readonly a: number;
  readonly b: number;
  readonly score: number;
}

/** The nearest pairs below the threshold that are kept. */
export const nearestBelow = 100;
/** The pairs over it that are kept, those nearest to it: it is by them that it is judged. */
export const mostOver = 5000;

/**
 * What a search by cosine leaves behind, bounded whatever it finds: the pairs next to a threshold on
 * both sides, the nearest other of each, and a histogram.
 */
export class CosineRecord {
  readonly over: Closest;
  readonly below: Closest;
  /** Bins of 0.01 from -1 to 1. */
  readonly histogram = new Float64Array(200);
  readonly bestCosine: Float32Array;
  readonly bestPlace: Int32Array;

  constructor(count: number) {
    this.over = new Closest(mostOver, (pair) => -pair.score);
    this.below = new Closest(nearestBelow, (pair) => pair.score);
    this.bestCosine = new Float32Array(count).fill(-2);
    this.bestPlace = new Int32Array(count).fill(-1);
  }

  /** Notes the nearest other of both; the first of equals counts. */
  meet(a: number, b: number, cosine: number): void {
    if (cosine > this.bestCosine[a]!) {
      this.bestCosine[a] = cosine;
      this.bestPlace[a] = b;
    }
    if (cosine > this.bestCosine[b]!) {
      this.bestCosine[b] = cosine;
      this.bestPlace[b] = a;
    }
  }
}

/** Keeps the pairs with the highest rank; ties by place. */
export class Closest {
  /** How many were offered. */
  offered = 0;
  /** Below this rank nothing is kept any more. */
  floor = -Infinity;
  #pairs: ScoredPair[] = [];

  constructor(readonly most: number, readonly rank: (pair: ScoredPair) => number) {}

  offer(pair: ScoredPair): void {
    this.offered++;
    if (this.rank(pair) < this.floor) return;
    this.#pairs.push(pair);
    if (this.#pairs.length >= 2 * this.most + 1000) this.#cut();
  }

  /** Highest rank first. */
  kept(): readonly ScoredPair[] {
    this.#cut();
    return this.#pairs;
  }

  #cut(): void {
    this.#pairs.sort((x, y) => this.rank(y) - this.rank(x) || x.a - y.a || x.b - y.b);
    this.#pairs = this.#pairs.slice(0, this.most);
    if (this.#pairs.length === this.most) this.floor = this.rank(this.#pairs.at(-1)!);
  }
}
