import { domainOf, labelExpression, linearTicks } from "../charts/axis.ts";
import { emptyChart } from "../charts/empty.ts";
import {
  labelHeight,
  limitLayers,
  type LimitLine,
  positionScale,
  titleGap,
} from "../charts/distribution.ts";
import type { ChartSpec } from "../charts/render.ts";
import { beforeColour, palette, styled } from "../charts/style.ts";
import { type Groups, type Measure, measureOf, type ThresholdRow } from "./calibration.ts";

const width = 480;

/** Hash distances that are counted, in bits. */
const mostBits = 16;

/** Up to this many pairs in a bin a plain axis tells the bars apart. */
const mostPlain = 20;

/**
 * How many pairs have each cosine (in steps of 0.01), or without a model each hash distance. Where almost
 * all pairs are unlike, the count's axis is logarithmic from 1 on.
 */
export function distanceChart(found: Groups): ChartSpec {
  const measure = measureOf(found);
  const isCosine = measure.name === "cosine";
  const title = isCosine ? "How alike pairs are" : "How far apart pairs are";
  const values = (isCosine ? cosineBins(found) : hashBins(found)).filter(({ pairs }) => pairs > 0);
  if (values.length === 0) return emptyChart(`There is no pair ${noPair(measure)}`, title);
  const ends = values.flatMap(({ from, to }) => [from, to]);
  const limit = isCosine
    ? { value: measure.threshold, label: `similar from ${measure.threshold}` }
    // Between the last distance that counts as similar and the next.
    : { value: measure.threshold + 0.5, label: `similar up to ${measure.threshold}` };
  const x = axisOf(measure, [...ends, limit.value]);
  const most = Math.max(...values.map(({ pairs }) => pairs));
  return styled({
    title: { text: title, offset: titleGap },
    width,
    height: 200,
    layer: [
      {
        data: { values },
        mark: { type: "rect", color: beforeColour },
        encoding: {
          x: { ...x.encoding, field: "from" },
          x2: { field: "to" },
          y: { field: "pairs", type: "quantitative", ...countAxis(most) },
          y2: { datum: 0 },
        },
      },
      ...limitLayers([limit], { axis: "x", end: width, domain: x.domain, scale: "linear" }),
    ],
  } as ChartSpec);
}

/** Room above the plot for two rows of labels. */
const legendOffset = 4 + 2 * labelHeight;

function noPair({ name }: Measure): string {
  return name === "cosine" ? "to compare" : `within ${mostBits} bits`;
}

function cosineBins({ cosine_histogram }: Groups) {
  return (cosine_histogram ?? []).map((pairs, bin) => ({
    from: rounded(-1 + bin * 0.01),
    to: rounded(-1 + (bin + 1) * 0.01),
    pairs,
  }));
}

function hashBins({ hash_histogram }: Groups) {
  return hash_histogram.map((pairs, bits) => ({ from: bits - 0.4, to: bits + 0.4, pairs }));
}

/** From zero on: plain for few pairs, else 0, 1, 10 … up to the most pairs of a bin. */
function countAxis(most: number) {
  if (most <= mostPlain) {
    return {
      scale: { type: "linear", domain: [0, most], nice: 4 },
      axis: { title: "pairs", tickCount: 4, tickMinStep: 1, format: ",d" },
    };
  }
  const powers = Array.from({ length: Math.floor(Math.log10(most)) + 1 }, (_, at) => 10 ** at);
  return {
    scale: { type: "symlog", domain: [0, most * 1.5], nice: false },
    axis: { title: "pairs (log scale)", values: [0, ...powers], format: ",d" },
  };
}

/** Precision and recall against the threshold, with the present threshold and any other as lines. */
export function thresholdChart(
  rows: readonly ThresholdRow[],
  { found, chosen }: { readonly found: Groups; readonly chosen?: number },
): ChartSpec {
  const measure = measureOf(found);
  const { threshold, sign } = measure;
  const title = "Precision and recall of the judged pairs";
  if (rows.length === 0) return emptyChart("No pair of this run has been judged yet", title);
  const values = rows.flatMap(({ threshold: from, precision, recall }) => [
    { from, of: "precision", percent: 100 * precision },
    { from, of: "recall", percent: 100 * recall },
  ]);
  const limits: readonly LimitLine[] = [
    { value: threshold, label: "now" },
    ...(chosen === undefined || chosen === threshold ? [] : [{ value: chosen, label: "chosen" }]),
  ];
  const series = {
    field: "of",
    type: "nominal",
    scale: { domain: ["precision", "recall"], range: [palette[0], palette[1]] },
    legend: { title: null, offset: legendOffset, symbolType: "stroke" },
  };
  const x = axisOf(
    measure,
    [...values, ...limits].map((each) => "from" in each ? each.from : each.value),
    "threshold: ",
  );
  return styled({
    title: { text: title, offset: titleGap },
    width,
    height: 220,
    layer: [
      {
        data: { values },
        // Between two judged pairs a threshold takes what the stricter one takes.
        mark: { type: "line", point: true, interpolate: sign === 1 ? "step-before" : "step-after" },
        encoding: {
          x: { ...x.encoding, field: "from" },
          y: {
            field: "percent",
            type: "quantitative",
            scale: { domain: [0, 100] },
            axis: { title: "precision, recall (%)", tickCount: 5 },
          },
          color: series,
          strokeDash: { ...series, scale: { domain: series.scale.domain } },
        },
      },
      ...limitLayers(limits, { axis: "x", end: width, domain: x.domain, scale: "linear" }),
    ],
  } as ChartSpec);
}

/** A horizontal axis: all bits that are counted, or cosines with room for all of some numbers. */
function axisOf({ name }: Measure, numbers: readonly number[], before = "") {
  const isCosine = name === "cosine";
  const domain = isCosine ? domainOf(numbers, "linear") : { from: -0.5, to: mostBits + 0.5 };
  const title = isCosine ? "cosine" : "bits of 64 that differ, the more of dHash and pHash";
  return {
    domain,
    encoding: {
      type: "quantitative",
      scale: positionScale(domain, "linear"),
      axis: {
        title: before + title,
        grid: false,
        values: linearTicks(domain),
        labelExpr: labelExpression(""),
      },
    },
  };
}

/** Bins of 0.01, without the dust of binary fractions. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
