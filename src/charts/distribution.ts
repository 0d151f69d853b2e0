import type { Histogram } from "../baseline/baseline.ts";
import {
  type Domain,
  domainOf,
  labelExpression,
  labelSpacing,
  linearTicks,
  logTicks,
  mostTicks,
  type Scale,
} from "./axis.ts";
import type { ChartSpec } from "./render.ts";
import { afterColour, beforeColour, ground, limitColour, plotWidth, styled } from "./style.ts";

/** A limit drawn into a chart, at a value of its axis. */
export interface LimitLine {
  readonly value: number;
  readonly label: string;
}

/** What a histogram shows. */
export interface HistogramChart {
  readonly title: string;
  /** The distribution, or that of before. */
  readonly before: Histogram;
  /** That of after, over the same bins. */
  readonly after?: Histogram;
  /** Limits, drawn dashed across the bars with their label above. */
  readonly lines?: readonly LimitLine[];
  /** Below the axis: `px`, `bytes` (labelled kB, MB), `share` (of the pixels, in percent), `bits` … */
  readonly unit?: string;
  /** How the axis is divided; as the bins are when left out. */
  readonly scale?: Scale;
}

/**
 * A histogram: filled bars for before, outlined ones for after, the limits as dashed lines. A single
 * value gets a bar of its own width.
 */
export function histogramChart(chart: HistogramChart): ChartSpec {
  const { title, before, after, lines = [], unit = "" } = chart;
  const bins = [...before.bins, ...after?.bins ?? []];
  const scale = (chart.scale ?? before.scale) === "log" && bins.every(({ from }) => from > 0)
    ? "log"
    : "linear";
  const drawn = together(
    lines.filter(({ value }) => Number.isFinite(value) && (scale !== "log" || value > 0)),
  );
  const ends = [...bins.flatMap(({ from, to }) => [from, to]), ...drawn.map(({ value }) => value)];
  const domain = domainOf([...ends, ...besideOnly(bins)], scale);
  const most = bins.reduce((highest, { count }) => Math.max(highest, count), 0);
  const place: LimitOptions = { axis: "x", end: plotWidth, domain, scale };
  const room = 4 + labelHeight * labelRows(drawn, place).rows;
  return styled({
    title: { text: title, offset: titleGap },
    usermeta: { labelRoom: room },
    width: plotWidth,
    height: 130,
    layer: [
      barLayer(barsOf(before, after === undefined ? "pictures" : "before", domain), {
        domain,
        scale,
        unit,
        legendOffset: after === undefined ? null : room,
        most,
      }),
      ...(after === undefined ? [] : [outlineLayer(barsOf(after, "after", domain), most)]),
      ...limitLayers(drawn, place),
    ],
  } as ChartSpec);
}

/** One line where several limits are the same, with all their labels. */
function together(lines: readonly LimitLine[]): LimitLine[] {
  return [...Map.groupBy(lines, ({ value }) => value)].map(([value, same]) => ({
    value,
    label: same.map(({ label }) => label).join(", "),
  }));
}

/** Room on both sides of a bin that is the only one, so that its bar does not fill the plot. */
function besideOnly(bins: Histogram["bins"]): number[] {
  const [first] = bins;
  if (first === undefined || bins.some(({ from, to }) => from !== first.from || to !== first.to)) {
    return [];
  }
  const { from, to } = first;
  const below = from - (to - from);
  // Measures are not below zero.
  return [from >= 0 ? Math.max(below, from / 2) : below, to + (to - from)];
}

interface Bar {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly series: string;
}

function barsOf({ bins }: Histogram, series: string, domain: Domain): Bar[] {
  const thin = (domain.to - domain.from) * 0.015;
  return bins.filter(({ count }) => count > 0).map(({ from, to, count }) =>
    to > from ? { from, to, count, series } : { from: from - thin, to: to + thin, count, series }
  );
}

interface BarOptions {
  readonly domain: Domain;
  readonly scale: Scale;
  readonly unit: string;
  /** How far above the plot the legend is, in pixels; null for none. */
  readonly legendOffset: number | null;
  /** Pictures of the highest bar. */
  readonly most: number;
}

function barLayer(bars: readonly Bar[], { domain, scale, unit, legendOffset, most }: BarOptions) {
  const title = unit === "bytes" || unit === "" ? null : unit === "share" ? "of the pixels" : unit;
  return {
    data: { values: bars },
    mark: { type: "rect", stroke: ground, strokeWidth: 0.5 },
    encoding: {
      x: {
        field: "from",
        type: "quantitative",
        scale: positionScale(domain, scale),
        axis: {
          title,
          grid: false,
          values: scale === "log" ? logTicks(domain, mostTicks(unit)) : linearTicks(domain),
          labelExpr: labelExpression(unit),
          ...labelSpacing,
        },
      },
      x2: { field: "to" },
      ...countEncoding(most),
      color: seriesColour(legendOffset),
    },
  };
}

/** The domain as it is: no rounding, and a linear axis does not go down to zero. */
export function positionScale({ from, to }: Domain, scale: Scale) {
  const zero = scale === "linear" ? { zero: false } : {};
  return { type: scale, domain: [from, to], nice: false, ...zero };
}

/** Counts upwards from zero to the largest of all bars. */
function countEncoding(most: number) {
  return {
    y: {
      field: "count",
      type: "quantitative",
      scale: { domain: [0, Math.max(1, most)], nice: 4 },
      axis: { title: "pictures", tickCount: 4, tickMinStep: 1, format: ",d" },
    },
    y2: { datum: 0 },
  };
}

function seriesColour(legendOffset: number | null) {
  const hasLegend = legendOffset !== null;
  return {
    field: "series",
    type: "nominal",
    scale: hasLegend
      ? { domain: ["before", "after"], range: [beforeColour, afterColour] }
      : { domain: ["pictures"], range: [beforeColour] },
    legend: hasLegend ? { title: null, offset: legendOffset } : null,
  };
}

function outlineLayer(bars: readonly Bar[], most: number) {
  return {
    data: { values: bars },
    mark: {
      type: "rect",
      fill: afterColour,
      fillOpacity: 0.12,
      stroke: afterColour,
      strokeWidth: 1.6,
    },
    encoding: {
      x: { field: "from", type: "quantitative" },
      x2: { field: "to" },
      ...countEncoding(most),
    },
  };
}

/** Where limits are drawn. */
export interface LimitOptions {
  readonly axis: "x" | "y";
  /** Length of that axis in pixels. */
  readonly end: number;
  readonly domain: Domain;
  readonly scale: Scale;
}

/** Between a title and what is highest below it: the labels of limits, or a legend. */
export const titleGap = 8;

/** Room that the label of a limit takes above the plot, in pixels. */
export const labelHeight = 13;

/** A dashed line a limit, with its label at the far end of the line, turned to where there is room. */
export function limitLayers(lines: readonly LimitLine[], options: LimitOptions) {
  const { rowOf } = labelRows(lines, options);
  return lines.flatMap((line, index) => {
    const { value, label } = line;
    const data = { values: [{ limit: value, label }] };
    const position = { [options.axis]: { field: "limit", type: "quantitative" } };
    const align = isFar(value, options) ? "right" : "left";
    const text = options.axis === "x"
      ? { y: -3 - labelHeight * rowOf[index]!, align, baseline: "bottom" }
      : { x: 3, align: "left", dy: share(value, options) > 0.9 ? 9 : -6, baseline: "middle" };
    return [
      {
        data,
        mark: { type: "rule", color: limitColour, strokeWidth: 1.5, strokeDash: [5, 3] },
        encoding: position,
      },
      {
        data,
        mark: { type: "text", fontSize: 11, fontWeight: 600, color: limitColour, ...text },
        encoding: { ...position, text: { field: "label", type: "nominal" } },
      },
    ];
  });
}

/** Width of a character of a label on average, in pixels: bold system fonts of 11 px have up to 6.9. */
const characterWidth = 7;

interface LabelRows {
  /** Of each limit, the row that its label is in, from the lowest, 0. */
  readonly rowOf: readonly number[];
  readonly rows: number;
}

/** Labels above the plot in as few rows as they need to stay apart. */
export function labelRows(lines: readonly LimitLine[], options: LimitOptions): LabelRows {
  const rows: { readonly from: number; readonly to: number }[][] = [];
  const rowOf = lines.map(({ value, label }) => {
    const at = share(value, options) * options.end;
    const width = label.length * characterWidth;
    const span = isFar(value, options)
      ? { from: at - width, to: at }
      : { from: at, to: at + width };
    const free = rows.findIndex((row) =>
      row.every(({ from, to }) =>
        span.to + characterWidth < from || span.from > to + characterWidth
      )
    );
    const row = free === -1 ? rows.length : free;
    (rows[row] ??= []).push(span);
    return row;
  });
  return { rowOf, rows: rows.length };
}

function isFar(value: number, options: LimitOptions): boolean {
  return share(value, options) > 0.6;
}

/** How far along its axis a value is, 0 to 1. */
function share(value: number, { domain: { from, to }, scale }: LimitOptions): number {
  return scale === "log"
    ? Math.log(value / from) / Math.log(to / from)
    : (value - from) / (to - from);
}
