import { z } from "zod";
import {
  decisionStateShape,
  exampleDecision,
  foldDecisions,
  parseDecisions,
} from "../../decisions/decisions.ts";
import { rowKind } from "../../runtime/artifact.ts";
import { file } from "../../runtime/params.ts";
import { defineStep, failed, one, produced } from "../../runtime/step.ts";

/** What a person decided, as it holds now; when it was decided does not count. */
export const decisions = rowKind("decisions", "what a person decided", decisionStateShape);

const params = z.object({
  file: file(
    "the decisions, one change a line; none yet where there is no such file. A line, of which the last on " +
      `a picture counts: ${JSON.stringify(exampleDecision)}; null gives it back to the rules, ` +
      '"alike" with the sha256 of an "other" says whether two pictures are alike',
  ),
});

/** A million decisions; more than this is some other file. */
const mostBytes = 500_000_000;

/** Reads a dataset's `decisions.jsonl`. Nothing is decided where there is no such file. */
export const readDecisions = defineStep({
  name: "decisions.read",
  version: 1,
  doc: "Reads what a person decided: edited captions, keepers, pictures that are alike or not.",
  origin: "human",
  world: "reads",
  inputs: {},
  params,
  outputs: { decisions: one(decisions, "what holds now") },
  async run(_, { file: path }, { disk, warn }) {
    const found = disk.stat(path);
    if (found === undefined) return produced({ decisions: foldDecisions([]) });
    if (!found.isFile) return failed(`Cannot read decisions "${path}": it is not a file`);
    if (found.size > mostBytes) {
      return failed(`Cannot read decisions "${path}": it has ${found.size} bytes`);
    }
    const text = new TextDecoder().decode(await disk.read(path));
    const { decisions, problems } = parseDecisions(text);
    for (const problem of problems) warn(problem);
    return produced({ decisions: foldDecisions(decisions) });
  },
});
