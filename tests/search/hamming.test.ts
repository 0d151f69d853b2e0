import assert from "node:assert/strict";
import { hammingDistance, hammingPairs } from "../../src/search/hamming.ts";

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state ^ (state >>> 13)) >>> 0;
  };
}

/** Hashes around a few centres, some of them equal. */
function clustered(count: number, seed: number): BigUint64Array {
  const random = randomOf(seed);
  const wide = () => BigInt(random()) << 32n | BigInt(random());
  const centres = Array.from({ length: 8 }, wide);
  return BigUint64Array.from({ length: count }, () => {
    let hash = centres[random() % 8]!;
    for (let flips = random() % 9; flips > 0; flips--) hash ^= 1n << BigInt(random() >>> 26);
    return hash;
  });
}

/** Pairs by comparing all with all, as text. */
function allPairs(columns: readonly BigUint64Array[], distance: number): string[] {
  const pairs: string[] = [];
  for (let b = 0; b < columns[0]!.length; b++) {
    for (let a = 0; a < b; a++) {
      if (columns.every((each) => hammingDistance(each, a, b) <= distance)) pairs.push(`${a} ${b}`);
    }
  }
  return pairs.sort();
}

Deno.test("the distance of two hashes is the number of bits that differ", () => {
  const hashes = BigUint64Array.of(0n, 0xffffffffffffffffn, 1n << 63n, 0x8000000080000001n);
  assert.deepEqual([1, 2, 3].map((other) => hammingDistance(hashes, 0, other)), [64, 1, 3]);
});

for (const distance of [0, 1, 4, 9, 16]) {
  Deno.test(`every pair within ${distance} bits is found, once, and no other`, () => {
    for (const columns of [[clustered(1500, 1)], [clustered(1500, 2), clustered(1500, 3)]]) {
      const found: string[] = [];
      hammingPairs(columns, { distance, visit: (a, b) => found.push(`${a} ${b}`) });
      assert.deepEqual(found.sort(), allPairs(columns, distance));
    }
  });
}

Deno.test("hashes that share most bits are divided by the others", () => {
  const random = randomOf(5);
  const hashes = BigUint64Array.from({ length: 60_000 }, () => 0xabcdn << 48n | BigInt(random()));
  const { comparisons } = hammingPairs([hashes], { distance: 4, visit: () => {} });
  assert.ok(comparisons < 60_000 ** 2 / 2 / 8, `${comparisons} comparisons`);
});

Deno.test("no hash, and one, have no pairs", () => {
  for (const count of [0, 1]) {
    hammingPairs([new BigUint64Array(count)], { distance: 4, visit: () => assert.fail() });
  }
});
