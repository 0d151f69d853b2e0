import { type Failure, type FailureWords, groupFailures, wordsOf } from "../runtime/failures.ts";
import { countText } from "./format.ts";
import { type Html, html, nameHtml, visibleName } from "./html.ts";
import type { AbsentPicture } from "./report_data.ts";

/** Pictures that a group names on the page at most; the run's tables have all of them. */
const mostNames = 100;

/**
 * What did not come through, by cause: what happened, what can be done, and which pictures they are. The
 * words are those of `tintype errors`.
 */
export function failureGroups(absent: readonly AbsentPicture[]): Html {
  const failures = absent.map(({ name, node, status, reason }): Failure => ({
    node,
    item: name,
    outcome: status,
    reason,
  }));
  const steps = Object.fromEntries(absent.map(({ node, step }) => [node, step]));
  return html`${
    groupFailures(failures, steps, { mostExamples: mostNames }).map(wordsOf).map(groupHtml)
  }`;
}

function groupHtml({ outcome, headline, wordings, advice, ...named }: FailureWords): Html {
  return html`
    <div class="cause ${outcome}">
      <h3>${visibleName(headline)}</h3>
      ${wordings.length > 0 &&
        html`<ul>${wordings.map((text) => html`<li>${visibleName(text)}</li>`)}</ul>`}
      ${advice.map((each) => html`<p class="advice">→ ${visibleName(each)}</p>`)}
      ${namesHtml(named, headline)}
    </div>
  `;
}

/** Up to this many pictures are shown at once, more when they are asked for. */
const fewNames = 10;

function namesHtml(
  { examples, more }: Pick<FailureWords, "examples" | "more">,
  headline: string,
): Html {
  return html`
    <details ${examples.length <= fewNames && "open"}>
    <summary>${countText(examples.length + more, "picture")}</summary>
    <div class="scroll" tabindex="0" role="group" aria-label="${visibleName(headline)}">
    <table class="stacked"><thead><tr><th scope="col">Picture</th><th scope="col">Reason</th></tr></thead>
    <tbody>${examples.map(({ item = "", reason }) =>
      html`
        <tr>
          <th scope="row">${nameHtml(item)}</th>
          <td data-head="Reason">${visibleName(reason)}</td>
        </tr>
      `
    )}</tbody></table></div>
    ${more > 0 &&
      html`<p class="muted">${
        countText(more, "more picture")
      } with this cause: the run’s tables have them all.</p>`}
    </details>
  `;
}
