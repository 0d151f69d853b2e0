import pLimit, { type LimitFunction } from "p-limit";

/** Named limits on what runs at the same time: "cpu", "onnx", "gemini". */
export class Pools {
  readonly #limits = new Map<string, LimitFunction>();

  /** Pools that are not named get `others` places. */
  constructor(readonly sizes: Readonly<Record<string, number>>, readonly others = 4) {}

  size(pool: string): number {
    return Math.max(1, this.sizes[pool] ?? this.others);
  }

  /** Runs the work when the pool has a place for it. */
  run<Value>(pool: string, work: () => Promise<Value>): Promise<Value> {
    let limit = this.#limits.get(pool);
    if (limit === undefined) {
      limit = pLimit(this.size(pool));
      this.#limits.set(pool, limit);
    }
    return limit(work);
  }
}
