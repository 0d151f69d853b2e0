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
import { emptyChart } from "./empty.ts";
import {
  labelHeight,
  labelRows,
  limitLayers,
  type LimitLine,
  type LimitOptions,
  positionScale,
  titleGap,
} from "./distribution.ts";
import type { ChartSpec } from "./render.ts";
import { palette, plotWidth, styled } from "./style.ts";

/** One picture, or one place where several are. */
export interface ScatterPoint {
  readonly x: number;
  readonly y: number;
  /** What colour and shape stand for. */
  readonly group: string;
}

export interface ScatterAxis {
  readonly title: string;
  readonly scale: Scale;
  readonly unit?: string;
  readonly lines?: readonly LimitLine[];
}

export interface ScatterChart {
  readonly title: string;
  readonly points: readonly ScatterPoint[];
  readonly x: ScatterAxis;
  readonly y: ScatterAxis;
  /** What the groups are, above the legend: `cluster`. */
  readonly groupTitle?: string;
}

const plotHeight = 240;

/** Points nearer than this in both directions are drawn as one, in pixels. */
const cell = 3;

/**
 * Points in colours and shapes by group, with limits as dashed lines. Points of a group that lie
 * within 3 pixels are drawn as one, larger the more they are, so that the chart of 5,000 pictures is
 * as light and as legible as that of 50. Points that a log axis cannot show are left out; without any,
 * words stand in place of empty axes.
 */
export function scatterChart(chart: ScatterChart): ChartSpec {
  const points = chart.points.filter((each) =>
    isShown(each.x, chart.x) && isShown(each.y, chart.y)
  );
  if (points.length === 0) return emptyChart(undefined, chart.title);
  const [x, y] = [
    axisDomain(points.map((point) => point.x), chart.x),
    axisDomain(points.map((point) => point.y), chart.y),
  ];
  const groups = [...new Set(points.map(({ group }) => group))].sort(byNumberThenText);
  const across = axisOptions("x", plotWidth, x, chart.x);
  const room = 4 + labelHeight * labelRows(drawnLines(chart.x), across).rows;
  return styled({
    title: { text: chart.title, offset: titleGap },
    width: plotWidth,
    height: plotHeight,
    layer: [
      pointLayer(merged(points, { x, y }, chart), { chart, x, y, groups, legendOffset: room }),
      ...limitLayers(drawnLines(chart.x), across),
      ...limitLayers(drawnLines(chart.y), axisOptions("y", plotHeight, y, chart.y)),
    ],
  } as ChartSpec);
}

function isShown(value: number, { scale }: ScatterAxis): boolean {
  return Number.isFinite(value) && (scale === "linear" || value > 0);
}

function drawnLines(axis: ScatterAxis): readonly LimitLine[] {
  return (axis.lines ?? []).filter(({ value }) => isShown(value, axis));
}

function axisDomain(values: readonly number[], axis: ScatterAxis): Domain {
  return domainOf([...values, ...drawnLines(axis).map(({ value }) => value)], axis.scale);
}

function axisOptions(
  axis: "x" | "y",
  end: number,
  domain: Domain,
  { scale }: ScatterAxis,
): LimitOptions {
  return { axis, end, domain, scale };
}

function byNumberThenText(a: string, b: string): number {
  return Number(/\d+/.exec(a)?.[0] ?? Infinity) - Number(/\d+/.exec(b)?.[0] ?? Infinity) ||
    (a < b ? -1 : a > b ? 1 : 0);
}

interface Place extends ScatterPoint {
  readonly pictures: number;
}

function merged(
  points: readonly ScatterPoint[],
  domains: { readonly x: Domain; readonly y: Domain },
  { x, y }: ScatterChart,
): Place[] {
  const places = new Map<string, Place>();
  for (const point of points) {
    const column = Math.round(along(point.x, domains.x, x.scale) * plotWidth / cell);
    const row = Math.round(along(point.y, domains.y, y.scale) * plotHeight / cell);
    const key = `${column} ${row} ${point.group}`;
    const known = places.get(key);
    places.set(key, { ...known ?? point, pictures: (known?.pictures ?? 0) + 1 });
  }
  return [...places.values()];
}

function along(value: number, { from, to }: Domain, scale: Scale): number {
  return scale === "log"
    ? Math.log(value / from) / Math.log(to / from)
    : (value - from) / (to - from);
}

interface PointOptions {
  readonly chart: ScatterChart;
  readonly x: Domain;
  readonly y: Domain;
  readonly groups: readonly string[];
  /** How far above the plot the legend is, in pixels. */
  readonly legendOffset: number;
}

const shapes = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "stroke"];

function pointLayer(places: readonly Place[], { chart, x, y, groups, legendOffset }: PointOptions) {
  const legend = groups.length > 1
    ? { title: chart.groupTitle ?? null, columns: 4, offset: legendOffset }
    : null;
  const scaleOf = (range: readonly string[]) => ({
    domain: groups,
    range: groups.map((_, index) => range[index % range.length]),
  });
  const most = places.reduce((largest, { pictures }) => Math.max(largest, pictures), 1);
  return {
    data: { values: places },
    mark: { type: "point", filled: true, opacity: 0.65 },
    encoding: {
      x: { field: "x", type: "quantitative", ...axisEncoding(chart.x, x) },
      y: { field: "y", type: "quantitative", ...axisEncoding(chart.y, y) },
      color: { field: "group", type: "nominal", scale: scaleOf(palette), legend },
      shape: { field: "group", type: "nominal", scale: scaleOf(shapes), legend },
      size: {
        field: "pictures",
        type: "quantitative",
        scale: { type: "sqrt", domain: [1, Math.max(2, most)], range: [28, most > 1 ? 220 : 28] },
        legend: null,
      },
    },
  };
}

function axisEncoding({ title, scale, unit = "" }: ScatterAxis, domain: Domain) {
  return {
    scale: positionScale(domain, scale),
    axis: {
      title,
      values: scale === "log" ? logTicks(domain, mostTicks(unit)) : linearTicks(domain),
      labelExpr: labelExpression(unit),
      ...labelSpacing,
    },
  };
}
