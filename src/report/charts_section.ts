import type { Histogram, Measure } from "../baseline/baseline.ts";
import { barChart, type BarRow } from "../charts/bar.ts";
import { histogramChart, type LimitLine } from "../charts/distribution.ts";
import { measureWords } from "../charts/measures.ts";
import { type ChartSpec, renderSvg } from "../charts/render.ts";
import { scatterChart } from "../charts/scatter.ts";
import {
  drawnHistogram,
  loweredBins,
  median,
  type SharedBins,
  sharedBins,
} from "./distributions.ts";
import {
  bytesText,
  countText,
  measuredText,
  numberText,
  sentenceText,
  sizeText,
} from "./format.ts";
import { type Html, html, trusted } from "./html.ts";
import type { NormalizeReport, ReportChange, ReportPicture } from "./report_data.ts";

/** A measure as its chart shows it. */
interface ShownMeasure {
  readonly measure: Measure;
  /** Of a picture as it was, of those that the baseline has. */
  readonly before?: (picture: ReportPicture) => number | null | undefined;
  /** Of a picture after normalizing; null where it has none. Absent for what is not measured again. */
  readonly after?: (change: ReportChange) => number | null;
}

const shownMeasures: readonly ShownMeasure[] = [
  {
    measure: "long_side",
    before: ({ metadata }) => metadata && Math.max(metadata.width, metadata.height),
    after: (row) => Math.max(row.width_after, row.height_after),
  },
  {
    measure: "short_side",
    before: ({ metadata }) => metadata && Math.min(metadata.width, metadata.height),
    after: (row) => Math.min(row.width_after, row.height_after),
  },
  { measure: "megapixels", after: (row) => row.width_after * row.height_after / 1e6 },
  { measure: "bytes", after: (row) => row.bytes_after },
  {
    measure: "bits_per_pixel",
    after: (row) => row.bytes_after * 8 / (row.width_after * row.height_after),
  },
  {
    measure: "jpeg_quality",
    before: ({ metadata }) => metadata?.jpeg_quality,
    after: (row) => row.format_after === "jpeg" ? row.quality_after : null,
  },
  { measure: "brightness" },
  { measure: "contrast" },
  { measure: "sharpness", before: ({ sharpness }) => sharpness },
  { measure: "entropy" },
  { measure: "colourfulness" },
  { measure: "clipped" },
];

/** The charts of every distribution, before and after, with the policy's limits as lines. */
export async function distributionsSection(report: NormalizeReport): Promise<Html> {
  const figures: Html[] = [];
  for (const shown of shownMeasures) {
    const histogram = report.baseline.histograms[shown.measure];
    if (histogram === undefined || histogram.bins.length === 0) continue;
    figures.push(await measureFigure(report, shown, histogram));
  }
  const formats = formatRows(report);
  if (formats.length > 0) figures.push(await formatFigure(formats));
  const left = report.pictures.filter(({ change }) => change === undefined).length;
  return html`
    <section id="distributions" aria-labelledby="distributions-title">
    <h2 id="distributions-title">Distributions</h2>
    ${figures.length === 0 ? html`<p>There is no picture to measure.</p>` : html`
      <p>Filled bars are the pictures as they were, outlined ones as they are now, over the same bins; dashed
      lines are the policy’s limits. ${left > 0 &&
        html`${countText(left, "picture")} without a result ${
          left === 1 ? "is" : "are"
        } in the bars of
before alone.`} Brightness to clipped pixels are measured on the originals only.</p>
      <div class="charts">${figures}</div>
    `}
    </section>
  `;
}

async function measureFigure(
  report: NormalizeReport,
  shown: ShownMeasure,
  found: Histogram,
): Promise<Html> {
  const { measure } = shown;
  const { title, unit } = measureWords[measure];
  const lines = limitsOf(report, measure);
  const before = beforeValues(report, shown);
  const { histogram, zeros } = drawnHistogram(measure, found, {
    values: measure === "sharpness" ? before : [],
    limits: lines.map(({ value }) => value),
  });
  const after = shown.after === undefined ? [] : afterValues(report, shown.after);
  const upper = upperLimit(report, measure);
  const shared = after.length === 0 ? undefined : binsOf(histogram, { before, after, upper });
  const spec = histogramChart({
    title,
    before: shared?.before ?? histogram,
    after: shared?.after,
    lines,
    unit,
    scale: histogram.scale,
  });
  const caption = captionOf({
    unit,
    before: report.baseline.quantiles[measure]?.p50 ?? null,
    after: shared === undefined ? undefined : median(after),
    zeros,
    above: measure === "jpeg_quality" && upper !== null
      ? after.filter((value) => value > upper).length
      : 0,
  });
  const limits = lines.map(({ label }) => label).join(", ");
  const about = `Histogram of ${title.toLowerCase()}. ${caption}` +
    (limits === "" ? "" : ` Policy: ${limits}.`);
  return await figure(spec, { id: measure, about, caption });
}

interface Sides {
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** What pictures are brought down to; null for no limit. */
  readonly upper: number | null;
}

/** Over bins that end at the limit, where the pictures tell all that the baseline counted. */
function binsOf(histogram: Histogram, { before, after, upper }: Sides): SharedBins {
  const counted = histogram.bins.reduce((sum, { count }) => sum + count, 0);
  const lowered = upper === null || before.length !== counted
    ? undefined
    : loweredBins(histogram, { limit: upper, before, after });
  return lowered ?? sharedBins(histogram, after);
}

function upperLimit({ policy }: NormalizeReport, measure: Measure): number | null {
  switch (measure) {
    case "long_side":
      return policy.long_side_px;
    case "short_side":
      return policy.short_side_px;
    case "jpeg_quality":
      return policy.quality;
    default:
      return null;
  }
}

/** Of the pictures that the baseline is of. */
function beforeValues({ pictures }: NormalizeReport, { before }: ShownMeasure): number[] {
  if (before === undefined) return [];
  return pictures.flatMap((picture) => {
    const value = picture.standing === undefined ? undefined : before(picture);
    return value === undefined || value === null ? [] : [value];
  });
}

function afterValues(
  { pictures }: NormalizeReport,
  after: (change: ReportChange) => number | null,
): number[] {
  return pictures.flatMap(({ change }) => {
    const value = change === undefined ? null : after(change);
    return value === null || !Number.isFinite(value) ? [] : [value];
  });
}

/** The policy's limits of a measure, as lines of its chart. */
export function limitsOf({ policy }: NormalizeReport, measure: string): LimitLine[] {
  const { leave_out: out } = policy;
  const limits: Readonly<Record<string, readonly (LimitLine | undefined)[]>> = {
    long_side: [line(policy.long_side_px, "at most")],
    short_side: [
      line(policy.short_side_px, "at most"),
      line(out.short_side_below_px, "left out below"),
    ],
    jpeg_quality: [line(policy.quality, "at most")],
    sharpness: [line(out.sharpness_below, "left out below")],
    clipped: [line(out.clipped_above, "left out above", shareText)],
  };
  return (limits[measure] ?? []).filter((each) => each !== undefined);
}

function line(
  value: number | null,
  words: string,
  text: (value: number) => string = measuredText,
): LimitLine | undefined {
  return value === null ? undefined : { value, label: `${words} ${text(value)}` };
}

/** `30 %`, `0.055 %`. */
function shareText(share: number | null): string {
  return share === null ? measuredText(null) : `${measuredText(share * 100)} %`;
}

interface Caption {
  readonly unit: string;
  readonly before: number | null;
  /** Undefined where it is not measured again. */
  readonly after: number | null | undefined;
  /** Pictures with 0, which have a bar of their own. */
  readonly zeros: number;
  /** Pictures whose quality was left above the limit. */
  readonly above: number;
}

function captionOf({ unit, before, after, zeros, above }: Caption): string {
  const shown = (value: number | null) =>
    unit === "bytes"
      ? bytesText(value)
      : unit === "share"
      ? shareText(value)
      : `${measuredText(value)}${["px", "MP"].includes(unit) ? ` ${unit}` : ""}`;
  const blank = zeros === 0
    ? ""
    : ` The bar at the far left: ${countText(zeros, "picture")} with 0.`;
  if (after === undefined) return `Median ${shown(before)}.${blank}`;
  const over = above === 0
    ? ""
    : ` ${countText(above, "picture")} stayed above the limit, since less would hardly save bytes.`;
  return `Median ${shown(before)} before, ${shown(after)} after.${over}`;
}

function formatRows({ baseline, pictures }: NormalizeReport): BarRow[] {
  const after = new Map<string, number>();
  for (const { change } of pictures) {
    if (change === undefined) continue;
    after.set(change.format_after, (after.get(change.format_after) ?? 0) + 1);
  }
  const before = new Map((baseline.modes["format"] ?? []).map((mode) => [mode.value, mode.count]));
  return [...new Set([...before.keys(), ...after.keys()])].map((label) => ({
    label,
    before: before.get(label) ?? 0,
    after: after.get(label) ?? 0,
  }));
}

async function formatFigure(rows: readonly BarRow[]): Promise<Html> {
  const words = rows.map(({ label, before, after }) => `${label} ${before} → ${after}`).join(", ");
  return await figure(barChart({ title: "Formats", rows }), {
    id: "formats",
    about: `Bars of formats before and after: ${words}.`,
    caption: "Pictures by format, before and after.",
  });
}

/** Clusters of resolution and file size, as a table and two scatter charts. */
export async function clustersSection(report: NormalizeReport): Promise<Html> {
  const { clusters, method, silhouette } = report.baseline.clusters;
  if (clusters.length === 0) return html``;
  const quality = silhouette === null ? "" : ` Mean silhouette ${measuredText(silhouette)}.`;
  return html`
    <section id="clusters" aria-labelledby="clusters-title">
      <h2 id="clusters-title">Clusters of resolution and file size</h2>
      <p>${sentenceText(method)}${quality} Points that nearly coincide are drawn as one, larger the
    more they are.</p>
      <div class="charts">${await clusterFigures(report)}</div>
      <div class="scroll" tabindex="0" role="group" aria-label="Clusters">
        <table>
          <thead>
            <tr>
              <th scope="col">Cluster</th>
              <th scope="col" class="number">Pictures</th>
              <th scope="col" class="number">Share</th>
              <th scope="col" class="number">Typical size</th>
              <th scope="col" class="number">Typical bytes</th>
            </tr>
          </thead>
          <tbody>${clusters.map((each) =>
            html`
              <tr>
                <th scope="row">${each.cluster}</th>
                <td class="number">${numberText(each.count)}</td>
                <td class="number">${numberText(each.share * 100, 1)} %</td>
                <td class="number">${sizeText(each.width, each.height)}</td>
                <td class="number">${bytesText(each.bytes)}</td>
              </tr>
            `
          )}</tbody>
        </table>
      </div>
    </section>
  `;
}

async function clusterFigures(report: NormalizeReport): Promise<Html[]> {
  const points = report.pictures.flatMap(({ metadata, standing }) =>
    metadata === undefined ? [] : [{ ...metadata, group: String(standing?.cluster ?? 1) }]
  );
  if (points.length === 0) return [];
  const about = `${countText(points.length, "picture")} in ${
    countText(report.baseline.clusters.clusters.length, "cluster")
  }.`;
  const sizes = scatterChart({
    title: "Width and height",
    groupTitle: "cluster",
    points: points.map(({ width, height, group }) => ({ x: width, y: height, group })),
    x: { title: "width, px", scale: "log", unit: "px", lines: limitsOf(report, "long_side") },
    y: { title: "height, px", scale: "log", unit: "px", lines: limitsOf(report, "long_side") },
  });
  const bytes = scatterChart({
    title: "Pixels and file size",
    groupTitle: "cluster",
    points: points.map((each) => ({
      x: each.width * each.height / 1e6,
      y: each.bytes,
      group: each.group,
    })),
    x: { title: "megapixels", scale: "log", unit: "MP" },
    y: { title: "file size", scale: "log", unit: "bytes" },
  });
  return [
    await figure(sizes, {
      id: "cluster-sizes",
      about: `Scatter of width and height, ${about}`,
      caption: "Each picture by its upright size" +
        (report.policy.long_side_px === null ? "." : "; dashed: the limit of the long side."),
    }),
    await figure(bytes, {
      id: "cluster-bytes",
      about: `Scatter of megapixels and file size, ${about}`,
      caption: "Each picture by its pixels and its bytes.",
    }),
  ];
}

interface FigureText {
  /** Unique in the page. */
  readonly id: string;
  /** What is read aloud in its place. */
  readonly about: string;
  readonly caption: string;
}

async function figure(spec: ChartSpec, { id, about, caption }: FigureText): Promise<Html> {
  const svg = await inlineSvg(spec, id);
  return html`
    <figure class="chart">
      <div role="img" aria-label="${about}">${svg}</div>
      <figcaption>${caption}</figcaption>
    </figure>
  `;
}

/**
 * A chart as an element of the page: ids made its own, without the namespaces that only files need,
 * and without Vega's roles, which the figure's label stands for.
 */
async function inlineSvg(spec: ChartSpec, id: string): Promise<Html> {
  const svg = await renderSvg(spec);
  return trusted(
    svg
      .replace(/ xmlns(:xlink)?="[^"]*"/g, "")
      .replace(/ (role|aria-[a-z]+|pointer-events)="[^"]*"/g, "")
      .replace(/ id="([^"]*)"/g, ` id="${id}-$1"`)
      .replace(/url\(#([^)]*)\)/g, `url(#${id}-$1)`)
      .replace(/^<svg/, '<svg aria-hidden="true" focusable="false"'),
  );
}
