const { setTimeout: startTimer, clearTimeout: stopTimer } = globalThis;

/** Longer than any other timer that a test starts, and within what a recipe may say. */
const limitS = 3_000;

/**
 * While it is there, timers of about 3,000 seconds end when the test says so: a question
 * with this time limit has as long as a busy machine needs, and the limit passes where the test wants it.
 */
export class TimeLimit implements Disposable {
  readonly seconds = limitS;
  readonly #held = new Map<unknown, () => void>();

  constructor() {
    globalThis.setTimeout = ((work: (...given: unknown[]) => void, ms = 0, ...given: unknown[]) => {
      const run = () => work(...given);
      const timer = startTimer(run, ms);
      // A limit that stood still in between goes on with a little less.
      if (ms > limitS * 900) this.#held.set(timer, run);
      return timer;
    }) as typeof setTimeout;
    globalThis.clearTimeout = (timer) => {
      this.#held.delete(timer);
      stopTimer(timer);
    };
  }

  /** How many are at work. */
  get running(): number {
    return this.#held.size;
  }

  /** The limits that are at work pass now. */
  pass(): void {
    for (const [timer, run] of [...this.#held]) {
      this.#held.delete(timer);
      stopTimer(timer as Parameters<typeof stopTimer>[0]);
      run();
    }
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = startTimer;
    globalThis.clearTimeout = stopTimer;
  }
}
