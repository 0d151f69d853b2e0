import type { Policy } from "../baseline/policy.ts";
import { clustersSection, distributionsSection } from "./charts_section.ts";
import { bytesText, changeText, countText, listText, numberText } from "./format.ts";
import { type Html, html, nameHtml, visibleName } from "./html.ts";
import { pageText } from "./page.ts";
import { absentOf, absentSection, outliersSection, worstSection } from "./pictures_section.ts";
import { effectSection, policySection } from "./policy_section.ts";
import type { NormalizeReport, ReportChange, Rerun } from "./report_data.ts";

/**
 * The report of a normalized set as one HTML page: whole in itself, without scripts and without
 * anything from outside. The same report gives the same text.
 */
export async function normalizeReport(report: NormalizeReport): Promise<string> {
  const body = html`
    ${headline(report)}
    ${policySection(report)}
    ${effectSection(report)}
    ${await distributionsSection(report)}
    ${await clustersSection(report)}
    ${outliersSection(report)}
    ${worstSection(report)}
    ${absentSection(report)}
    ${rerunSection(report)}
  `;
  return pageText({ title: report.title }, body);
}

/** Everything that the headline counts. */
interface Outcome {
  readonly pictures: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly kept: number;
  readonly actions: Readonly<Record<ReportChange["action"], number>>;
  readonly leftOut: number;
  readonly failed: number;
  readonly waiting: number;
}

function outcomeOf(report: NormalizeReport): Outcome {
  const changes = report.pictures.flatMap(({ change }) => change === undefined ? [] : [change]);
  const absent = absentOf(report);
  const count = (status: string) => absent.filter((each) => each.status === status).length;
  const actions = { unchanged: 0, metadata_only: 0, recompressed: 0, resized: 0, converted: 0 };
  for (const { action } of changes) actions[action]++;
  return {
    pictures: changes.length + absent.length,
    bytesBefore: changes.reduce((sum, change) => sum + change.bytes_before, 0),
    bytesAfter: changes.reduce((sum, change) => sum + change.bytes_after, 0),
    kept: changes.length,
    actions,
    leftOut: count("rejected"),
    failed: count("failed"),
    waiting: count("waiting"),
  };
}

function headline(report: NormalizeReport): Html {
  const outcome = outcomeOf(report);
  return html`
    <header>
    <h1>${visibleName(report.title)}: ${countText(outcome.pictures, "picture")}</h1>
    <p class="lead">${outcomeSentence(outcome)}</p>
    ${tiles(outcome)}
    <nav aria-label="Sections">${sections.map(([id, words]) =>
      (id !== "clusters" || report.baseline.clusters.clusters.length > 0) &&
      html`
        <a href="#${id}">${words}</a>
      `
    )}</nav>
    ${summaryOf(report)}
    </header>
  `;
}

const sections = [
  ["policy", "Policy"],
  ["effect", "Effect"],
  ["distributions", "Distributions"],
  ["clusters", "Clusters"],
  ["outliers", "Outliers"],
  ["worst", "Changed the most"],
  ["absent", "Failed and left out"],
  ["rerun", "How to rerun"],
] as const;

/** `1.2 GB became 310 MB (−74 %); 280 pictures were changed, 120 unchanged, 10 left out.` */
function outcomeSentence(outcome: Outcome): string {
  if (outcome.pictures === 0) return "There was no picture to normalize.";
  const { actions, kept, leftOut, failed, waiting } = outcome;
  const untouched = actions.unchanged + actions.metadata_only;
  const counts = [
    [kept - untouched, "encoded anew"],
    [actions.metadata_only, "kept with only their metadata rewritten"],
    [actions.unchanged, "unchanged"],
    [leftOut, "left out"],
    [failed, "failed"],
    [waiting, "waiting for a person"],
  ] as const;
  const said = listText(
    counts.filter(([count]) => count > 0).map(([count, words]) => `${numberText(count)} ${words}`),
  );
  if (kept === 0) return `No picture came through: ${said}.`;
  const { bytesBefore, bytesAfter } = outcome;
  return `${bytesText(bytesBefore)} → ${bytesText(bytesAfter)} (${
    changeText(bytesBefore, bytesAfter)
  }): ${said}.`;
}

function summaryOf({ baseline }: NormalizeReport): Html | false {
  if (baseline.summary.length === 0) return false;
  return html`
    <details class="card" open>
      <summary>The set in words</summary>
      <ul>${baseline.summary.map((sentence) => html`<li>${sentence}</li>`)}</ul>
    </details>
  `;
}

function tiles({ actions, leftOut, failed, waiting }: Outcome): Html {
  const shown: readonly (readonly [string, number])[] = [
    ["Resized", actions.resized],
    ["Converted", actions.converted],
    ["Recompressed", actions.recompressed],
    ["Metadata only", actions.metadata_only],
    ["Unchanged", actions.unchanged],
    ["Left out", leftOut],
    ["Failed", failed],
    ...(waiting > 0 ? [["Waiting", waiting] as const] : []),
  ];
  return html`<dl class="tiles">${
    shown.map(([words, count]) =>
      html`
        <div>
          <dt>${words}</dt>
          <dd>${numberText(count)}</dd>
        </div>
      `
    )
  }</dl>`;
}

function rerunSection(report: NormalizeReport): Html {
  const { rerun, versions } = report;
  const folder = shellWord(rerun.folder);
  return html`
    <section id="rerun" aria-labelledby="rerun-title">
      <h2 id="rerun-title">How to rerun</h2>
      <p>The same pictures, settings and versions give the same files under the same names; only what changed
    is done again. ${rerunHint(report)}</p>
      <pre><code>deno task tintype run ${recipeWords(rerun)}</code></pre>
      <p>To try another policy, put one into ${policyFile(
        report,
      )} and run again; what it leaves out has its default. This is the one that was applied:</p>
      <pre><code>${policyYaml(report.policy)}</code></pre>
      <p>See first what would be done again:</p>
      <pre><code>deno task tintype plan ${recipeWords(rerun)}</code></pre>
      <p>What each picture was called is in <code>mapping.csv</code>, <code>mapping.jsonl</code> and
    <code>mapping.parquet</code>. To get the original names back:</p>
      <pre><code>deno task tintype restore-names ${folder}</code></pre>
      <p class="muted">Made by ${listText(
        Object.entries(versions).map(([name, version]) => `${name} ${version}`),
      )}.</p>
    </section>
  `;
}

function policyFile({ choice }: NormalizeReport): Html {
  if (choice?.file != null) return html`the file ${nameHtml(choice.file)}`;
  return html`the policy file that the recipe names (<code>policy.yaml</code>, where it says no other)`;
}

/**
 * A policy as the file that a recipe reads it from; scalars of JSON are scalars of YAML. What has no
 * limit is left out, since that is the default.
 */
export function policyYaml(policy: Policy): string {
  const { leave_out, ...others } = policy;
  const lines = limited(others).map(([name, value]) => `${name}: ${scalar(value)}`);
  const out = limited(leave_out).map(([name, value]) => `  ${name}: ${scalar(value)}`);
  return [...lines, ...(out.length === 0 ? [] : ["leave_out:", ...out])].join("\n");
}

function limited(settings: Readonly<Record<string, string | number | null>>) {
  return Object.entries(settings).flatMap(([name, value]): [string, string | number][] =>
    value === null ? [] : [[name, value]]
  );
}

function scalar(value: string | number): string {
  return typeof value === "string" && /^[a-z]+$/.test(value) ? value : JSON.stringify(value);
}

function rerunHint({ rerun }: NormalizeReport): string {
  return Object.keys(rerun.settings).length === 0
    ? "Give the recipe’s file by its path, and the settings that it had:"
    : "In the folder where it was run, with the recipe’s file by its path:";
}

/** The recipe and its settings as words of a command line. */
function recipeWords({ recipe, settings }: Rerun): string {
  const set = Object.entries(settings).map(([name, value]) =>
    ` \\\n  --set ${shellWord(`${name}=${value}`)}`
  );
  return shellWord(`pipelines/${recipe}.yaml`) + set.join("");
}

/** A word as a POSIX shell reads it back. */
export function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
