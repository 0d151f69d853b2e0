import assert from "node:assert/strict";
import { cosineOf, cosinesWithAll, eachCosineTile, type Vectors } from "../../src/search/cosine.ts";
import { indexedPairs } from "../../src/search/usearch_pairs.ts";

/** Unit vectors, a tenth of them next to the one before. */
function unitVectors(count: number, dimensions: number): Vectors {
  let state = 7;
  const values = new Float32Array(count * dimensions);
  for (let row = 0; row < count; row++) {
    const own = values.subarray(row * dimensions, (row + 1) * dimensions);
    const isNear = row % 10 === 1;
    for (let at = 0; at < dimensions; at++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const noise = state / 2 ** 32 - 0.5;
      own[at] = isNear ? values[(row - 1) * dimensions + at]! + noise * 0.01 : noise;
    }
    const length = Math.hypot(...own);
    for (let at = 0; at < dimensions; at++) own[at]! /= length;
  }
  return { dimensions, values };
}

Deno.test("every pair comes in one tile, with its cosine in float64 to 1e-5", async () => {
  const count = 1100;
  const vectors = unitVectors(count, 96);
  const seen = new Uint8Array(count * count);
  let worst = 0;
  await eachCosineTile(vectors, ({ row, column, rows, columns, cosines }) => {
    for (let i = 0; i < rows; i++) {
      for (let j = row === column ? i + 1 : 0; j < columns; j++) {
        const [a, b] = [row + i, column + j];
        seen[a * count + b]!++;
        worst = Math.max(worst, Math.abs(cosines[i * columns + j]! - cosineOf(vectors, a, b)));
      }
    }
  });
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < count; b++) assert.equal(seen[a * count + b], a < b ? 1 : 0);
  }
  assert.ok(worst < 1e-5, String(worst));
});

Deno.test("chosen vectors get their cosines with all", async () => {
  const vectors = unitVectors(1500, 32);
  await cosinesWithAll(vectors, [3, 1400], (place, cosines) => {
    for (const other of [0, 3, 1023, 1024, 1499]) {
      assert.ok(Math.abs(cosines[other]! - cosineOf(vectors, place, other)) < 1e-5);
    }
  });
});

Deno.test("a vector without length has the cosine 0, and no vectors have no tiles", async () => {
  assert.equal(cosineOf({ dimensions: 2, values: Float32Array.of(0, 0, 1, 0) }, 0, 1), 0);
  await eachCosineTile({ dimensions: 4, values: new Float32Array() }, () => assert.fail());
});

Deno.test("a search that is given up stops", async () => {
  const signal = AbortSignal.abort();
  await assert.rejects(eachCosineTile(unitVectors(10, 4), () => {}, signal), {
    name: "AbortError",
  });
});

Deno.test("the index finds near pairs once, tells its recall, and does the same again", async () => {
  const vectors = unitVectors(3000, 64);
  const search = async () => {
    const pairs: string[] = [];
    const recall = await indexedPairs(vectors, {
      neighbours: 16,
      sample: 100,
      visit: (a, b, cosine) => pairs.push(`${a} ${b} ${cosine}`),
    });
    return { pairs, recall };
  };
  const { pairs, recall } = await search();
  assert.ok(recall > 0.8 && recall <= 1, String(recall));
  assert.equal(new Set(pairs).size, pairs.length);
  const near = pairs.filter((pair) => Number(pair.split(" ")[2]) > 0.9).length;
  assert.equal(near, 300);
  assert.deepEqual(await search(), { pairs, recall });
});
