import type { ChartSpec } from "./render.ts";

/**
 * Colours that people with any of the common colour blindnesses tell apart, on white: Okabe and Ito,
 * "Color Universal Design", 2008. Black is left to text, yellow is too pale on white.
 */
export const palette = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#d55e00",
  "#56b4e9",
  "#6e6e6e",
] as const;

/** Pictures as they were. */
export const beforeColour = "#56b4e9";

/** Pictures as they are now; drawn as an outline, so that it is not told by its colour alone. */
export const afterColour = "#d55e00";

/** The policy's limits. */
export const limitColour = "#1a1a1a";

/** Width of the plot in pixels, without axes: a whole chart fits a phone of 400 unscaled. */
export const plotWidth = 270;

const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif";

/** What a chart is drawn on and lettered with; a page of another ground puts its own colours in their place. */
export const ground = "#ffffff";
export const ink = "#333333";
export const headInk = "#111111";
export const gridColour = "#ececec";
export const axisColour = "#999999";

/** The look that all charts share: white ground, thin grid, text of 11 and 13 pixels. */
export function styled(spec: ChartSpec): ChartSpec {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: ground,
    padding: 8,
    ...spec,
    config: {
      font,
      aria: false,
      view: { stroke: null },
      title: { anchor: "start", fontSize: 13, fontWeight: 600, color: headInk, offset: 10 },
      axis: {
        labelFontSize: 11,
        titleFontSize: 11,
        titleFontWeight: "normal",
        labelColor: ink,
        titleColor: ink,
        gridColor: gridColour,
        domainColor: axisColour,
        tickColor: axisColour,
        tickSize: 4,
        titlePadding: 6,
      },
      legend: {
        labelFontSize: 11,
        titleFontSize: 11,
        titleFontWeight: "normal",
        labelColor: ink,
        titleColor: ink,
        orient: "top",
        offset: 4,
        padding: 0,
        symbolSize: 70,
      },
    },
  } as ChartSpec;
}
