import assert from "node:assert/strict";
import { DecodeGate } from "../../src/imaging/decode_gate.ts";
import { Batcher } from "../../src/runtime/batcher.ts";
import { Pools } from "../../src/runtime/pools.ts";
import { timed } from "../../src/runtime/task_time.ts";

/** Work whose end the test decides, and what says that it has begun. */
function steered() {
  const end = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const work = () => {
    begun.resolve();
    return end.promise;
  };
  return { work, begun: begun.promise, end: end.resolve };
}

Deno.test("waiting for a place in a pool is no time of the task, working there is", async () => {
  let ms = 0;
  const pools = new Pools({ cpu: 1 });
  const [first, second] = [steered(), steered()];
  const one = timed(() => pools.run("cpu", first.work), () => ms);
  const two = timed(() => pools.run("cpu", second.work), () => ms);
  await first.begun;
  ms = 60;
  first.end();
  await second.begun;
  ms = 90;
  second.end();
  assert.deepEqual([(await one).elapsedMs, (await two).elapsedMs], [60, 30]);
});

Deno.test("waiting for memory counts only while the task decodes another picture meanwhile", async () => {
  for (const isBusy of [false, true]) {
    let ms = 0;
    const gate = new DecodeGate(10);
    const [other, own, last] = [steered(), steered(), steered()];
    const others = gate.run(5, other.work);
    const task = timed(
      () => Promise.all([...isBusy ? [gate.run(5, own.work)] : [], gate.run(10, last.work)]),
      () => ms,
    );
    await other.begun;
    ms = 50;
    own.end();
    other.end();
    await last.begun;
    ms = 70;
    last.end();
    await others;
    assert.equal((await task).elapsedMs, isBusy ? 70 : 20);
  }
});

Deno.test("an item's time counts a batch from its beginning, not the wait for company", async () => {
  let ms = 0;
  const batcher = new Batcher();
  const call = steered();
  const batch = {
    size: 2,
    call: async (prepared: readonly unknown[], begin: () => void) => {
      begin();
      await call.work();
      return prepared.map(() => ({ status: "produced", outputs: {} }) as const);
    },
  };
  const submitted = () => timed(() => batcher.submit("node", undefined, batch), () => ms);
  const first = submitted();
  ms = 100;
  const second = submitted();
  await call.begun;
  // Its items are told of its beginning first.
  await new Promise((resolve) => setTimeout(resolve));
  ms = 120;
  call.end();
  assert.deepEqual([(await first).elapsedMs, (await second).elapsedMs], [20, 20]);
});

Deno.test("outside of a task a pool and the gate work all the same", async () => {
  const value = await new Pools({}).run(
    "cpu",
    () => new DecodeGate().run(1, () => Promise.resolve(3)),
  );
  assert.equal(value, 3);
});
