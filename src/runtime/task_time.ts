import { AsyncLocalStorage } from "node:async_hooks";

/** Time that a task only waits for a place among others. */
class Waits {
  #waiting = 0;
  #working = 0;
  #since = 0;
  #ms = 0;

  constructor(readonly now: () => number) {}

  get ms(): number {
    return this.#ms;
  }

  /** So many more wait, and so many more work meanwhile. */
  change(waiting: number, working: number): void {
    const now = this.now();
    if (this.#waiting > 0 && this.#working === 0) this.#ms += now - this.#since;
    this.#since = now;
    this.#waiting += waiting;
    this.#working += working;
  }
}

const waits = new AsyncLocalStorage<Waits>();

/** Does a task's work, and says how many ms it took but for what it waited for a place. */
export async function timed<Value>(
  work: () => Promise<Value>,
  now = () => performance.now(),
): Promise<{ readonly value: Value; readonly elapsedMs: number }> {
  const own = new Waits(now);
  const started = now();
  const value = await waits.run(own, work);
  return { value, elapsedMs: now() - started - own.ms };
}

/** Waits for a place that others have, which is no time of the task. */
export async function waitForPlace(place: Promise<void>): Promise<void> {
  const own = waits.getStore();
  own?.change(1, 0);
  try {
    await place;
  } finally {
    own?.change(-1, 0);
  }
}

/** Works at a place: counts, also while the same task waits for another. */
export async function workAtPlace<Value>(work: () => Promise<Value>): Promise<Value> {
  const own = waits.getStore();
  own?.change(0, 1);
  try {
    return await work();
  } finally {
    own?.change(0, -1);
  }
}
