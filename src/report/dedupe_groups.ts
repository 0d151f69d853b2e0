import { distanceWords, pairWords } from "../dedupe/selecting.ts";
import { pairKey } from "../decisions/decisions.ts";
import type { Pair, Verdict } from "../steps/dedupe/kinds.ts";
import {
  type DedupeGroup,
  type DedupePicture,
  type DedupeReport,
  groupsOf,
  shownMembers,
} from "./dedupe_data.ts";
import { bytesText, countText, numberText, sentenceText, sizeText } from "./format.ts";
import { type Html, html, nameHtml, visibleName } from "./html.ts";

/** A report's pictures and pairs, to be found by what names them. */
export interface Lookup {
  readonly bySha: ReadonlyMap<string, readonly DedupePicture[]>;
  readonly byName: ReadonlyMap<string, DedupePicture>;
  readonly pairs: ReadonlyMap<string, Pair>;
  readonly keepers: ReadonlySet<string>;
  /** Groups that a group of the same pictures shows whole, by id. */
  readonly repeated: ReadonlySet<string>;
  /** The class that shows a preview, by sha256. */
  readonly previewClasses: ReadonlyMap<string, string>;
}

export function lookupOf({ pictures, pairs, groups, previews }: DedupeReport): Lookup {
  return {
    bySha: Map.groupBy(pictures, ({ sha256 }) => sha256),
    byName: new Map(pictures.map((picture) => [picture.name, picture])),
    pairs: new Map(pairs.map((pair) => [pairKey(pair.a, pair.b), pair])),
    keepers: new Set(
      pictures.filter(({ choice }) => choice.is_keeper).map(({ sha256 }) => sha256),
    ),
    repeated: repeatedIn(groups),
    previewClasses: new Map([...previews.keys()].sort().map((sha256, at) => [sha256, `p${at}`])),
  };
}

function repeatedIn(groups: readonly DedupeGroup[]): Set<string> {
  const home = new Map<string, DedupeGroup>();
  for (const group of groups) {
    if (group.verdict !== "same_picture") continue;
    for (const sha256 of group.members) home.set(sha256, group);
  }
  return new Set(
    groups.filter(({ id, verdict, members }) => {
      const whole = home.get(members[0] ?? "");
      return verdict !== "same_picture" && whole !== undefined && whole.id !== id &&
        members.every((sha256) => home.get(sha256) === whole);
    }).map(({ id }) => id),
  );
}

/**
 * Rules that put each preview behind the images of its class: a picture that is in several groups is in the
 * page once. As a background, since not every browser gives an image other content.
 */
export function previewStyle({ previews }: DedupeReport, { previewClasses }: Lookup): string {
  return Array.from(previewClasses, ([sha256, name]) => {
    const { width, height, source } = previews.get(sha256)!;
    const shownWidth = Math.round(width * Math.min(1, mostHeight / height));
    const url = source.replace(/["\\<>\s]/g, encodeURIComponent);
    return `.sheet .${name} { width: ${shownWidth}px; aspect-ratio: ${width} / ${height}; ` +
      `background-image: url("${url}"), var(--checks); }\n`;
  }).join("");
}

/** How high previews are shown, in CSS pixels. */
const mostHeight = 192;

/** A GIF of one transparent pixel: an image has a source, and its class puts the preview there. */
const blank = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

/** Groups that are listed without pictures, at most; the run's tables have all of them. */
const mostListed = 300;
/** Copies of one file that are named, at most. */
const mostNames = 6;

export interface VerdictWords {
  readonly verdict: Verdict;
  readonly title: string;
  readonly about: string;
}

/** A verdict's groups as contact sheets, as far as there are pictures; the others as a list. */
export function verdictSection(
  report: DedupeReport,
  { verdict, title, about }: VerdictWords,
  lookup: Lookup,
): Html {
  const all = groupsOf(report.groups, verdict);
  const groups = all.filter((group) => !lookup.repeated.has(group.id));
  const repeated = all.length - groups.length;
  const hasPictures = (group: DedupeGroup) =>
    shownMembers(group, lookup.keepers).some((sha256) => report.previews.has(sha256));
  const sheets = groups.filter(hasPictures);
  const others = groups.filter((group) => !hasPictures(group));
  return html`
    <section id="${verdict}" aria-labelledby="${verdict}-title">
    <h2 id="${verdict}-title">${title}: ${countText(all.length, "group")}</h2>
    <p>${about}${repeated > 0 &&
      ` ${countText(repeated, "group")} of them ${
        repeated === 1 ? "is" : "are"
      } whole among those above, and not shown again.`}</p>
    ${sheets.length > 0 &&
      html`<ol class="groups">${sheets.map((group) => sheetHtml(group, report, lookup))}</ol>`}
    ${others.length > 0 && listHtml(others, lookup, sheets.length > 0)}
    </section>
  `;
}

function sheetHtml(group: DedupeGroup, report: DedupeReport, lookup: Lookup): Html {
  const shown = shownMembers(group, lookup.keepers);
  const hidden = group.members.length - shown.length;
  return html`
    <li class="group">
      <h3>${groupTitle(group)}${group.is_burst &&
        html`<span class="badge">burst</span>`}${widestHtml(group)}</h3>
      <ul class="sheet">${shown.map((sha256) => cardHtml(sha256, group, { report, lookup }))}</ul>
      ${hidden > 0 &&
        html`
          <p
            class="muted">${countText(hidden, "more file")} of this group ${hidden === 1
              ? "is"
              : "are"} not shown; group <code>${group.id}</code> in the run’s tables has all.</p>
        `}
    </li>
  `;
}

function groupTitle({ images, members }: DedupeGroup): string {
  if (members.length === 1) return `${numberText(images)} identical files`;
  const different = members.length === images ? "" : `, ${numberText(members.length)} different`;
  return `${countText(images, "file")}${different}`;
}

function widestHtml({ widest, members }: DedupeGroup): Html | false {
  if (widest === null || members.length < 2) return false;
  const words = distanceWords(widest);
  return words !== "" &&
    html`<span class="muted">${members.length > 2 ? "least alike: " : ""}${words}</span>`;
}

interface Shown {
  readonly report: DedupeReport;
  readonly lookup: Lookup;
}

/** One different file of a group, with all its copies. */
function cardHtml(sha256: string, group: DedupeGroup, { report, lookup }: Shown): Html {
  const copies = lookup.bySha.get(sha256) ?? [];
  const first = copies.find(({ choice }) => choice.action === "keep") ?? copies[0];
  if (first === undefined) return html``;
  const preview = report.previews.get(sha256);
  const { width, height, bytes, format, score } = first;
  return html`
    <li class="${stateClass(first)}">
      <figure>${preview === undefined ? html`<div class="nothing">no picture</div>` : html`
        <img class="${lookup.previewClasses.get(sha256)!}" src="${blank}" width="${preview
          .width}" height="${preview.height}"
          alt="${`Preview of ${visibleName(first.name)}`}">
      `}<figcaption><span class="state">${stateText(first)}</span>${nameHtml(first.name)}
    <span>${sizeText(width, height)} · ${bytesText(bytes)} · ${format}${score != null &&
      ` · quality ${numberText(score, 2)}`}</span>${keeperHtml(first, group, lookup)}${reasonsHtml(
        first,
        lookup,
      )}${copiesHtml(copies.filter((copy) => copy !== first))}</figcaption></figure>
    </li>
  `;
}

function stateClass({ choice, deed }: DedupePicture): string {
  if (deed?.outcome === "refused") return "aside refused";
  if (choice.action === "set_aside") return "aside";
  return choice.is_keeper ? "keeper" : "kept";
}

/** What became of a picture, in words. */
export function stateText({ choice, deed }: DedupePicture): string {
  const by = choice.decided_by === "person" ? ", as a person decided" : "";
  if (choice.action === "keep") return choice.is_keeper ? `✓ Keeper${by}` : `Kept${by}`;
  switch (deed?.outcome) {
    case "quarantined":
      return `In quarantine${by}`;
    case "refused":
      return "Was to be moved, and stayed";
    default:
      return `Set aside${by}`;
  }
}

/** How alike a picture is to the one that is kept for it; named where that is not beside it. */
function keeperHtml(picture: DedupePicture, group: DedupeGroup, lookup: Lookup): Html | false {
  const keeper = lookup.byName.get(picture.choice.kept_instead ?? "");
  if (keeper === undefined) return false;
  const keepers = group.members.filter((sha256) => lookup.keepers.has(sha256));
  const isClear = keepers.length === 1 && keepers[0] === keeper.sha256;
  const words = pairTo(picture, keeper, lookup).numbers;
  return html`${!isClear && html`<span>kept instead: ${nameHtml(keeper.name)}</span>`}${
    words !== "" && html`<span>to the keeper: ${words}</span>`
  }`;
}

/** What two pictures were compared by, in numbers, and as a reason says it. */
function pairTo(a: DedupePicture, b: DedupePicture, { pairs }: Lookup) {
  const pair = pairs.get(pairKey(a.sha256, b.sha256));
  return pair === undefined
    ? { numbers: "", reason: "" }
    : { numbers: distanceWords(pair), reason: pairWords(pair) };
}

/** The deciding reason, and the others folded away. */
function reasonsHtml(picture: DedupePicture, lookup: Lookup): Html | false {
  const { choice, deed } = picture;
  const keeper = lookup.byName.get(choice.kept_instead ?? "");
  const known = keeper === undefined ? "" : pairTo(picture, keeper, lookup).reason;
  const problem = deed?.problem == null ? [] : [deed.problem];
  const [first, ...more] = [...problem, ...choice.reasons.filter((reason) => reason !== known)]
    .map((reason) => sentenceText(visibleName(reason)));
  if (first === undefined) return false;
  return html`<span class="why">${first}</span>${
    more.length > 0 && html`
      <details class="why">
        <summary>${countText(more.length, "more reason")}</summary>
        <ul>${more.map((reason) => html`<li>${reason}</li>`)}</ul>
      </details>
    `
  }`;
}

function copiesHtml(copies: readonly DedupePicture[]): Html | false {
  if (copies.length === 0) return false;
  const more = copies.length - mostNames;
  return html`<span class="muted">${
    countText(copies.length, "file")
  } more with the same bytes:</span>${
    copies.slice(0, mostNames).map((copy) =>
      html`<span>${nameHtml(copy.name)} (${stateText(copy).replace("✓ ", "").toLowerCase()})</span>`
    )
  }${more > 0 && html`<span class="muted">and ${numberText(more)} more</span>`}`;
}

function listHtml(groups: readonly DedupeGroup[], lookup: Lookup, isMore: boolean): Html {
  const hidden = groups.length - mostListed;
  return html`
    <details><summary>${countText(
      groups.length,
      isMore ? "more group" : "group",
    )} without pictures</summary>
    <div class="scroll" tabindex="0" role="group" aria-label="Groups without pictures"><table>
    <thead><tr><th scope="col">Kept</th><th scope="col" class="number">Files</th>
    <th scope="col">Set aside</th></tr></thead>
    <tbody>${groups.slice(0, mostListed).map((group) =>
      rowHtml(group, lookup)
    )}</tbody></table></div>
    ${hidden > 0 &&
      html`<p class="muted">${numberText(hidden)} more groups are in the run’s tables.</p>`}
    </details>
  `;
}

function rowHtml({ members, images }: DedupeGroup, lookup: Lookup): Html {
  const pictures = members.flatMap((sha256) => lookup.bySha.get(sha256) ?? []);
  const kept = pictures.filter(({ choice }) => choice.action === "keep");
  const aside = pictures.filter(({ choice }) => choice.action === "set_aside");
  return html`
    <tr>
      <th scope="row">${namesHtml(kept)}</th>
      <td class="number">${numberText(images)}</td>
      <td>${namesHtml(aside)}</td>
    </tr>
  `;
}

function namesHtml(pictures: readonly DedupePicture[]): Html {
  if (pictures.length === 0) return html`–`;
  const more = pictures.length - mostNames;
  return html`${pictures.slice(0, mostNames).map(({ name }) => html`${nameHtml(name)}<br>`)}${
    more > 0 && html`<span class="muted">and ${numberText(more)} more</span>`
  }`;
}
