import { triggerMark, triggerPattern } from "../captions/caption.ts";
import { withTrigger } from "../captions/compose.ts";
import type { Decision } from "../decisions/decisions.ts";
import type { DecisionLog, LoggedDecision } from "../decisions/log_file.ts";
import type { Edit, HistoryEntry } from "./dataset.ts";
import type { Shelf } from "./shelf.ts";

/** One line: what breaks a line becomes a blank. */
export function oneLine(text: string): string {
  return text.replace(/\s*[\r\n\u2028\u2029\v\f]+\s*/g, " ");
}

/** Puts the mark where the trigger word stands as a word, so that another one can take its place. */
export function withMark(text: string, trigger: string): string {
  if (!triggerPattern.test(trigger)) return text;
  return text.replace(
    new RegExp(`(?<![\\p{L}\\p{N}_])${trigger}(?![\\p{L}\\p{N}_])`, "gu"),
    triggerMark,
  );
}

interface Editing {
  readonly log: DecisionLog;
  readonly shelf: Shelf;
  readonly by: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/**
 * The lines that a change of a page adds to the log; none for one that changes nothing. A page's number
 * is on the last of them, so that a change that was written in half is taken again as a whole.
 */
export function linesOf(edit: Edit, { log, shelf, by, at }: Editing): LoggedDecision[] {
  const { image, number } = edit;
  // A page sends what it kept as soon as the server is back, which may be before the folder was read.
  const name = shelf.filesOf(image)[0]?.name ?? log.historyOf(image).at(-1)?.decision.name;
  const trigger = shelf.triggerOf(name ?? "");
  const about = { at, image, name };
  const decided = log.captionOf(image);
  const said = shelf.saidOf(image);
  const state = decided.state ?? said?.state ?? "auto";
  const stateLine = (after: Extract<Decision, { field: "state" }>["after"]): Decision => ({
    field: "state",
    ...about,
    before: state,
    after,
  });
  const decisions: Decision[] = [];
  switch (edit.field) {
    case "caption": {
      const after = withMark(oneLine(edit.after), trigger);
      const before = decided.text ?? said?.text ?? withMark(edit.before, trigger);
      if (after === before) break;
      if (said !== undefined && after === withMark(said.text, trigger)) {
        decisions.push(stateLine("auto"));
        break;
      }
      if (decided.state !== undefined && decided.state !== "edited") {
        decisions.push(stateLine("edited"));
      }
      decisions.push({ field: "caption", ...about, before, after });
      break;
    }
    case "state":
      if (edit.after !== decided.state) decisions.push(stateLine(edit.after));
      break;
    case "locked": {
      const before = decided.locked ?? said?.locked ?? false;
      if (before !== edit.after) {
        decisions.push({ field: "locked", ...about, before, after: edit.after });
      }
      break;
    }
  }
  return decisions.map((decision, index) =>
    index === decisions.length - 1 ? { decision, by, number } : { decision, by }
  );
}

/** Typing that paused for less than this is one line of the history. */
const burstMs = 10_000;

/** A picture's history for people: oldest first, a burst of typing as one change. */
export function historyOf(log: DecisionLog, image: string, trigger: string): HistoryEntry[] {
  const entries: HistoryEntry[] = [];
  for (const { decision, by = null } of log.historyOf(image)) {
    const { field, at } = decision;
    if (field !== "caption" && field !== "state" && field !== "locked") continue;
    if (field === "state" && decision.after === "edited") continue;
    const [before, after] = [decision.before, decision.after].map((value) =>
      withTrigger(String(value), trigger)
    ) as [string, string];
    const last = entries.at(-1);
    const isBurst = last?.field === "caption" && field === "caption" && last.by === by &&
      last.after === before && Date.parse(at) - Date.parse(last.at) < burstMs;
    if (isBurst) entries[entries.length - 1] = { ...last, at, after };
    else entries.push({ at, field, before, after, by });
  }
  return entries;
}
