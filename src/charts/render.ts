import type { TopLevelSpec } from "vega-lite";

/** A Vega-Lite chart with its rows inside. */
export type ChartSpec = TopLevelSpec;

/**
 * Draws a chart as SVG, without a browser; the same specification gives the same text. Throws for a
 * specification that Vega-Lite refuses.
 */
export async function renderSvg(spec: ChartSpec): Promise<string> {
  const [{ compile }, { View, parse, Warn }] = await Promise.all([
    import("vega-lite"),
    import("vega"),
  ]);
  const view = new View(parse(compile(spec).spec), { renderer: "none", logLevel: Warn });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
