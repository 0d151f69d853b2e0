import assert from "node:assert/strict";
import { HeicDecoder } from "../../src/imaging/heic_decoder.ts";
import { HeicPool } from "../../src/imaging/heic_pool.ts";
import { libheifOf } from "../../src/imaging/libheif.ts";
import { heicOf, heicTest, sampleOf } from "./heic_files.ts";
import { bytesOf, photoLike, pipelineOf } from "./pictures.ts";

const jpeg = await bytesOf(pipelineOf(photoLike(64, 48)).jpeg());
const bytes = await sampleOf(() => heicOf(jpeg));
const request = { bytes, width: 64, height: 48, channels: 3, head: new Uint8Array(2) } as const;

/** A worker of this code in place of the decoder's. */
const moduleOf = (code: string) => new URL(`data:text/javascript,${encodeURIComponent(code)}`);

/** A pool whose first worker is another. */
function poolBeginningWith(code: string, limitMs?: number) {
  let started = 0;
  const start = () =>
    started++ === 0 ? new HeicDecoder({ module: moduleOf(code), limitMs }) : new HeicDecoder();
  return { pool: new HeicPool({ size: 1, start }), started: () => started };
}

async function assertDecodes(pool: HeicPool): Promise<void> {
  const answer = await pool.decode(request);
  assert.ok("made" in answer);
  assert.equal(answer.made.length, 2 + 64 * 48 * 3);
}

heicTest(
  "two pictures at once have a worker each, which stay until the pool is released",
  async () => {
    const pool = new HeicPool({ size: 2 });
    const both = Promise.all([assertDecodes(pool), assertDecodes(pool), assertDecodes(pool)]);
    await both;
    assert.equal(pool.workers, 2);
    pool.release();
    assert.equal(pool.workers, 0);
  },
);

heicTest("workers that nobody needs end by themselves", async () => {
  const pool = new HeicPool({ size: 1, idleMs: 20 });
  await assertDecodes(pool);
  assert.equal(pool.workers, 1);
  while (pool.workers > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

heicTest("a worker that hangs is ended, and the next picture has another", async () => {
  const { pool, started } = poolBeginningWith("self.onmessage = () => { for (;;); };", 300);
  await assert.rejects(
    pool.decode(request),
    /^Error: Cannot decode HEIC: its worker broke, it took longer than 0\.3 s$/,
  );
  await assertDecodes(pool);
  assert.equal(started(), 2);
  pool.release();
});

heicTest("a worker that breaks fails the picture that it was at, and no other", async () => {
  const { pool, started } = poolBeginningWith(
    "self.onmessage = () => { throw new Error('boom'); };",
  );
  const [first, second] = await Promise.allSettled([pool.decode(request), assertDecodes(pool)]);
  assert.match(String((first as PromiseRejectedResult).reason), /its worker broke, .*boom/);
  assert.equal(second.status, "fulfilled");
  assert.equal(started(), 2);
  pool.release();
});

heicTest("a worker that has taken much memory is replaced", async () => {
  const { pool, started } = poolBeginningWith(
    "self.onmessage = () => self.postMessage({ problem: 'damaged', heapBytes: 2 ** 30 });",
  );
  assert.deepEqual(await pool.decode(request), { problem: "damaged", heapBytes: 2 ** 30 });
  assert.equal(pool.workers, 0);
  await assertDecodes(pool);
  assert.equal(started(), 2);
  pool.release();
});

heicTest("a worker that broke while it was idle gets no picture", async () => {
  const broken = new HeicDecoder({
    module: moduleOf(`self.onmessage = () => {
      self.postMessage({ problem: "damaged", heapBytes: 0 });
      queueMicrotask(() => { throw new Error("boom"); });
    };`),
  });
  let started = 0;
  const start = () => started++ === 0 ? broken : new HeicDecoder();
  const pool = new HeicPool({ size: 1, start });
  assert.deepEqual(await pool.decode(request), { problem: "damaged", heapBytes: 0 });
  while (!broken.isSpent) await new Promise((resolve) => setTimeout(resolve, 5));
  await assertDecodes(pool);
  assert.equal(started, 2);
  pool.release();
});

Deno.test("another build of libheif is refused, whatever its bundle does about that", () => {
  const create = (options: Parameters<Parameters<typeof libheifOf>[0]>[0]) => {
    try {
      return options.instantiateWasm.call({ wasmBinary: new Uint8Array(64) }, {}, () => {});
    } catch {
      return {}; // as the bundle does
    }
  };
  assert.throws(() => libheifOf(create), /^Error: Cannot set up libheif/);
});
