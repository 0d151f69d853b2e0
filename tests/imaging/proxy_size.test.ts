import assert from "node:assert/strict";
import fc from "fast-check";
import { fittedSize, proxySize } from "../../src/imaging/proxy_size.ts";

const side = fc.integer({ min: 1, max: 65_535 });

/** round(a × b / c), half up, in integers of any size. */
function rounded(a: number, b: number, c: number): number {
  return Number((2n * BigInt(a) * BigInt(b) + BigInt(c)) / (2n * BigInt(c)));
}

Deno.test("the short side is exactly what was asked and the long side the rounded proportion", () => {
  fc.assert(fc.property(side, side, side, (width, height, wanted) => {
    const [short, long] = [Math.min(width, height), Math.max(width, height)];
    const size = proxySize(width, height, wanted);
    if (short <= wanted) return assert.deepEqual(size, { width, height });
    assert.equal(Math.min(size.width, size.height), wanted);
    assert.equal(Math.max(size.width, size.height), rounded(long, wanted, short));
    assert.ok(width >= height ? size.width >= size.height : size.width <= size.height);
  }));
});

Deno.test("for all short sides from 897 to 8000 the proxy's is 896, where floats give 895 for 627", () => {
  let floatMisses = 0;
  for (let short = 897; short <= 8000; short++) {
    assert.equal(proxySize(short, short * 2, 896).width, 896);
    if (Math.trunc(short * (896 / short)) === 895) floatMisses++;
  }
  assert.equal(floatMisses, 627);
});

Deno.test("12 megapixels become 1195 × 896, lying or standing", () => {
  assert.deepEqual(proxySize(4000, 3000, 896), { width: 1195, height: 896 });
  assert.deepEqual(proxySize(3000, 4000, 896), { width: 896, height: 1195 });
});

Deno.test("half a pixel rounds up", () => {
  assert.deepEqual(proxySize(5, 2, 1), { width: 3, height: 1 });
});

Deno.test("no side is longer than asked, and none shorter than a pixel", () => {
  fc.assert(fc.property(side, side, side, (width, height, most) => {
    const size = fittedSize(width, height, most);
    assert.equal(Math.max(size.width, size.height), Math.min(most, Math.max(width, height)));
    assert.ok(size.width >= 1 && size.height >= 1);
    assert.ok(size.width <= width && size.height <= height);
  }));
});
