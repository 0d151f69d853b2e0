import {
  bytesText,
  changeText,
  countText,
  numberText,
  outlierText,
  sentenceText,
  sizeText,
} from "./format.ts";
import { failureGroups } from "./failures_section.ts";
import { type Html, html, nameHtml, visibleName } from "./html.ts";
import type {
  AbsentPicture,
  NormalizeReport,
  ReportChange,
  ReportPair,
  ReportPicture,
  Thumbnail,
} from "./report_data.ts";

/** Rows that a list of the page has at most; the mapping has all of them. */
const mostRows = 200;

/** Outliers in the order of the report: of most measures first, then by name. */
export function outliersOf(pictures: readonly ReportPicture[]): ReportPicture[] {
  return pictures.filter(({ standing }) => standing?.is_outlier === true).sort((a, b) =>
    b.standing!.outlier_of.length - a.standing!.outlier_of.length || (a.name < b.name ? -1 : 1)
  );
}

/** The changes that cost most, by SSIM from the lowest; those without an SSIM are not among them. */
export function worstChanges(pictures: readonly ReportPicture[]): ReportPicture[] {
  return pictures.filter(({ change }) => change !== undefined && change.ssim !== null).sort((
    a,
    b,
  ) => a.change!.ssim! - b.change!.ssim! || (a.name < b.name ? -1 : 1));
}

/** Pictures unlike the others: with thumbnails as far as there are any, then as a list. */
export function outliersSection({ baseline, pictures, thumbnails }: NormalizeReport): Html {
  const outliers = outliersOf(pictures);
  const shown = outliers.filter(({ name }) => thumbnails.has(name));
  const others = outliers.filter(({ name }) => !thumbnails.has(name));
  return html`
    <section id="outliers" aria-labelledby="outliers-title">
    <h2 id="outliers-title">Outliers</h2>
    <p>${pictures.length > 0 && sentenceText(baseline.outliers.method)} ${outliers.length === 0
      ? pictures.length === 0 ? "There is no picture to hold against others." : "No picture is one."
      : `${countText(outliers.length, "picture")} of ${numberText(baseline.images)} ${
        outliers.length === 1 ? "is one" : "are outliers"
      }. An outlier is kept unless the policy leaves it out.`}</p>
    ${shown.length > 0 &&
      html`<ul class="thumbnails">${
        shown.map((picture) => outlierCard(picture, thumbnails.get(picture.name)!))
      }</ul>`}
    ${others.length > 0 && otherOutliers(others, shown.length > 0)}
    </section>
  `;
}

function outlierCard({ name, metadata, standing }: ReportPicture, thumbnail: Thumbnail): Html {
  return html`
    <li>
      <figure>${thumbnailHtml(enlarged(thumbnail), `Thumbnail of ${visibleName(name)}`)}
    <figcaption>${nameHtml(name)}${metadata !== undefined &&
      html`<span class="muted">${sizeText(metadata.width, metadata.height)} · ${
        bytesText(metadata.bytes)
      }</span>`}${reasonsOf(standing!.outlier_of)}</figcaption></figure>
    </li>
  `;
}

/** Reasons that a card has room for; the standing table of the run has all of them. */
const mostReasons = 4;

function reasonsOf(outlierOf: readonly string[]): Html[] {
  const more = outlierOf.length - mostReasons;
  return [
    ...outlierOf.slice(0, mostReasons).map((why) => html`<span>${outlierText(why)}</span>`),
    ...(more > 0 ? [html`<span>and ${countText(more, "more measure")}</span>`] : []),
  ];
}

interface Shown extends Thumbnail {
  readonly isTiny: boolean;
}

/** Longest side below which a picture is shown larger than it is, in pixels. */
const tinySide = 48;

/** A picture of a few pixels, as squares that can be seen. */
function enlarged(thumbnail: Thumbnail): Shown {
  const { width, height } = thumbnail;
  const factor = Math.max(1, Math.ceil(tinySide / Math.max(width, height)));
  return { ...thumbnail, width: width * factor, height: height * factor, isTiny: factor > 1 };
}

function thumbnailHtml(thumbnail: Thumbnail & Partial<Shown>, about: string): Html {
  const { source, width, height, isTiny = false } = thumbnail;
  return html`
    <img src="${source}" width="${width}" height="${height}" alt="${about}" ${isTiny && html`
      class="tiny"
    `}>
  `;
}

function otherOutliers(outliers: readonly ReportPicture[], isMore: boolean): Html {
  return html`
    <details><summary>${countText(outliers.length, isMore ? "more outlier" : "outlier")}</summary>
    <div class="scroll" tabindex="0" role="group" aria-label="More outliers"><table>
    <thead><tr><th scope="col">Picture</th><th scope="col">Outlier of</th></tr></thead>
    <tbody>${outliers.slice(0, mostRows).map(({ name, standing }) =>
      html`
        <tr>
          <th scope="row">${nameHtml(name)}</th>
          <td>${standing!.outlier_of.map(outlierText).join("; ")}</td>
        </tr>
      `
    )}</tbody></table></div>${moreRows(outliers.length, "the standing table of the run")}</details>
  `;
}

function moreRows(count: number, where: string): Html {
  if (count <= mostRows) return html``;
  return html`<p class="muted">${numberText(count - mostRows)} more are in ${where}.</p>`;
}

/** The pairs with the lowest SSIM, side by side. */
export function worstSection({ pictures, pairs }: NormalizeReport): Html {
  const measured = worstChanges(pictures).length;
  return html`
    <section id="worst" aria-labelledby="worst-title">
    <h2 id="worst-title">Changed the most</h2>
    ${pairs.length === 0
      ? html`<p>${
        measured === 0
          ? "No picture was encoded anew with its likeness measured, so there is nothing to compare."
          : `${countText(measured, "picture")} was measured, but none could be shown.`
      }</p>`
      : html`
        <p>The ${pairs.length === 1
          ? "pair"
          : `${numberText(pairs.length)} pairs`} with the lowest SSIM of
        ${countText(measured, "picture")} that ${measured === 1
          ? "was"
          : "were"} encoded anew. SSIM compares the written picture with its pixels just before they were encoded:
        1 is equal, and what resizing takes away is not in it. Both are shown at the same size.</p>
        <ol class="pairs">${pairs.map(pairHtml)}</ol>
      `}
    </section>
  `;
}

function pairHtml({ name, change, before, after }: ReportPair): Html {
  return html`
    <li>
      <h3>${nameHtml(name)} <span class="badge">SSIM ${change.ssim?.toFixed(4)}</span></h3>
      <div class="pair">${sideHtml(
        before,
        `Before: ${visibleName(name)}`,
        "before",
        change,
      )}${sideHtml(after, `After: ${visibleName(name)}`, "after", change)}</div>
      <p>${change.steps.map((step) => html`<span class="step">${step}</span>`)}</p>
    </li>
  `;
}

function sideHtml(
  thumbnail: Thumbnail,
  about: string,
  side: "before" | "after",
  change: ReportChange,
): Html {
  const [size, bytes, format] = side === "before"
    ? [
      sizeText(change.width_before, change.height_before),
      bytesText(change.bytes_before),
      change.format_before,
    ]
    : [
      sizeText(change.width_after, change.height_after),
      `${bytesText(change.bytes_after)} (${changeText(change.bytes_before, change.bytes_after)})`,
      change.format_after,
    ];
  return html`<figure>${thumbnailHtml(thumbnail, about)}
<figcaption><strong>${
    side === "before" ? "Before" : "After"
  }</strong> ${size} · ${bytes} · ${format}</figcaption></figure>`;
}

/** What failed and what was left out, by cause, with what can be done; failures first. */
export function absentSection(report: NormalizeReport): Html {
  const absent = absentOf(report);
  return html`
    <section id="absent" aria-labelledby="absent-title">
    <h2 id="absent-title">Failed and left out</h2>
    ${absent.length === 0
      ? html`<p>${
        report.pictures.length === 0 ? "There was no picture." : "Every picture came through."
      }</p>`
      : html`
        <p>${countText(
          absent.length,
          "picture",
        )} did not come through. Originals are never touched.</p>
        ${failureGroups(absent)}
      `}
    </section>
  `;
}

const statusOrder = ["failed", "waiting", "rejected"] as const;

/**
 * Each picture that did not come through, once: where the engine says why, and else those of the set
 * that have no change.
 */
export function absentOf({ absent, pictures }: NormalizeReport): AbsentPicture[] {
  const known = new Map<string, AbsentPicture>();
  for (const each of absent) if (!known.has(each.name)) known.set(each.name, each);
  for (const { name, change } of pictures) {
    if (change !== undefined) known.delete(name);
    else if (!known.has(name)) {
      const reason = "it was not normalized";
      known.set(name, { name, node: "", step: "", status: "rejected", reason });
    }
  }
  return [...known.values()].sort((a, b) =>
    statusOrder.indexOf(a.status) - statusOrder.indexOf(b.status) || (a.name < b.name ? -1 : 1)
  );
}
