import assert from "node:assert/strict";
import fc from "fast-check";
import {
  digitsDown,
  histogramOf,
  natureOf,
  quantile,
  quantilesOf,
  recounted,
  sorted,
} from "../../src/baseline/distribution.ts";
import { outlierRule } from "../../src/baseline/outliers.ts";

const values = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1 });
const order = [
  "min",
  "p01",
  "p05",
  "p10",
  "p25",
  "p50",
  "p75",
  "p90",
  "p95",
  "p99",
  "max",
] as const;
const natures = fc.constantFrom("bytes", "jpeg_quality", "brightness", "sharpness").map(natureOf);

Deno.test("quantiles are those of Hyndman and Fan's type 7", () => {
  // R: quantile(c(1, 2, 4, 8, 16), c(.1, .25, .5, .9), type = 7)
  const five = sorted([16, 1, 8, 2, 4]);
  assert.deepEqual([0.1, 0.25, 0.5, 0.9].map((share) => quantile(five, share)), [1.4, 2, 4, 12.8]);
});

Deno.test("quantiles rise from least to largest, and the mean lies between", () => {
  fc.assert(fc.property(values, (values) => {
    const quantiles = quantilesOf(sorted(values))!;
    const row = order.map((name) => quantiles[name]);
    assert.deepEqual(row, [...row].sort((a, b) => a - b));
    assert.ok(quantiles.mean >= quantiles.min && quantiles.mean <= quantiles.max);
    assert.equal(quantiles.count, values.length);
  }));
});

Deno.test("quantiles and histograms do not depend on the order of the values", () => {
  fc.assert(fc.property(values, natures, (values, nature) => {
    const [forth, back] = [sorted(values), sorted(values.toReversed())];
    assert.deepEqual(quantilesOf(forth), quantilesOf(back));
    assert.deepEqual(histogramOf(forth, nature), histogramOf(back, nature));
  }));
});

Deno.test("absent and broken measures are no values, and no values have no quantiles", () => {
  assert.deepEqual([...sorted([null, 2, undefined, NaN, 1, Infinity])], [1, 2]);
  assert.equal(quantilesOf(sorted([])), null);
  assert.deepEqual(histogramOf(sorted([]), natureOf("bytes")), { scale: "linear", bins: [] });
});

Deno.test("a histogram counts every value once, in bins that rise without gaps", () => {
  fc.assert(
    fc.property(values, natures, (values, nature) => {
      const { bins } = histogramOf(sorted(values), nature);
      assert.equal(bins.reduce((sum, { count }) => sum + count, 0), values.length);
      assert.ok(bins.length <= 41, `${bins.length} bins`);
      bins.forEach(({ from, to, count }, index) => {
        assert.ok(from < to, `${from} to ${to}`);
        if (index > 0) assert.equal(from, bins[index - 1]!.to);
        const isLast = index === bins.length - 1;
        const inside = values.filter((value) =>
          value >= from && (value < to || isLast && value <= to)
        );
        assert.equal(count, inside.length);
      });
    }),
    {
      numRuns: 500,
      examples: [[
        [999999999.9992446, 999999999.9994966],
        { isSkewed: true, isWhole: false, leastDistance: 1.25 },
      ]],
    },
  );
});

Deno.test("qualities get bins of whole numbers, sizes over a wide range a log scale", () => {
  const qualities = histogramOf(sorted([75, 80, 85, 85, 90, 92, 95]), natureOf("jpeg_quality"));
  assert.equal(qualities.scale, "linear");
  assert.ok(qualities.bins.every(({ from, to }) => Number.isInteger(from) && Number.isInteger(to)));
  const sizes = sorted(Array.from({ length: 100 }, (_, index) => 10_000 * 1.08 ** index));
  assert.equal(histogramOf(sizes, natureOf("bytes")).scale, "log");
  assert.equal(histogramOf(sorted([1000, 1100]), natureOf("bytes")).scale, "linear");
});

Deno.test("values that are all alike make one bin that has a width", () => {
  for (const [measure, value] of [["bytes", 4000], ["jpeg_quality", 92], ["clipped", 0]] as const) {
    const { bins } = histogramOf(sorted([value, value, value]), natureOf(measure));
    assert.equal(bins.length, 1, measure);
    assert.ok(bins[0]!.from <= value && bins[0]!.to > value && bins[0]!.count === 3, measure);
  }
});

Deno.test("other values are counted over the same bins, and none is lost", () => {
  fc.assert(fc.property(values, values, natures, (before, after, nature) => {
    const bins = histogramOf(sorted(before), nature);
    const counted = recounted(bins, sorted(after)).bins;
    assert.deepEqual(counted.map(({ from }) => from), bins.bins.map(({ from }) => from));
    assert.equal(counted.reduce((sum, { count }) => sum + count, 0), after.length);
  }));
});

Deno.test("digits are cut, never rounded up", () => {
  assert.equal(digitsDown(12.99, 2), 12);
  assert.equal(digitsDown(0.0386, 1), 0.03);
  assert.equal(digitsDown(0, 2), 0);
  fc.assert(fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (value) => {
    assert.ok(digitsDown(value, 2) <= value * (1 + 1e-12));
    assert.ok(digitsDown(value, 2) > value * 0.9);
  }));
});

Deno.test("outliers lie more than 3.5 scaled deviations from the median", () => {
  // Distances from the median of 5: 0 0 1 1 2 2 3 3 4 95, whose median is 2.
  const rule = outlierRule("brightness", sorted([1, 2, 3, 4, 5, 5, 6, 7, 8, 100]), {
    isSkewed: false,
    leastDistance: 0,
  });
  assert.equal(rule.median, 5);
  assert.equal(rule.spread, Number((2 / 0.674489750196082).toPrecision(10)));
  assert.deepEqual([rule.below, rule.above], [0, 1]);
  assert.ok(Math.abs(rule.high! - (5 + 3.5 * rule.spread!)) < 1e-8);
});

Deno.test("where most values are alike, the mean deviation takes the place of the median one", () => {
  const rule = outlierRule("jpeg_quality", sorted([...Array(19).fill(90), 40]), {
    isSkewed: false,
    leastDistance: 5,
  });
  assert.equal(rule.spread, Number((2.5 * 1.2533141373155).toPrecision(10)));
  assert.deepEqual([rule.below, rule.above], [1, 0]);
});

Deno.test("one value, and values all alike, have no bounds", () => {
  for (const values of [[7], [7, 7, 7, 7]]) {
    const { low, high, spread, below, above } = outlierRule(
      "bytes",
      sorted(values),
      natureOf("bytes"),
    );
    assert.deepEqual({ low, high, spread, below, above }, {
      low: null,
      high: null,
      spread: null,
      below: 0,
      above: 0,
    });
  }
});

Deno.test("a picture a pixel narrower than all others is no outlier", () => {
  const widths = sorted([...Array(50).fill(4000), 3999]);
  assert.equal(outlierRule("long_side", widths, natureOf("long_side")).below, 0);
});

Deno.test("a black picture does not change the scale, and is an outlier of sharpness", () => {
  const sharpness = Array.from({ length: 99 }, (_, index) => 100 + index);
  const rule = outlierRule("sharpness", sorted([...sharpness, 0]), natureOf("sharpness"));
  assert.equal(rule.scale, "log");
  assert.ok(rule.low! > 0 && rule.low! < 100);
  assert.equal(rule.below, 1);
});

Deno.test("values at the end of what numbers can say have a rule of numbers", () => {
  const { spread, low, high } = outlierRule(
    "sharpness",
    sorted([0, Number.MIN_VALUE, 2 ** -50]),
    natureOf("sharpness"),
  );
  for (const value of [spread, low, high]) assert.ok(value === null || Number.isFinite(value));
});
