import { emptyChart } from "../charts/empty.ts";
import { type ChartSpec, renderSvg } from "../charts/render.ts";
import { sha256 } from "../runtime/hash.ts";
import { escapeHtml } from "./html.ts";
import { type Display, display } from "./kernel.ts";

/**
 * What JupyterLab 4 and VS Code draw; neither knows version 6 (vscode-notebook-renderers issue 241).
 * What the two versions have in common is all that charts here use.
 */
const vegaLite = {
  mime: "application/vnd.vegalite.v5+json",
  schema: "https://vega.github.io/schema/vega-lite/v5.json",
} as const;

/** A specification longer than this is shown as SVG alone: front ends choke on large messages. */
const longestSpec = 500_000;

/**
 * A Vega-Lite chart: live in JupyterLab and VS Code, an SVG elsewhere (the HTML that nbconvert makes,
 * GitHub). One without rows says so in place of empty axes. Throws, when shown, for a specification that
 * Vega-Lite refuses.
 */
export function chart(given: ChartSpec): Display {
  const spec = hasRows(given) ? given : emptyChart(undefined, titleOf(given));
  return {
    async [display]() {
      const json = JSON.stringify(spec);
      // From a copy, since Vega marks the rows that it draws.
      const svg = withOwnIds(await renderSvg(JSON.parse(json)), sha256(json).slice(0, 8));
      return {
        ...(json.length <= longestSpec
          ? { [vegaLite.mime]: { ...JSON.parse(json), $schema: vegaLite.schema } }
          : {}),
        "text/markdown": pictureOf(svg, titleOf(spec)),
        "image/svg+xml": svg,
        "text/plain": `[chart: ${titleOf(spec)}]`,
      };
    },
  };
}

/** Rows that come from elsewhere, and those of layers, are taken to be there. */
function hasRows(spec: ChartSpec): boolean {
  const { data } = spec;
  return data === undefined || data === null || !("values" in data) ||
    !Array.isArray(data.values) || data.values.length > 0;
}

/**
 * The SVG as an image that carries its own data. nbconvert 6.5 empties SVG that it puts into a page
 * (a cure against scripts), but takes Markdown first, which JupyterLab ranks after Vega-Lite; HTML it
 * would rank before, and the chart would not be live.
 */
function pictureOf(svg: string, title: string): string {
  const base64 = new TextEncoder().encode(svg).toBase64();
  return `<img alt="${escapeHtml(title)}" src="data:image/svg+xml;base64,${base64}">`;
}

/** Vega numbers clip paths from 0 in each SVG; on one page, charts would clip each other. */
function withOwnIds(svg: string, prefix: string): string {
  return svg
    .replaceAll(/\bid="([^"]+)"/g, `id="c${prefix}-$1"`)
    .replaceAll(/url\(#([^)]+)\)/g, `url(#c${prefix}-$1)`);
}

function titleOf({ title }: ChartSpec): string {
  const text = typeof title === "object" && title !== null && "text" in title ? title.text : title;
  if (typeof text === "string") return text;
  return Array.isArray(text) ? text.join(" ") : "untitled";
}
