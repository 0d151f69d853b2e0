import type { Command } from "commander";
import { nearest } from "../runtime/diagnostic.ts";
import { listRuns, otherRuns } from "../runtime/records.ts";
import { storiesOf, type TaskStory } from "../runtime/why.ts";
import { sessionOf } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { alignedRows } from "./text.ts";
import { UsageError } from "./usage_error.ts";

interface WhyOptions {
  readonly run?: string;
  readonly json?: boolean;
}

/** `tintype why`: what made a node, or an item's tasks, run in the last run. */
export function why(target: string, options: WhyOptions, command: Command): number {
  const { workspace } = sessionOf(command).options;
  const runs = listRuns(workspace);
  const run = options.run === undefined
    ? runs.at(-1)
    : runs.find((each) => each.id === options.run);
  if (run === undefined) {
    throw new UsageError(
      options.run === undefined
        ? `There is no run in "${workspace}" yet`
        : `There is no run "${options.run}" in "${workspace}"${otherRuns(runs, options.run)}`,
    );
  }
  const { stories, nodes } = storiesOf(run);
  const wanted = nodes.includes(target)
    ? stories.filter((story) => story.node === target)
    : itemStories(stories, target, nodes);
  if (options.json) console.log(JSON.stringify({ run: run.id, tasks: wanted }, undefined, 2));
  else if (nodes.includes(target)) printNode(target, wanted);
  else printItem(wanted);
  return exitCodes.complete;
}

function itemStories(
  stories: readonly TaskStory[],
  target: string,
  nodes: readonly string[],
): readonly TaskStory[] {
  const items = new Set(stories.flatMap((story) => story.item ?? []));
  const matches = items.has(target)
    ? [target]
    : [...items].filter((item) => item.endsWith(`/${target}`));
  if (matches.length === 1) return stories.filter((story) => story.item === matches[0]);
  if (matches.length > 1) {
    const shown = matches.slice(0, 5).map((item) => `"${item}"`).join(", ");
    throw new UsageError(`"${target}" could be ${shown} (give the whole name)`);
  }
  const near = nearest(target, [...nodes, ...items]);
  const help = near === undefined ? `nodes: ${nodes.join(", ")}` : `did you mean "${near}"?`;
  throw new UsageError(`The run has no node and no item "${target}" (${help})`);
}

function printNode(node: string, stories: readonly TaskStory[]) {
  const groups = new Map<string, number>();
  for (const { outcome, why } of stories) {
    const key = `${outcome}\0${why}`;
    groups.set(key, (groups.get(key) ?? 0) + 1);
  }
  const rows = [...groups].sort((a, b) => b[1] - a[1]).map(([key, count]) => {
    const [outcome, why] = key.split("\0") as [string, string];
    return [count.toLocaleString("en"), "×", node, outcome, why];
  });
  if (rows.length === 0) console.log(`${node}: no task was settled`);
  for (const line of alignedRows(rows, ["right"])) console.log(line);
}

function printItem(stories: readonly TaskStory[]) {
  console.log(stories[0]?.item ?? "");
  for (
    const line of alignedRows(stories.map(({ node, outcome, why }) => [`  ${node}`, outcome, why]))
  ) {
    console.log(line);
  }
}
