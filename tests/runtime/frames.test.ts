import assert from "node:assert/strict";
import fc from "fast-check";
import { frameBytes, FrameProblem, FrameReader, noLimits } from "../../src/runtime/frames.ts";
import { pack, PackProblem, unpack } from "../../src/runtime/packing.ts";

/** Reads frames from bytes that come in pieces of such lengths, again and again. */
function readerOf(bytes: Uint8Array, pieces: readonly number[] = [65_536], limits = noLimits) {
  let [at, turn] = [0, 0];
  return new FrameReader((view) => {
    if (at >= bytes.length) return Promise.resolve(undefined);
    const piece = bytes.subarray(at, at + Math.min(pieces[turn++ % pieces.length]!, view.length));
    at += piece.length;
    view.set(piece);
    return Promise.resolve(view.subarray(0, piece.length));
  }, limits);
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
}

Deno.test("a message comes back as it was packed", () => {
  const values = [
    undefined,
    null,
    [NaN, Infinity, -Infinity, -0, 1e300, 12345678901234567890n],
    { none: undefined, $: "own", is: { $: undefined } },
    new Map<unknown, unknown>([[1, { made: "x" }], [undefined, new Set([{ a: [1] }])]]),
    new Date(5),
    JSON.parse('{"__proto__": {"polluted": true}, "constructor": 5}'),
    "\ud800 and \u0000",
    {
      bytes: new Uint8Array([1, 2, 3]),
      empty: new Uint8Array(),
      more: [new Float64Array([1, NaN])],
    },
    new Uint8Array([1, 2, 3]).buffer,
  ];
  for (const value of values) {
    assert.deepEqual(unpack(pack(value)), value);
    assert.deepEqual(unpack(pack(value, { copies: true })), value);
  }
  assert.equal((({}) as { polluted?: boolean }).polluted, undefined);
});

Deno.test("of bytes only those that are meant are packed, and copied where they are handed on", () => {
  const all = new Uint8Array([1, 2, 3, 4]);
  const { parts } = pack({ some: all.subarray(1, 3) }, { copies: true });
  all.fill(9);
  assert.deepEqual(parts, [new Uint8Array([2, 3])]);
  assert.equal(parts[0]!.buffer.byteLength, 2);
});

Deno.test("what cannot leave its process is named", () => {
  const ring: { ring?: unknown } = {};
  ring.ring = ring;
  assert.throws(() => pack({ f: () => 1 }), /it has a function in it/);
  assert.throws(() => pack([Symbol("s")]), /it has a symbol in it/);
  assert.throws(() => pack(ring), /nested deeper than 200 times/);
});

Deno.test("frames come out as they went in, in whatever pieces the bytes come", async () => {
  const messages = [
    { thread: 1, packed: pack({ a: "text" }) },
    { thread: 0, packed: pack([new Uint8Array(200_000).fill(7), new Uint8Array(), "b"]) },
    { thread: 4_294_967_295, packed: pack(undefined) },
  ];
  const bytes = joined(messages.flatMap(frameBytes));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1 }),
      async (pieces) => {
        const reader = readerOf(bytes, pieces);
        for (const { thread, packed } of messages) {
          const frame = await reader.next();
          assert.equal(frame!.thread, thread);
          assert.deepEqual(unpack(frame!.packed), unpack(packed));
        }
        assert.equal(await reader.next(), undefined);
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("bytes that are no frame, or too many, are refused before they are read", async () => {
  const limits = { jsonBytes: 100, parts: 2, partBytes: 1000 };
  const read = (value: unknown) =>
    readerOf(joined(frameBytes({ thread: 1, packed: pack(value) })), [9], limits).next();
  await assert.rejects(read("x".repeat(200)), /it sent 202 bytes beside its pictures at once/);
  await assert.rejects(read([1, 2, 3].map((n) => new Uint8Array(n))), /it sent 3 parts at once/);
  await assert.rejects(read(new Uint8Array(1001)), /it sent 1,001 bytes at once \(at most 1,000/);
  const printed = new TextEncoder().encode("Loading the model… 100 %\n");
  await assert.rejects(readerOf(printed).next(), FrameProblem);
});

Deno.test("whatever a message is made of, reading it ends, with a value or a problem", () => {
  const sorts = ["Map", "Set", "bigint", "Date", "number", "Object", "Float64Array", "constructor"];
  const hostile = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.jsonValue(),
      fc.record({ $: fc.oneof(fc.constantFrom(...sorts), fc.string()), is: tie("value") }),
      fc.array(tie("value"), { maxLength: 4 }),
    ),
  })).value;
  fc.assert(
    fc.property(hostile, fc.uint8Array({ maxLength: 20 }), (value, part) => {
      const json = new TextEncoder().encode(JSON.stringify(value));
      const parts = [new Uint8Array(part)];
      try {
        unpack({ json, parts });
      } catch (error) {
        assert.ok(error instanceof PackProblem, String(error));
      }
    }),
  );
  const packed = (text: string) => ({ json: new TextEncoder().encode(text), parts: [] });
  for (const text of ["", "{", "[".repeat(100_000) + "]".repeat(100_000)]) {
    assert.throws(() => unpack(packed(text)), PackProblem);
  }
  const long = { $: "bigint", is: "9".repeat(100_000) };
  assert.throws(() => unpack(packed(JSON.stringify(long))), /a number that cannot be read/);
  const many = `[${"[],".repeat(1_000_001)}0]`;
  assert.throws(() => unpack(packed(many)), /more than 1,000,000 values/);
});
