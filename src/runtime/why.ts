import { join } from "node:path";
import { readJournal } from "./journal.ts";
import type { RunRecord } from "./records.ts";
import { reasonText } from "./task_key.ts";

/** How one task of a run ended, and why it ran. */
export interface TaskStory {
  readonly node: string;
  readonly item?: string;
  readonly outcome: string;
  /** In words: the parts of its key that changed, or why it was left out. */
  readonly why: string;
}

/** A run's tasks in the order in which they ended, and its nodes. */
export function storiesOf(
  run: RunRecord,
): { readonly stories: readonly TaskStory[]; readonly nodes: readonly string[] } {
  const reasons = new Map<string, string>();
  const stories: TaskStory[] = [];
  let nodes: string[] = [];
  for (const entry of readJournal(join(run.folder, "journal.jsonl"))) {
    if (entry.type === "run-started") nodes = Object.keys(entry.nodes);
    if (entry.type === "task-started") {
      reasons.set(`${entry.node}\0${entry.item ?? ""}`, reasonText(entry.why));
    }
    if (entry.type !== "task-settled") continue;
    const { node, item, outcome } = entry;
    const isUnchanged = outcome === "cached" || entry.fromCache === true;
    const why = [
      isUnchanged ? "nothing changed" : reasons.get(`${node}\0${item ?? ""}`),
      entry.reason,
    ];
    stories.push({ node, item, outcome, why: why.filter((each) => each).join(": ") });
  }
  return { stories, nodes };
}
