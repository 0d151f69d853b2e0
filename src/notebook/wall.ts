import { emptyChart } from "../charts/empty.ts";
import { titleGap } from "../charts/distribution.ts";
import type { ChartSpec } from "../charts/render.ts";
import { styled } from "../charts/style.ts";

/** Charts beside and below each other as one, each with axes and colours of its own. */
export function wall(
  charts: readonly ChartSpec[],
  options: { readonly columns?: number } = {},
): ChartSpec {
  const { columns = 2 } = options;
  if (charts.length === 0) return emptyChart();
  const rowOf = (index: number) => Math.floor(index / columns);
  // Plots of a row stand in line, and so do their titles, however high the labels below them are.
  const roomOf = (row: number) =>
    Math.max(...charts.filter((_, at) => rowOf(at) === row).map(labelRoom));
  return styled({
    columns,
    spacing: 24,
    concat: charts.map((chart, index) =>
      withoutFrame(chart, titleGap + roomOf(rowOf(index)) - labelRoom(chart))
    ),
    resolve: { scale: { color: "independent", shape: "independent", size: "independent" } },
  } as ChartSpec);
}

/** Pixels that the labels above a chart's plot take. */
function labelRoom({ usermeta }: ChartSpec): number {
  const { labelRoom } = usermeta as { readonly labelRoom?: number } ?? {};
  return labelRoom ?? 0;
}

/**
 * A chart inside another may not have what belongs to the whole. Its title begins where its plot does:
 * plots of a wall stand in line, and labels of different lengths would put titles out of it.
 */
function withoutFrame(spec: ChartSpec, offset: number): unknown {
  const {
    $schema: _schema,
    background: _background,
    padding: _padding,
    config: _config,
    usermeta: _usermeta,
    ...view
  } = spec as unknown as Record<string, unknown>;
  const { title } = view;
  if (title === undefined) return view;
  const parts = typeof title === "object" && title !== null && !Array.isArray(title)
    ? title
    : { text: title };
  return { ...view, title: { ...parts, offset, frame: "group" } };
}
