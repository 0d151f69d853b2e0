import type { Command } from "commander";
import { failuresOfRun, type RunFailures, UnknownRun } from "../runtime/failure_record.ts";
import type { FailureGroup } from "../runtime/failures.ts";
import { colours } from "./colours.ts";
import { sessionOf, UsageError } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { counted, printable } from "./text.ts";

interface ErrorsOptions {
  readonly run?: string;
  readonly json?: boolean;
}

/** `tintype errors`: what failed, waits or was left out in a run, by step and cause, and what to do. */
export function errors(options: ErrorsOptions, command: Command): number {
  const found = failuresIn(sessionOf(command).options.workspace, options.run);
  if (options.json) console.log(JSON.stringify(found, undefined, 2));
  else print(found);
  return exitCodes.complete;
}

function failuresIn(workspace: string, run: string | undefined): RunFailures {
  try {
    return failuresOfRun(workspace, run);
  } catch (error) {
    if (error instanceof UnknownRun) throw new UsageError(error.message);
    throw error;
  }
}

const outcomeWords = { failed: "failed", rejected: "left out", waiting: "waiting" } as const;

function print({ run, recipe, counts, groups }: RunFailures) {
  const { failed, rejected, waiting, skipped } = counts;
  console.log(
    `${recipe} · run ${run}: ${failed} failed, ${rejected} left out, ${waiting} waiting, ` +
      `${skipped} skipped because of these`,
  );
  for (const group of groups) {
    console.log("");
    for (const line of linesOf(group)) console.log(line);
  }
}

function linesOf(group: FailureGroup): string[] {
  const { node, step, outcome, code, count, wordings, examples, skipped, advice } = group;
  const { error, warning } = colours();
  const paint = outcome === "failed" ? error : warning;
  const [only] = wordings;
  const noun = examples.some(({ item }) => item !== undefined) ? "item" : "task";
  const head = `${counted(count, noun)} ${outcomeWords[outcome]} at ${node}` +
    `${step === "" ? "" : ` (${step})`}: ${code}`;
  const shown = wordings.length === 1 && only!.count === 1
    ? []
    : wordings.map(({ text, count: times }) =>
      `  ${times.toLocaleString("en")} × ${printable(text)}`
    );
  return [
    paint(head),
    ...shown,
    ...examples.map(({ item, reason }) =>
      `  e.g. ${item === undefined ? "" : `${printable(item)}: `}${printable(reason)}`
    ),
    ...skipped > 0 ? [`  ${counted(skipped, "task")} skipped because of this`] : [],
    ...advice.map((each) => `  → ${printable(each)}`),
  ];
}
