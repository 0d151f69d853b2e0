import { predictEffect } from "../baseline/effect.ts";
import type { Advice, Effect, Policy, Reason } from "../baseline/policy.ts";
import { bytesText, changeText, countText, measuredText, numberText } from "./format.ts";
import { type Html, html, nameHtml, visibleName, visibleText } from "./html.ts";
import type { NormalizeReport, ReportPicture } from "./report_data.ts";

type Setting = string | number | boolean | null;

const settingNames: Readonly<Record<string, string>> = {
  long_side_px: "Long side, at most",
  short_side_px: "Short side, at most",
  format: "Format",
  quality: "Quality, at most",
  colour: "Colour",
  alpha: "Transparency",
  background: "Background",
  "leave_out.short_side_below_px": "Left out: short side below",
  "leave_out.sharpness_below": "Left out: sharpness below",
  "leave_out.clipped_above": "Left out: share of clipped pixels above",
};

/** A policy as settings by path, in the order of the table; keys of stored rows are sorted. */
export function settingsOf(policy: Policy): [path: string, value: Setting][] {
  const order = Object.keys(settingNames);
  return Object.entries(policy).flatMap(([name, value]): [string, Setting][] =>
    typeof value === "object" && value !== null
      ? Object.entries(value).map(([inner, each]) => [`${name}.${inner}`, each])
      : [[name, value]]
  ).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
}

/** The applied policy with its reasons, the advice beside the rules, and what was predicted. */
export function policySection(report: NormalizeReport): Html {
  return html`
    <section id="policy" aria-labelledby="policy-title">
    <h2 id="policy-title">Policy</h2>
    <p>${sourceSentence(report)}</p>
    ${settingsTable(report)}
    ${adviceSection(report)}
    </section>
  `;
}

/** Which of the policies was applied, found by comparing them. */
export function sourceOf(
  { policy, recommendation }: NormalizeReport,
): "rules" | "advisor" | "other" {
  const { rules, advice, accepted } = recommendation;
  const isRules = isSame(policy, rules);
  const isAdvice = advice.policy !== null && isSame(policy, advice.policy);
  if (isAdvice && (accepted === "advisor" || !isRules)) return "advisor";
  return isRules ? "rules" : "other";
}

function isSame(a: Policy, b: Policy): boolean {
  const [first, second] = [settingsOf(a), new Map(settingsOf(b))];
  return first.every(([path, value]) => second.get(path) === value);
}

function sourceSentence(report: NormalizeReport): Html {
  const { choice, recommendation } = report;
  const source = sourceOf(report);
  if (choice?.source === "file") {
    const same = {
      rules: ", and is that of the rules",
      advisor: ", and is the advisor’s",
      other: "",
    };
    return html`The policy was read from the file ${nameHtml(choice.file ?? "")}${same[source]}.`;
  }
  return {
    rules: html`The policy is that of the rules, read off the set’s own distribution.`,
    advisor: html`The policy is the one that the advisor (${
      advisorName(recommendation.advice)
    }) gave.`,
    other: html`The policy was set by hand; the rules’ own stands beside it.`,
  }[source];
}

function settingsTable(report: NormalizeReport): Html {
  const { policy, recommendation } = report;
  const rules = new Map(settingsOf(recommendation.rules));
  // The column of the policy that was applied would say everything twice.
  const source = sourceOf(report);
  const advised = recommendation.advice.policy === null || source === "advisor"
    ? undefined
    : new Map(settingsOf(recommendation.advice.policy));
  const reasons = new Map(recommendation.reasons.map((reason) => [reason.setting, reason]));
  const hasRules = source !== "rules";
  return html`
    <div class="scroll" tabindex="0" role="group" aria-label="Settings">
      <table class="settings stacked">
        <thead>
          <tr><th scope="col">Setting</th><th scope="col">Applied</th>${hasRules &&
            html`<th scope="col">Rules</th>`}${advised !== undefined &&
            html`<th scope="col">Advisor</th>`}
    <th scope="col">Why the rules say so</th><th scope="col">Read from</th></tr>
        </thead>
        <tbody>${settingsOf(policy).map(([path, value]) =>
          html`
            <tr><th scope="row">${settingNames[path] ?? path}<br><code>${path}</code></th>
            <td data-head="Applied"><strong>${settingText(path, value)}</strong></td>${hasRules &&
              comparedCell("Rules", path, {
                applied: value,
                value: rules.get(path),
              })}${advised !== undefined &&
              comparedCell("Advisor", path, {
                applied: value,
                value: advised.get(path),
              })}${reasonCells(reasons.get(path))}</tr>
          `
        )}</tbody>
      </table>
    </div>
  `;
}

interface Compared {
  readonly applied: Setting;
  readonly value: Setting | undefined;
}

function comparedCell(head: string, path: string, { applied, value }: Compared): Html {
  return html`
    <td data-head="${head}" ${value !== applied && html`
      class="differs"
    `}>${value === undefined ? "–" : settingText(path, value)}</td>
  `;
}

function reasonCells(reason: Reason | undefined): Html {
  if (reason === undefined) {
    return html`
      <td data-head="Why" class="muted">the default</td>
      <td data-head="Read from">–</td>
    `;
  }
  const { because, from, measured } = reason;
  const source = from === null ? html`–` : html`<code>${from}</code>${
    measured !== null && html`
      = ${measuredText(measured)}
    `
  }`;
  return html`
    <td data-head="Why">${because}</td>
    <td data-head="Read from">${source}</td>
  `;
}

/** A setting's value in words, with its unit. */
export function settingText(path: string, value: Setting): string {
  if (value === null) return "no limit";
  if (typeof value !== "number") return String(value);
  if (path.endsWith("_px")) return `${numberText(value)} px`;
  return path === "leave_out.clipped_above"
    ? `${numberText(value * 100, 1)} %`
    : measuredText(value);
}

function advisorName({ advisor, model }: Advice): string {
  return visibleName(model === null ? advisor : `${advisor}, ${model}`);
}

function adviceSection({ recommendation }: NormalizeReport): Html {
  const { advice, accepted } = recommendation;
  if (advice.status === "none") return html`<p class="muted">No model was asked for advice.</p>`;
  if (advice.status === "failed") {
    return html`
      <h3>Advice</h3>
      <p class="note">The advisor (${advisorName(
        advice,
      )}) gave none that could be used, so the rules
      stand: ${visibleText(advice.problem ?? "no reason was given")}</p>
    `;
  }
  return html`
    <h3>Advice of ${advisorName(advice)}</h3>
    <p>It was ${accepted === "advisor"
      ? "asked for and accepted"
      : "asked for, and the rules kept"}.</p>
    ${advice.rationale !== null && html`<blockquote>${visibleText(advice.rationale)}</blockquote>`}
    ${differencesTable(advice)}
    ${clampedList(advice)}
  `;
}

function differencesTable({ differences }: Advice): Html {
  if (differences.length === 0) return html`<p>It agrees with the rules in every setting.</p>`;
  return html`
    <div class="scroll" tabindex="0" role="group" aria-label="Differences">
      <table>
        <caption>Where it differs from the rules</caption>
        <thead>
          <tr>
            <th scope="col">Setting</th>
            <th scope="col">Rules</th>
            <th scope="col">Advisor</th>
          </tr>
        </thead>
        <tbody>${differences.map(({ setting, rules, advisor }) =>
          html`
            <tr>
              <th scope="row">${settingNames[setting] ?? setting}</th>
              <td>${settingText(setting, rules)}</td>
              <td>${settingText(setting, advisor)}</td>
            </tr>
          `
        )}</tbody>
      </table>
    </div>
  `;
}

function clampedList({ clamped }: Advice): Html {
  if (clamped.length === 0) return html``;
  return html`
    <p>Brought into the measured range:</p>
    <ul>${clamped.map(({ setting, said, became, because }) =>
      html`<li>${settingNames[setting] ?? setting}: ${settingText(setting, said)} →
${settingText(setting, became)}, ${because}</li>`
    )}</ul>
  `;
}

/** The applied policy's effect as it was predicted, or would have been for one set by hand. */
function predictedEffect(report: NormalizeReport): Effect {
  const { effect, advice } = report.recommendation;
  const source = sourceOf(report);
  const known = source === "advisor" ? advice.effect : source === "rules" ? effect : null;
  return known ?? predictEffect(report.baseline, report.policy);
}

/**
 * What became of the pictures that the baseline was read off, counted as a prediction counts it. One
 * that turned out to be damaged is not among them.
 */
export function actualEffect({ pictures }: NormalizeReport): Effect {
  const effect = {
    images: 0,
    left_out: 0,
    changed: 0,
    resized: 0,
    recompressed: 0,
    converted: 0,
    pixels_before: 0,
    pixels_after: 0,
    bytes_before: 0,
    bytes_after: 0,
  };
  for (const { metadata, change } of predictedOf(pictures).among) {
    effect.images++;
    effect.pixels_before += change === undefined
      ? metadata!.width * metadata!.height
      : change.width_before * change.height_before;
    effect.bytes_before += change?.bytes_before ?? metadata!.bytes;
    if (change === undefined) {
      effect.left_out++;
      continue;
    }
    const { action } = change;
    if (action !== "unchanged" && action !== "metadata_only") effect.changed++;
    if (action === "recompressed") effect.recompressed++;
    if (action === "resized") effect.resized++;
    if (action === "converted" || change.format_before !== change.format_after) effect.converted++;
    effect.pixels_after += change.width_after * change.height_after;
    effect.bytes_after += change.bytes_after;
  }
  return effect;
}

interface Predicted {
  /** Those that the prediction was made of. */
  readonly among: readonly ReportPicture[];
  /** Those that have a header, and were not in the baseline for their pixels. */
  readonly damaged: readonly ReportPicture[];
}

/** Where no picture has a standing, since the recipe does not pass it on, all with a header count. */
function predictedOf(pictures: readonly ReportPicture[]): Predicted {
  const hasStandings = pictures.some(({ standing }) => standing !== undefined);
  const known = pictures.filter(({ metadata, change }) =>
    metadata !== undefined || change !== undefined
  );
  const isAmong = ({ standing, change }: ReportPicture) =>
    change !== undefined || standing !== undefined || !hasStandings;
  return { among: known.filter(isAmong), damaged: known.filter((each) => !isAmong(each)) };
}

/** Predicted against actual effect. */
export function effectSection(report: NormalizeReport): Html {
  const predicted = predictedEffect(report);
  const actual = actualEffect(report);
  if (predicted.images === 0 && actual.images === 0) {
    return html`
      <section id="effect" aria-labelledby="effect-title">
        <h2 id="effect-title">Effect</h2>
        <p>There is no picture that a policy could change.</p>
      </section>
    `;
  }
  const damaged = predictedOf(report.pictures).damaged.length;
  return html`
    <section id="effect" aria-labelledby="effect-title">
      <h2 id="effect-title">Effect</h2>
      <p>What the policy was predicted to do to the set, and what it did. Bytes after are an estimate, and
    how many are brought to a lower quality alone is at most so many, since that is done only where it saves;
    all else is counted.${damaged > 0 &&
      ` Not among them: ${countText(damaged, "picture")} with a header but damaged pixels.`}</p>
      <div class="scroll" tabindex="0" role="group" aria-label="Effect">
        <table>
          <thead>
            <tr>
              <th scope="col">Measure</th>
              <th scope="col" class="number">Predicted</th>
              <th scope="col" class="number">Actual</th>
              <th scope="col" class="number">Difference</th>
            </tr>
          </thead>
          <tbody>${effectRows.map((row) => effectRow(row, predicted, actual))}</tbody>
        </table>
      </div>
    </section>
  `;
}

interface EffectRow {
  readonly name: keyof Effect;
  readonly words: string;
  readonly shown: (value: number) => string;
  readonly difference: (predicted: number, actual: number) => string;
}

const counted = { shown: numberText, difference: countDifference };
const pixels = {
  shown: (value: number) => `${numberText(value / 1e6, 1)} MP`,
  difference: shareDifference,
};
const bytes = { shown: bytesText, difference: shareDifference };

const effectRows: readonly EffectRow[] = [
  { name: "images", words: "Pictures", ...counted },
  { name: "left_out", words: "Left out", ...counted },
  { name: "changed", words: "Encoded anew", ...counted },
  { name: "resized", words: "Made smaller", ...counted },
  { name: "recompressed", words: "Only at lower quality", ...counted },
  { name: "converted", words: "Converted", ...counted },
  { name: "pixels_before", words: "Pixels before", ...pixels },
  { name: "pixels_after", words: "Pixels after", ...pixels },
  { name: "bytes_before", words: "Bytes before", ...bytes },
  { name: "bytes_after", words: "Bytes after", ...bytes },
];

function effectRow(
  { name, words, shown, difference }: EffectRow,
  predicted: Effect,
  actual: Effect,
): Html {
  return html`
    <tr>
      <th scope="row">${words}</th>
      <td class="number">${shown(predicted[name])}</td>
      <td class="number">${shown(actual[name])}</td>
      <td class="number">${difference(predicted[name], actual[name])}</td>
    </tr>
  `;
}

function countDifference(predicted: number, actual: number): string {
  if (predicted === actual) return "as predicted";
  return `${actual > predicted ? "+" : "−"}${numberText(Math.abs(actual - predicted))}`;
}

function shareDifference(predicted: number, actual: number): string {
  return predicted === actual ? "as predicted" : changeText(predicted, actual);
}
