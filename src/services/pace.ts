import type { Turns } from "./exchange.ts";

/** How hard a provider may be asked. */
export interface PaceSettings {
  /** Calls begun in any 60 seconds. */
  readonly requests_per_minute: number;
  /** Calls under way at the same time. */
  readonly concurrency: number;
  /** Between the beginnings of two calls. */
  readonly min_delay_s: number;
}

/** Time as a pace needs it, so that tests need not wait. */
export interface Clock {
  /** Milliseconds, never going back. */
  now(): number;
  /** Ends early, without an error, when the signal fires. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** Longer than this no timer holds (2³¹ − 1 ms). */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  async wait(ms, signal) {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.min(ms, longestTimerMs));
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    clearTimeout(timer);
  },
};

export interface PaceOptions {
  readonly clock?: Clock;
  /** How long a minute is, for tests that have none. */
  readonly minuteMs?: number;
}

/** Calls that begin here a minute apart may arrive there closer; so much closer at the most. */
const slackMs = 1_000;

interface Waiting {
  readonly begin: () => void;
}

/** Keeps the calls of one provider within its limits, in the order in which they asked. */
export class Pace implements Turns {
  readonly #clock: Clock;
  readonly #minuteMs: number;
  /** When the calls began that still count. */
  readonly #begun: number[] = [];
  readonly #line: Waiting[] = [];
  #last = -Infinity;
  #underWay = 0;
  #quietUntil = -Infinity;
  /** Ends the wait for the next beginning; undefined when nobody waits for the clock. */
  #alarm?: AbortController;

  constructor(readonly settings: PaceSettings, options: PaceOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#minuteMs = options.minuteMs ?? 60_000;
  }

  /** Makes a call when its turn has come; throws the signal's reason when that fires before. */
  async run<Value>(call: () => Promise<Value>, signal: AbortSignal): Promise<Value> {
    await this.#turn(signal);
    try {
      return await call();
    } finally {
      this.#underWay--;
      this.#advance();
    }
  }

  /** Nobody begins a call for so long: the provider asked for a rest. */
  rest(ms: number): void {
    this.#quietUntil = Math.max(this.#quietUntil, this.#clock.now() + ms);
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { begin: resolve };
    const leave = () => {
      const at = this.#line.indexOf(waiting);
      if (at < 0) return;
      this.#line.splice(at, 1);
      if (this.#line.length === 0) this.#alarm?.abort();
      reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#line.push(waiting);
    this.#advance();
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** Lets those begin whose turn has come, and sets an alarm for the next. */
  #advance(): void {
    while (this.#line.length > 0 && this.#underWay < this.settings.concurrency) {
      const ms = this.#waitMs();
      if (ms > 0) return this.#wake(ms);
      this.#last = this.#clock.now();
      this.#begun.push(this.#last);
      this.#underWay++;
      this.#line.shift()!.begin();
    }
  }

  #wake(ms: number): void {
    if (this.#alarm !== undefined) return;
    const alarm = new AbortController();
    this.#alarm = alarm;
    this.#clock.wait(Math.ceil(ms), alarm.signal).then(() => {
      this.#alarm = undefined;
      this.#advance();
    });
  }

  /** How long until the next call may begin. */
  #waitMs(): number {
    const { requests_per_minute, min_delay_s } = this.settings;
    const now = this.#clock.now();
    const windowMs = this.#minuteMs + slackMs;
    while (this.#begun.length > 0 && this.#begun[0]! <= now - windowMs) this.#begun.shift();
    const most = Math.max(1, Math.floor(requests_per_minute));
    const full = this.#begun.length >= most ? this.#begun.at(-most)! + windowMs : -Infinity;
    // Fewer than one a minute: one, and then a longer wait.
    const slowMs = requests_per_minute < 1 ? windowMs / requests_per_minute : 0;
    const next = this.#last + Math.max(min_delay_s * 1000, slowMs);
    return Math.max(this.#quietUntil, full, next) - now;
  }
}
