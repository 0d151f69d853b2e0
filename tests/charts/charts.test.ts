import assert from "node:assert/strict";
import { domainOf, linearTicks, logTicks } from "../../src/charts/axis.ts";
import { barChart } from "../../src/charts/bar.ts";
import { histogramChart, labelRows } from "../../src/charts/distribution.ts";
import { renderSvg } from "../../src/charts/render.ts";
import { scatterChart } from "../../src/charts/scatter.ts";
import { plotWidth } from "../../src/charts/style.ts";

/** Where the dashed lines of a chart are, in pixels of its plot. */
function dashedLines(svg: string): { x: number; y: number }[] {
  return [...svg.matchAll(/<line transform="translate\(([\d.]+),([\d.]+)\)"[^>]*stroke-dasharray/g)]
    .map(([, x, y]) => ({ x: Number(x), y: Number(y) }));
}

function near(actual: number, wanted: number) {
  assert.ok(Math.abs(actual - wanted) <= 0.51, `${actual} is not ${wanted}`);
}

const linear = {
  scale: "linear" as const,
  bins: [{ from: 0, to: 50, count: 4 }, { from: 50, to: 100, count: 9 }],
};
const log = {
  scale: "log" as const,
  bins: [{ from: 100, to: 1000, count: 4 }, { from: 1000, to: 10_000, count: 9 }],
};

Deno.test("a histogram draws its limits at their values, on both scales", async () => {
  for (const [histogram, value] of [[linear, 25], [log, 2500]] as const) {
    const lines = [{ value, label: `at most ${value}` }];
    const svg = await renderSvg(histogramChart({ title: "T", before: histogram, lines }));
    const { scale, bins } = histogram;
    const { from, to } = domainOf([bins[0]!.from, bins[1]!.to], scale);
    const share = scale === "log"
      ? Math.log(value / from) / Math.log(to / from)
      : (value - from) / (to - from);
    const [line, ...others] = dashedLines(svg);
    assert.equal(others.length, 0);
    near(line!.x, share * plotWidth);
    assert.match(svg, new RegExp(`>at most ${value}<`));
  }
});

Deno.test("a limit beyond the bars widens the axis rather than being left out", async () => {
  const lines = [{ value: 300, label: "at most 300" }];
  const svg = await renderSvg(histogramChart({ title: "T", before: linear, lines }));
  const [line] = dashedLines(svg);
  assert.ok(line!.x > 0.95 * plotWidth && line!.x <= plotWidth);
});

Deno.test("before and after share an axis, and a legend names both", async () => {
  const after = { ...linear, bins: linear.bins.map((bin) => ({ ...bin, count: 6 })) };
  const svg = await renderSvg(histogramChart({ title: "T", before: linear, after }));
  assert.match(svg, />before</);
  assert.match(svg, />after</);
  assert.doesNotMatch(await renderSvg(histogramChart({ title: "T", before: linear })), />before</);
});

Deno.test("bins that a log axis cannot show are drawn on a linear one", async () => {
  const bins = [{ from: 0, to: 10, count: 2 }];
  const svg = await renderSvg(histogramChart({ title: "T", before: { scale: "log", bins } }));
  assert.doesNotMatch(svg, /NaN|Infinity/);
});

Deno.test("no bins, one value, and limits at zero give a chart without NaN", async () => {
  for (const bins of [[], [{ from: 7, to: 7, count: 3 }], [{ from: 0, to: 0, count: 3 }]]) {
    for (const scale of ["linear", "log"] as const) {
      const svg = await renderSvg(histogramChart({
        title: "T",
        before: { scale, bins },
        lines: [{ value: 0, label: "zero" }, { value: NaN, label: "none" }],
        unit: "bytes",
      }));
      assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
    }
  }
});

Deno.test("a scatter chart draws the limits of both axes at their values", async () => {
  const points = [{ x: 100, y: 10, group: "1" }, { x: 10_000, y: 1000, group: "2" }];
  const svg = await renderSvg(scatterChart({
    title: "T",
    points,
    x: { title: "x", scale: "log", lines: [{ value: 1000, label: "x limit" }] },
    y: { title: "y", scale: "linear", lines: [{ value: 505, label: "y limit" }] },
  }));
  const lines = dashedLines(svg);
  assert.equal(lines.length, 2);
  near(lines[0]!.x, plotWidth / 2);
  near(lines[1]!.y, 120);
});

Deno.test("pictures that coincide are one point, however many they are", async () => {
  const few = [{ x: 1, y: 1, group: "1" }, { x: 9, y: 9, group: "1" }];
  const many = Array.from({ length: 5000 }, (_, index) => few[index % 2]!);
  const axis = { title: "a", scale: "linear" as const };
  const draw = (points: typeof few) =>
    renderSvg(scatterChart({ title: "T", points, x: axis, y: axis }));
  assert.ok((await draw(many)).length < (await draw(few)).length * 1.1);
  assert.doesNotMatch(await draw([]), /NaN|Infinity/);
  assert.match(await draw([]), /There is nothing to draw/);
});

/** Where the bars of a chart are, in pixels of its plot. */
function bars(svg: string): { left: number; width: number }[] {
  return [...svg.matchAll(/<path d="M(-?[\d.]+),[\d.]+h([\d.]+)v[\d.]+h-[\d.]+Z" fill="#56b4e9"/g)]
    .map(([, left, width]) => ({ left: Number(left), width: Number(width) }));
}

Deno.test("a bin that is the only one leaves room at its sides", async () => {
  const lines = [{ value: 512, label: "at most 512" }];
  const bins = [{ from: 500, to: 550, count: 3 }];
  const svg = await renderSvg(histogramChart({
    title: "T",
    before: { scale: "linear", bins },
    lines,
  }));
  const [bar] = bars(svg);
  assert.ok(bar!.left > 0.2 * plotWidth && bar!.width < 0.5 * plotWidth, JSON.stringify(bar));
});

Deno.test("labels of limits share a row where there is room, and never overlap", () => {
  const place = { axis: "x", end: 270, domain: { from: 0, to: 100 }, scale: "linear" } as const;
  const rowsOf = (...values: number[]) =>
    labelRows(values.map((value) => ({ value, label: "at most" })), place);
  assert.deepEqual(rowsOf(10, 90), { rowOf: [0, 0], rows: 1 });
  assert.deepEqual(rowsOf(10, 12, 14), { rowOf: [0, 1, 2], rows: 3 });
  assert.deepEqual(rowsOf(10, 12, 50), { rowOf: [0, 1, 0], rows: 2 });
  assert.deepEqual(rowsOf(), { rowOf: [], rows: 0 });
});

Deno.test("limits that are the same are one line with all their labels", async () => {
  const lines = [{ value: 25, label: "p10" }, { value: 25, label: "median" }];
  const svg = await renderSvg(histogramChart({ title: "T", before: linear, lines }));
  assert.equal(dashedLines(svg).length, 1);
  assert.match(svg, />p10, median</);
});

Deno.test("the count axis goes on to the round number above its highest bar", async () => {
  const before = { ...linear, bins: linear.bins.map((bin) => ({ ...bin, count: 13 })) };
  const svg = await renderSvg(histogramChart({ title: "T", before }));
  assert.match(svg, />15</);
});

Deno.test("a log axis over two powers of ten has more than two labels", () => {
  assert.deepEqual(logTicks({ from: 24_000, to: 5e6 }, 5), [3e4, 1e5, 3e5, 1e6, 3e6]);
});

Deno.test("no label of a log axis in the middle is left out where all have room", async () => {
  const bins = [{ from: 16_000, to: 3e5, count: 3 }, { from: 3e5, to: 8e6, count: 3 }];
  const before = { scale: "log" as const, bins };
  const svg = await renderSvg(histogramChart({ title: "T", before, unit: "bytes" }));
  for (const label of ["30 kB", "100 kB", "300 kB", "1 MB", "3 MB"]) {
    assert.match(svg, new RegExp(`opacity="1">${label}<`), label);
  }
});

Deno.test("names of up to 28 characters are written out beside their bars", async () => {
  const rows = [{ label: "Tintype Coolpocket 2 (again)", before: 3 }];
  assert.match(
    await renderSvg(barChart({ title: "T", rows })),
    />Tintype Coolpocket 2 \(again\)</,
  );
});

Deno.test("bars say their counts", async () => {
  const rows = [{ label: "jpeg", before: 1234, after: 7 }, {
    label: "<png>",
    before: 0,
    after: 1227,
  }];
  const svg = await renderSvg(barChart({ title: "Formats", rows }));
  for (const text of ["1,234", "7", "1,227", "jpeg", "&lt;png&gt;"]) {
    assert.ok(svg.includes(`>${text}<`), text);
  }
});

Deno.test("the same chart is the same SVG", async () => {
  const draw = () => renderSvg(histogramChart({ title: "T", before: log, unit: "bytes" }));
  assert.equal(await draw(), await draw());
});

Deno.test("ticks are round numbers inside their domain, three to eight of them", () => {
  for (const [from, to] of [[0, 1], [3, 4000], [900, 1100], [1e4, 2e9], [55, 56]] as const) {
    for (const ticks of [linearTicks({ from, to }), logTicks({ from: from || 0.01, to })]) {
      assert.ok(ticks.length >= 3 && ticks.length <= 8, `${from} to ${to}: ${ticks}`);
      assert.ok(ticks.every((tick) => tick >= from && tick <= to));
    }
  }
});
