import type { DedupeReport } from "./dedupe_data.ts";
import { lookupOf, previewStyle, verdictSection, type VerdictWords } from "./dedupe_groups.ts";
import { dedupeStyle } from "./dedupe_style.ts";
import { failureGroups } from "./failures_section.ts";
import { bytesText, countText, listText, numberText } from "./format.ts";
import { type Html, html, visibleName } from "./html.ts";
import { shellWord } from "./normalize_report.ts";
import { pageText } from "./page.ts";
import type { AbsentPicture } from "./report_data.ts";

/**
 * The report of a dedupe as one HTML page: whole in itself, without scripts and without anything from
 * outside. The same report gives the same text.
 */
export function dedupeReport(report: DedupeReport): string {
  const lookup = lookupOf(report);
  return pageText(
    { title: report.title, style: dedupeStyle + previewStyle(report, lookup) },
    html`
      ${headline(report)}
      ${verdictsOf(report).map((words) => verdictSection(report, words, lookup))}
      ${problemSections(report)}
      ${doneSection(report)}
    `,
  );
}

function verdictsOf({ found }: DedupeReport): readonly VerdictWords[] {
  return [
    {
      verdict: "same_picture",
      title: "The same picture",
      about:
        "The same pixels in other files, or so close that two hashes of 64 bits say so: saved " +
        "again, shrunk, turned.",
    },
    { verdict: "similar", title: "Similar", about: similarWords(found) },
    {
      verdict: "exact",
      title: "Exact copies",
      about: "Files that are the same to the byte, under several names.",
    },
  ];
}

function similarWords({ similar_by, threshold, search }: DedupeReport["found"]): string {
  const recall = search.method === "exact"
    ? "Every pair was compared."
    : `Neighbours were searched by an index that finds ${
      numberText(search.recall * 100, 1)
    } % of them.`;
  return similar_by === "hashes"
    ? `No model was there to ask, so this is by hashes alone, which see much less. ${recall}`
    : `The cosine of their embeddings is at least ${
      threshold === null ? "the threshold" : numberText(threshold, 3)
    }. ${recall} These are for you to look at: they are set aside only if you ask for it.`;
}

function headline(report: DedupeReport): Html {
  const { pictures, groups, found } = report;
  const aside = pictures.filter(({ choice }) => choice.action === "set_aside");
  const byPerson = pictures.filter(({ choice }) => choice.decided_by === "person").length;
  const count = (verdict: string) => groups.filter((group) => group.verdict === verdict).length;
  const tiles: readonly (readonly [string, number])[] = [
    ["Exact copies", count("exact")],
    ["Same picture", count("same_picture")],
    ["Similar", count("similar")],
    ["Bursts", groups.filter(({ is_burst }) => is_burst).length],
    ["Kept", pictures.length - aside.length],
    ["Set aside", aside.length],
    ...(byPerson > 0 ? [["Decided by a person", byPerson] as const] : []),
  ];
  const bytes = aside.reduce((sum, picture) => sum + picture.bytes, 0);
  return html`
    <header>
    <h1>${visibleName(report.title)}, among ${countText(pictures.length, "picture")}</h1>
    <p class="lead">${leadSentence(report, aside.length, bytes)}</p>
    <dl class="tiles">${tiles.map(([words, number]) =>
      html`
        <div>
          <dt>${words}</dt>
          <dd>${numberText(number)}</dd>
        </div>
      `
    )}</dl>
    <nav aria-label="Sections">${verdictsOf(report).map(({ verdict, title }) =>
      html`<a href="#${verdict}">${title}</a>`
    )}<a href="#done">What was done</a></nav>
    ${found.warnings.map((warning) => html`<p class="note">${warning}</p>`)}
    </header>
  `;
}

function leadSentence({ pictures }: DedupeReport, aside: number, bytes: number): string {
  if (pictures.length === 0) return "There was no picture to compare.";
  if (aside === 0) return "Every picture is kept.";
  return `${countText(pictures.length - aside, "picture")} kept; ${numberText(aside)} set aside (${
    bytesText(bytes)
  }), each with another that stands for it or by a person’s decision.`;
}

/** What was to be done and was not, and what could not be compared at all; by cause. */
function problemSections({ pictures, absent }: DedupeReport): Html {
  const refused = pictures.filter(({ deed }) => deed?.outcome === "refused").map((
    { name, deed },
  ): AbsentPicture => ({
    name,
    node: "",
    step: "dedupe.act",
    status: "rejected",
    reason: deed!.problem ?? "",
  }));
  const once = new Map(absent.map((each) => [each.name, each]));
  return html`${problemSection("refused", "Was to be done, and was not", refused)}${
    problemSection("absent", "Not compared", [...once.values()])
  }`;
}

function problemSection(
  id: string,
  title: string,
  pictures: readonly AbsentPicture[],
): Html | false {
  return pictures.length > 0 && html`
    <section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}: ${countText(pictures.length, "picture")}</h2>
    ${failureGroups(pictures)}
    </section>
  `;
}

function doneSection(report: DedupeReport): Html {
  const { versions } = report;
  return html`
    <section id="done" aria-labelledby="done-title">
    <h2 id="done-title">What was done, and what you can do</h2>
    ${doneWords(report)}
    <h3>Decide otherwise</h3>
    <p>A line of <code>decisions.jsonl</code> keeps a picture or drops it, whatever the rules say; run again
    after that. The notebook <code>dedupe_calibration.ipynb</code> shows the pairs nearest the threshold, and
    finds one that fits your pictures.</p>
    <h3>Run again</h3>
    <p>Only what changed is done again.</p>
    <pre><code>deno task tintype run ${runWords(report)}</code></pre>
    <p class="muted">Made by ${listText(
      Object.entries(versions).map(([name, version]) => `${name} ${version}`),
    )}.</p>
    </section>
  `;
}

function doneWords(report: DedupeReport): Html {
  const { deeds, rerun } = report;
  const undo = html`<pre><code>deno task tintype undo ${shellWord(rerun.folder)}</code></pre>`;
  const standing = deeds?.in_quarantine ?? 0;
  switch (deeds?.action) {
    case "publish":
      return html`<p>Of the kept pictures ${numberText(deeds.published)} ${
        deeds.published === 1 ? "was" : "were"
      } copied, byte for byte, to <code>${visibleName(rerun.folder)}</code>. The originals were not
      touched.</p>`;
    case "quarantine":
      return html`
        <p>${deeds.quarantined === 0
          ? "There was nothing to move in this run."
          : `${countText(deeds.quarantined, "original")} moved`} ${standing === 0
          ? ""
          : `In all, ${countText(standing, "file")} in quarantine, in`} <code>${visibleName(
            rerun.folder,
          )}</code>. Nothing was deleted. To move everything back:</p>
        ${undo}
      `;
    default:
      return html`<p>Nothing was moved, copied or deleted: this is a report. To have the kept pictures copied
      into a folder, run again with <code>--set action=publish</code>; to have the others moved into a
      quarantine folder, which <code>tintype undo</code> takes back, with
      <code>--set action=quarantine</code>.</p>`;
  }
}

/** The recipe and its settings as words of a command line. */
function runWords({ rerun: { recipe, settings } }: DedupeReport): string {
  const set = Object.entries(settings).map(([name, value]) =>
    ` \\\n  --set ${shellWord(`${name}=${value}`)}`
  );
  return shellWord(`pipelines/${recipe}.yaml`) + set.join("");
}
