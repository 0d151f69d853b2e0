import type { ChartSpec } from "./render.ts";
import { afterColour, beforeColour, ink, plotWidth, styled } from "./style.ts";

/** How many pictures have a value. */
export interface BarRow {
  readonly label: string;
  readonly before: number;
  readonly after?: number;
}

export interface BarChart {
  readonly title: string;
  /** Drawn from the top in this order. */
  readonly rows: readonly BarRow[];
}

/** Horizontal bars with their counts, such as of formats; in pairs where rows say before and after. */
export function barChart({ title, rows }: BarChart): ChartSpec {
  const isPaired = rows.some(({ after }) => after !== undefined);
  const values = rows.flatMap(({ label, before, after }) => [
    { label, series: "before", pictures: before },
    ...(isPaired ? [{ label, series: "after", pictures: after ?? 0 }] : []),
  ]);
  const y = {
    field: "label",
    type: "nominal",
    sort: rows.map(({ label }) => label),
    // Vega takes a character for half as wide again as it is: this is 28 of them.
    axis: { title: null, ticks: false, domain: false, labelLimit: 260 },
  };
  const most = values.reduce((largest, { pictures }) => Math.max(largest, pictures), 1);
  return styled({
    title,
    width: plotWidth - 40,
    height: isPaired ? { step: 13, for: "offset" } : { step: 20 },
    data: { values },
    encoding: {
      y,
      x: {
        field: "pictures",
        type: "quantitative",
        scale: { domain: [0, most * 1.12], nice: false },
        axis: { title: "pictures", tickCount: 4, tickMinStep: 1, format: ",d" },
      },
      ...(isPaired
        ? { yOffset: { field: "series", type: "nominal", sort: ["before", "after"] } }
        : {}),
    },
    layer: [
      {
        mark: { type: "bar" },
        encoding: {
          color: {
            field: "series",
            type: "nominal",
            scale: { domain: ["before", "after"], range: [beforeColour, afterColour] },
            legend: isPaired ? { title: null } : null,
          },
        },
      },
      {
        mark: { type: "text", align: "left", dx: 4, fontSize: 11, color: ink },
        encoding: { text: { field: "pictures", type: "quantitative", format: ",d" } },
      },
    ],
  } as ChartSpec);
}
