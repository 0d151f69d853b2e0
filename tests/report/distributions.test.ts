import assert from "node:assert/strict";
import { histogramOf, natureOf, sorted } from "../../src/baseline/distribution.ts";
import { drawnHistogram, loweredBins, median, sharedBins } from "../../src/report/distributions.ts";
import { changeText } from "../../src/report/format.ts";
import { html } from "../../src/report/html.ts";

Deno.test("values after are counted into the bins of before, and outside them into like ones", () => {
  const before = {
    scale: "linear" as const,
    bins: [{ from: 10, to: 20, count: 3 }, { from: 20, to: 30, count: 1 }],
  };
  const shared = sharedBins(before, [1, 10, 19.9, 20, 30, 31, NaN]);
  const edges = (bins: readonly { from: number; to: number }[]) => bins.map((bin) => bin.from);
  assert.deepEqual(edges(shared.before.bins), [0, 10, 20, 30]);
  assert.deepEqual(edges(shared.after.bins), [0, 10, 20, 30]);
  assert.deepEqual(shared.before.bins.map(({ count }) => count), [0, 3, 1, 0]);
  assert.deepEqual(shared.after.bins.map(({ count }) => count), [1, 2, 1, 2]);
});

Deno.test("bins on a log scale go on by their ratio, and stay above zero", () => {
  const before = { scale: "log" as const, bins: [{ from: 100, to: 200, count: 1 }] };
  const { after } = sharedBins(before, [30, 150]);
  assert.deepEqual(after.bins.map(({ from, count }) => [from, count]), [[25, 1], [50, 0], [
    100,
    1,
  ]]);
});

Deno.test("what is at a limit is in the bar that ends there, on both scales", () => {
  const sizes = [500, 900, 2048, 2048, 4000];
  const after = [500, 900, 2048, 2048, 2048];
  const quality = [60, 85, 90, 95];
  for (
    const [found, lowered] of [
      [histogramOf(sorted(sizes), natureOf("long_side")), { limit: 2048, before: sizes, after }],
      [histogramOf(sorted(quality), natureOf("jpeg_quality")), {
        limit: 90,
        before: quality,
        after: [60, 85, 90, 90],
      }],
    ] as const
  ) {
    const shared = loweredBins(found, lowered)!;
    const { limit } = lowered;
    const ends = shared.after.bins.filter(({ count }) => count > 0).map(({ to }) => to);
    assert.ok(Math.max(...ends) <= limit * (1 + 1e-12), `${ends} beyond ${limit}`);
    assert.ok(shared.before.bins.some(({ from, count }) => count > 0 && from >= limit));
    for (const side of ["before", "after"] as const) {
      const counted = shared[side].bins.reduce((sum, { count }) => sum + count, 0);
      assert.equal(counted, lowered[side].length);
    }
  }
  const single = { scale: "linear" as const, bins: [{ from: 90, to: 90, count: 7 }] };
  assert.equal(loweredBins(single, { limit: 90, before: [90], after: [90] }), undefined);
});

Deno.test("a single bin without width takes what is elsewhere too", () => {
  const before = { scale: "linear" as const, bins: [{ from: 90, to: 90, count: 7 }] };
  const { after } = sharedBins(before, [85, 85, 90]);
  assert.equal(after.bins.reduce((sum, { count }) => sum + count, 0), 3);
  assert.equal(after.bins.at(-1)!.count, 1);
});

Deno.test("zeros of a skewed measure have a bar of their own, and the others a log scale", () => {
  const values = [0, 0, 3, 12, 50, 200, 494, 900, 4000, 322_844];
  const found = histogramOf(sorted(values), natureOf("sharpness"));
  const { histogram, zeros } = drawnHistogram("sharpness", found, { values, limits: [2.4] });
  assert.equal(zeros, 2);
  assert.equal(histogram.scale, "log");
  assert.equal(histogram.bins.reduce((sum, { count }) => sum + count, 0), values.length);
  assert.equal(histogram.bins[0]!.count, 2);
  assert.ok(histogram.bins[0]!.from > 0 && histogram.bins[0]!.to < 2.4);
  assert.ok(histogram.bins.filter(({ count }) => count > 0).length >= 6);
});

Deno.test("a histogram that a log scale would not serve better stays as it is", () => {
  for (const values of [[0, 0, 0], [0, 5, 6, 7], [3, 50, 4000], [0.1, 0, 0.9]]) {
    const measure = values[0] === 0.1 ? "brightness" : "sharpness";
    const found = histogramOf(sorted(values), natureOf(measure));
    const drawn = drawnHistogram(measure, found, { values, limits: [] });
    assert.equal(drawn.histogram, found);
    assert.equal(drawn.zeros, 0);
  }
});

Deno.test("the median of an even number of values is between the middle two", () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
  assert.equal(median([]), null);
});

Deno.test("a change is said in percent, and not where there was nothing", () => {
  assert.equal(changeText(200, 74), "−63 %");
  assert.equal(changeText(1000, 1025), "+2.5 %");
  assert.equal(changeText(1e6, 1e6 + 1), "no change");
  assert.equal(changeText(0, 5), "–");
});

Deno.test("a number that is not finite cannot get into a page", () => {
  assert.throws(() => html`<p>${NaN}</p>`, /it is NaN \(a finite one is wanted\)/);
  assert.equal(
    html`<p title="${'"'}">${["<", 1, null, false]}</p>`.text,
    '<p title="&quot;">&lt;1</p>',
  );
});
