import { join } from "node:path";
import { causeOf, type Shortfall } from "./cause.ts";
import type { ItemCounts } from "./event.ts";
import { type Failure, type FailureGroup, groupFailures } from "./failures.ts";
import { readHashList } from "./hash_list.ts";
import { readJournal } from "./journal.ts";
import { listRuns, otherRuns, type RunRecord } from "./records.ts";

/** What came to nothing in a run. */
export interface RunFailures {
  readonly run: string;
  readonly recipe: string;
  /** Tasks by how they ended; what was skipped because of another is in none of the groups. */
  readonly counts: Readonly<Record<Shortfall, number>>;
  /** How many different items that are. */
  readonly items: ItemCounts;
  readonly groups: readonly FailureGroup[];
}

/** There is no such run. */
export class UnknownRun extends Error {
  override readonly name = "UnknownRun";
}

/** Groups what came to nothing in a run; in the newest, where none is named. Throws `UnknownRun`. */
export function failuresOfRun(workspace: string, run?: string): RunFailures {
  const runs = listRuns(workspace);
  const record = run === undefined || run === "last"
    ? runs.at(-1)
    : runs.find(({ id }) => id === run);
  if (record === undefined) {
    const isNamed = run !== undefined && run !== "last";
    const what = isNamed ? `no run "${run}"` : "no run";
    const others = isNamed ? otherRuns(runs, run) : "";
    throw new UnknownRun(`Cannot show errors: there is ${what} in "${workspace}"${others}`);
  }
  const { recipe, steps, items, failures } = failuresOf(record);
  const counts = { failed: 0, rejected: 0, waiting: 0, skipped: 0 };
  for (const { outcome } of failures) counts[outcome]++;
  const groups = groupFailures(failures, steps);
  return { run: record.id, recipe, counts, items: items ?? itemCounts(failures), groups };
}

/** Every task of a run that came to nothing, with the members that a step for all of them left out. */
function failuresOf({ folder }: RunRecord) {
  const failures: Failure[] = [];
  let recipe = "";
  let steps: Readonly<Record<string, string>> = {};
  let items: ItemCounts | undefined;
  const forAll = new Set<string>();
  for (const entry of readJournal(join(folder, "journal.jsonl"))) {
    if (entry.type === "run-started") ({ recipe, nodes: steps } = entry);
    if (entry.type === "run-finished") items = entry.items;
    if (entry.type !== "task-settled") continue;
    const { node, item, outcome, reason = "" } = entry;
    if (outcome === "ran" || outcome === "cached") {
      if (item === undefined) forAll.add(node);
    } else failures.push({ node, item, outcome, reason });
  }
  for (const each of membersLeftOut(folder, forAll, failures)) failures.push(each);
  return { recipe, steps, items, failures };
}

/** For a run that has none itself, as it was killed: by name, so that pictures of two folders may be one. */
function itemCounts(failures: readonly Failure[]): ItemCounts {
  const count = (wanted: keyof ItemCounts) =>
    new Set(
      failures.flatMap(({ item, outcome }) =>
        item === undefined || outcome !== wanted ? [] : [item]
      ),
    ).size;
  return { rejected: count("rejected"), failed: count("failed"), waiting: count("waiting") };
}

/**
 * The members that steps for all items left out. They ended with a task of their own nowhere: what was said
 * of them is in the tables of the run's folder. `failures` is what came to nothing besides.
 */
export function membersLeftOut(
  folder: string,
  nodes: Iterable<string>,
  failures: readonly Pick<Failure, "item">[],
): Failure[] {
  const found = [...nodes].flatMap((node) => {
    const rows = [...readHashList(join(folder, "tables"), node)?.rows.values() ?? []];
    return rows.flatMap(({ item, status, reason = "" }): Failure[] =>
      status === "rejected" && item !== null ? [{ node, item, outcome: status, reason }] : []
    );
  });
  const isOwn = ({ outcome, reason }: Failure) =>
    causeOf(outcome, reason).code !== "nothing-to-go-by";
  // That there was nothing to go by follows from what is said already.
  const explained = new Set([...failures, ...found.filter(isOwn)].map(({ item }) => item));
  return found.filter((each) => isOwn(each) || !explained.has(each.item));
}
