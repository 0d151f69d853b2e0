import { domainOf } from "../charts/axis.ts";
import { positionScale } from "../charts/distribution.ts";
import type { ChartSpec } from "../charts/render.ts";
import { beforeColour, limitColour, palette, styled } from "../charts/style.ts";
import { type Groups, measureOf, type ThresholdRow } from "./calibration.ts";

const width = 480;

/** A line across a chart, at a value of its horizontal axis. */
interface Mark {
  readonly value: number;
  readonly label: string;
}

/**
 * How many pairs have each cosine (in steps of 0.01), or without a model each hash distance. Almost all
 * pairs are unlike, so that the count's axis is logarithmic from 1 on.
 */
export function distanceChart(found: Groups): ChartSpec {
  const measure = measureOf(found);
  const isCosine = measure.name === "cosine";
  const bins = isCosine
    ? (found.cosine_histogram ?? []).map((pairs, bin) => ({
      from: rounded(-1 + bin * 0.01),
      to: rounded(-1 + (bin + 1) * 0.01),
      pairs,
    }))
    : found.hash_histogram.map((pairs, bits) => ({ from: bits - 0.4, to: bits + 0.4, pairs }));
  const values = bins.filter(({ pairs }) => pairs > 0);
  const ends = values.flatMap(({ from, to }) => [from, to]);
  const x = positionOf(isCosine ? "cosine" : "bits of 64 that differ", [
    ...ends,
    measure.threshold,
  ]);
  const barLayer = {
    data: { values },
    mark: { type: "rect", color: beforeColour },
    encoding: {
      x: { ...x, field: "from" },
      x2: { field: "to" },
      y: {
        field: "pairs",
        type: "quantitative",
        scale: { type: "symlog" },
        axis: { title: "pairs", values: powersOfTen(values), format: ",d" },
      },
      y2: { datum: 0 },
    },
  };
  return styled({
    title: isCosine ? "How alike pairs are" : "How far apart pairs are",
    width,
    height: 200,
    layer: [
      ...(values.length === 0 ? [] : [barLayer]),
      ...markLayers([{ value: measure.threshold, label: "threshold" }], x),
    ],
  } as ChartSpec);
}

/** 0, 1, 10 … up to the most pairs of a bin. */
function powersOfTen(bins: readonly { readonly pairs: number }[]): number[] {
  const most = bins.reduce((largest, { pairs }) => Math.max(largest, pairs), 1);
  const powers = Array.from(
    { length: Math.floor(Math.log10(most)) + 1 },
    (_, power) => 10 ** power,
  );
  return [0, ...powers];
}

/** Precision and recall against the threshold, with the present threshold and any other as lines. */
export function thresholdChart(
  rows: readonly ThresholdRow[],
  { found, chosen }: { readonly found: Groups; readonly chosen?: number },
): ChartSpec {
  const { name, threshold, sign } = measureOf(found);
  const values = rows.flatMap(({ threshold: from, precision, recall }) => [
    { from, of: "precision", percent: 100 * precision },
    { from, of: "recall", percent: 100 * recall },
  ]);
  const marks = [
    { value: threshold, label: "now" },
    ...(chosen === undefined || chosen === threshold ? [] : [{ value: chosen, label: "chosen" }]),
  ];
  const series = {
    field: "of",
    type: "nominal",
    scale: { domain: ["precision", "recall"], range: [palette[0], palette[1]] },
    legend: { title: null },
  };
  const x = positionOf(
    `threshold (${name})`,
    [...values.map(({ from }) => from), ...marks.map(({ value }) => value)],
  );
  const lineLayer = {
    data: { values },
    // Between two judged pairs a threshold takes what the stricter one takes.
    mark: { type: "line", point: true, interpolate: sign === 1 ? "step-before" : "step-after" },
    encoding: {
      x: { ...x, field: "from" },
      y: {
        field: "percent",
        type: "quantitative",
        scale: { domain: [0, 100] },
        axis: { title: "%" },
      },
      color: series,
      strokeDash: { ...series, scale: { domain: series.scale.domain } },
    },
  };
  return styled({
    title: "Precision and recall of the judged pairs",
    width,
    height: 220,
    layer: [...(values.length === 0 ? [] : [lineLayer]), ...markLayers(marks, x)],
  } as ChartSpec);
}

/** A horizontal axis with room for all of some numbers. */
function positionOf(title: string, numbers: readonly number[]) {
  return {
    type: "quantitative",
    scale: positionScale(domainOf(numbers, "linear"), "linear"),
    axis: { title, grid: false },
  };
}

function markLayers(marks: readonly Mark[], position: ReturnType<typeof positionOf>) {
  return marks.flatMap(({ value, label }, index) => {
    const data = { values: [{ at: value, label }] };
    const x = { ...position, field: "at" };
    return [
      {
        data,
        mark: { type: "rule", color: limitColour, strokeWidth: 1.5, strokeDash: [5, 3] },
        encoding: { x },
      },
      {
        data,
        mark: {
          type: "text",
          y: 6 + 13 * index,
          dx: 4,
          align: "left",
          fontSize: 11,
          fontWeight: 600,
          color: limitColour,
        },
        encoding: { x, text: { field: "label", type: "nominal" } },
      },
    ];
  });
}

/** Bins of 0.01, without the dust of binary fractions. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
