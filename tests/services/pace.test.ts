import assert from "node:assert/strict";
import fc from "fast-check";
import { type Clock, Pace, type PaceSettings } from "../../src/services/pace.ts";

/** A clock whose time goes by only when everybody waits. */
class SteppedClock implements Clock {
  #now = 0;
  readonly #waits = new Set<{ readonly at: number; readonly end: () => void }>();

  now(): number {
    return this.#now;
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wait = { at: this.#now + ms, end: resolve };
    this.#waits.add(wait);
    signal?.addEventListener("abort", () => {
      this.#waits.delete(wait);
      resolve();
    }, { once: true });
    return promise;
  }

  get waits(): number {
    return this.#waits.size;
  }

  /** Goes from wait to wait until nobody waits any more. */
  async runDown(untilMs = Infinity): Promise<void> {
    for (;;) {
      await settled();
      const next = [...this.#waits].toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > untilMs) return;
      this.#now = Math.max(this.#now, next.at);
      this.#waits.delete(next);
      next.end();
    }
  }
}

/** When every promise that can go on has. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

const easy: PaceSettings = { requests_per_minute: 60, concurrency: 4, min_delay_s: 0 };

const signal = new AbortController().signal;

/** The most that began within any minute. */
function mostInAMinute(begun: readonly number[]): number {
  return Math.max(
    0,
    ...begun.map((start) => begun.filter((at) => at >= start && at < start + 60_000).length),
  );
}

Deno.test("whatever the settings and the answers, no limit is passed and nobody is left out", async () => {
  const settings = fc.record({
    requests_per_minute: fc.oneof(
      fc.integer({ min: 1, max: 90 }),
      fc.double({ min: 0.05, max: 20, noNaN: true }),
    ),
    concurrency: fc.integer({ min: 1, max: 8 }),
    min_delay_s: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 5, noNaN: true })),
  });
  const calls = fc.array(
    fc.record({
      takesMs: fc.integer({ min: 0, max: 20_000 }),
      comesAfterMs: fc.integer({ min: 0, max: 30_000 }),
      asksForRestMs: fc.option(fc.integer({ min: 0, max: 40_000 }), { nil: undefined }),
      fails: fc.boolean(),
    }),
    { minLength: 1, maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(settings, calls, async (settings, calls) => {
      const clock = new SteppedClock();
      const pace = new Pace(settings, { clock });
      const begun: number[] = [];
      let [underWay, most, quietUntil, ended] = [0, 0, 0, 0];
      const one = async ({ takesMs, comesAfterMs, asksForRestMs, fails }: typeof calls[0]) => {
        await clock.wait(comesAfterMs);
        await pace.run(async () => {
          assert.ok(clock.now() >= quietUntil, "nobody begins while the provider rests");
          begun.push(clock.now());
          most = Math.max(most, ++underWay);
          await clock.wait(takesMs);
          underWay--;
          if (asksForRestMs !== undefined) {
            pace.rest(asksForRestMs);
            quietUntil = Math.max(quietUntil, clock.now() + asksForRestMs);
          }
          if (fails) throw new Error("no");
        }, signal).catch((error) => assert.equal(error.message, "no"));
        ended++;
      };
      const all = Promise.all(calls.map(one));
      await clock.runDown();
      assert.equal(ended, calls.length);
      await all;
      assert.equal(begun.length, calls.length);
      assert.ok(most <= settings.concurrency);
      const { requests_per_minute, min_delay_s } = settings;
      assert.ok(mostInAMinute(begun) <= Math.max(1, Math.floor(requests_per_minute)));
      const gaps = begun.slice(1).map((at, index) => at - begun[index]!);
      const leastGap = Math.max(
        min_delay_s * 1000,
        requests_per_minute < 1 ? 60_000 / requests_per_minute : 0,
      );
      assert.ok(gaps.every((gap) => gap >= leastGap - 1e-6), `${gaps} and ${leastGap}`);
    }),
    { numRuns: 150 },
  );
});

Deno.test("a full minute's calls begin at once, and the next ones when it is over", async () => {
  const clock = new SteppedClock();
  const pace = new Pace({ ...easy, requests_per_minute: 3, concurrency: 9 }, { clock });
  const begun: number[] = [];
  for (let call = 0; call < 7; call++) {
    pace.run(() => Promise.resolve(void begun.push(clock.now())), signal);
  }
  await clock.runDown();
  assert.deepEqual(begun, [0, 0, 0, 61_000, 61_000, 61_000, 122_000]);
});

Deno.test("five hundred waiters come in the order in which they asked", async () => {
  const clock = new SteppedClock();
  const pace = new Pace({ ...easy, requests_per_minute: 100 }, { clock });
  const order: number[] = [];
  const numbers = Array.from({ length: 500 }, (_, index) => index);
  const all = Promise.all(numbers.map((index) =>
    pace.run(async () => {
      order.push(index);
      await clock.wait(index * 7 % 50);
    }, signal)
  ));
  await clock.runDown();
  await all;
  assert.deepEqual(order, numbers);
});

Deno.test("who gives up while waiting leaves at once, and the others keep their turns", async () => {
  const clock = new SteppedClock();
  const pace = new Pace({ ...easy, requests_per_minute: 1 }, { clock });
  const given = new AbortController();
  const order: string[] = [];
  const call = (name: string, signal: AbortSignal) =>
    pace.run(() => Promise.resolve(void order.push(name)), signal);
  const first = call("first", signal);
  const second = call("second", given.signal);
  const third = call("third", signal);
  await settled();
  given.abort(new Error("given up"));
  await assert.rejects(second, /given up/);
  assert.equal(clock.now(), 0);
  await assert.rejects(call("late", given.signal), /given up/);
  await clock.runDown();
  await Promise.all([first, third]);
  assert.deepEqual(order, ["first", "third"]);
});

Deno.test("when everybody has given up, nothing waits for the clock", async () => {
  const clock = new SteppedClock();
  const pace = new Pace({ ...easy, requests_per_minute: 1 }, { clock });
  const given = new AbortController();
  await pace.run(() => Promise.resolve(), signal);
  const waiting = [1, 2, 3].map(() => pace.run(() => Promise.resolve(), given.signal));
  await settled();
  assert.equal(clock.waits, 1);
  given.abort();
  assert.equal(
    (await Promise.allSettled(waiting)).filter((each) => each.status === "rejected").length,
    3,
  );
  assert.equal(clock.waits, 0);
  const later = pace.run(() => Promise.resolve("later"), signal);
  await clock.runDown();
  assert.equal(await later, "later");
});

Deno.test("who waits for a place behind slow calls can give up too", async () => {
  const clock = new SteppedClock();
  const pace = new Pace({ ...easy, concurrency: 1 }, { clock });
  const slow = pace.run(() => clock.wait(30_000), signal);
  const given = new AbortController();
  const waiting = pace.run(() => Promise.resolve(), given.signal);
  await settled();
  given.abort(new Error("given up"));
  await assert.rejects(waiting, /given up/);
  assert.equal(clock.now(), 0);
  await clock.runDown();
  await slow;
});
