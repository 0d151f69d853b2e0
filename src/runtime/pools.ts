import { waitForPlace } from "./task_time.ts";

interface Waiting {
  readonly rank: number;
  readonly start: () => void;
}

interface Pool {
  readonly size: number;
  running: number;
  /** By rank, equal ones as they came. */
  readonly waiting: Waiting[];
}

/** Named limits on what runs at the same time: "cpu", "onnx", "gemini". */
export class Pools {
  readonly #pools = new Map<string, Pool>();

  /** Pools that are not named get `others` places. */
  constructor(readonly sizes: Readonly<Record<string, number>>, readonly others = 4) {}

  size(pool: string): number {
    return Math.max(1, this.sizes[pool] ?? this.others);
  }

  /**
   * Runs the work when the pool has a place for it; of what waits the lowest rank first. With an item's
   * rank in the order of a folder the items that are under way are finished before others begin, and
   * few hold their pixels: 48 pictures of 12 megapixels through four steps took 2.4 GB in the order of
   * asking.
   */
  async run<Value>(name: string, work: () => Promise<Value>, rank = 0): Promise<Value> {
    const pool = this.#pool(name);
    if (pool.running < pool.size) pool.running++;
    else await waitForPlace(placeIn(pool, rank));
    try {
      return await work();
    } finally {
      const next = pool.waiting.shift();
      if (next === undefined) pool.running--;
      else next.start();
    }
  }

  #pool(name: string): Pool {
    const known = this.#pools.get(name);
    if (known !== undefined) return known;
    const pool: Pool = { size: this.size(name), running: 0, waiting: [] };
    this.#pools.set(name, pool);
    return pool;
  }
}

/** Resolves with the place that another leaves. */
function placeIn({ waiting }: Pool, rank: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const after = waiting.findLastIndex((other) => other.rank <= rank);
  waiting.splice(after + 1, 0, { rank, start: resolve });
  return promise;
}
