import assert from "node:assert/strict";
import { WorkerPool } from "../../src/services/worker_pool.ts";

const echo = new URL("./echo_worker.ts", import.meta.url);

/** A pool that is released when the test is over. */
function rig(size = 2) {
  const pool = new WorkerPool({ size });
  return { pool, [Symbol.asyncDispose]: () => pool.release() };
}

Deno.test("more calls than workers all get their own answers", async () => {
  await using made = rig(2);
  const answers = await Promise.all(
    Array.from({ length: 9 }, (_, index) => made.pool.call(echo, index)),
  );
  assert.deepEqual(answers, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

Deno.test("a buffer that is transferred is moved, not copied", async () => {
  await using made = rig(1);
  const pixels = Uint8Array.of(1, 2, 3);
  assert.equal(await made.pool.call(echo, { pixels }, [pixels.buffer]), 6);
  assert.equal(pixels.byteLength, 0);
});

Deno.test("what a computation throws rejects its call alone, with its name and message", async () => {
  await using made = rig(1);
  const [first, second, third] = await Promise.allSettled([
    made.pool.call(echo, "before"),
    made.pool.call(echo, "throw"),
    made.pool.call(echo, "after"),
  ]);
  assert.deepEqual([first, third].map((each) => each!.status), ["fulfilled", "fulfilled"]);
  assert.equal(second!.status, "rejected");
  await assert.rejects(made.pool.call(echo, "throw"), {
    name: "RangeError",
    message: "told to throw",
  });
});

Deno.test("a worker that breaks loses its own call, and another takes its place", async () => {
  await using made = rig(1);
  const broken = made.pool.call(echo, "break");
  const after = made.pool.call(echo, "after");
  await assert.rejects(broken, /its worker broke, .*told to break/);
  assert.equal(await after, "after");
});

Deno.test("a module that is not there, and a result that cannot be sent, reject the call", async () => {
  await using made = rig(1);
  await assert.rejects(
    made.pool.call(new URL("./no_such_worker.ts", import.meta.url), 1),
    /no_such/,
  );
  await assert.rejects(made.pool.call(echo, "function"));
  await assert.rejects(made.pool.call(echo, () => {}));
  assert.equal(await made.pool.call(echo, "still there"), "still there");
});

Deno.test("release rejects what is under way, and the pool works again afterwards", async () => {
  await using made = rig(1);
  const waiting = made.pool.call(echo, "wait");
  const queued = made.pool.call(echo, "queued");
  await made.pool.release();
  await assert.rejects(waiting, /released/);
  await assert.rejects(queued, /released/);
  assert.equal(await made.pool.call(echo, "again"), "again");
});

Deno.test("a process that forgets to release its pool ends by itself", async () => {
  const program = `
    import { WorkerPool } from ${
    JSON.stringify(new URL("../../src/services/worker_pool.ts", import.meta.url).href)
  };
    console.log(await new WorkerPool().call(new URL(${JSON.stringify(echo.href)}), "done"));`;
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    signal: AbortSignal.timeout(60_000),
  }).output();
  assert.equal(new TextDecoder().decode(stdout).trim(), "done");
  assert.ok(success);
});
