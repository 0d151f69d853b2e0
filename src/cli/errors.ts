import type { Command } from "commander";
import { missingWords } from "../runtime/end_words.ts";
import { failuresOfRun, type RunFailures, UnknownRun } from "../runtime/failure_record.ts";
import { type FailureGroup, wordsOf } from "../runtime/failures.ts";
import { colours } from "./colours.ts";
import { sessionOf } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { type Hint, pasteableIn } from "./program.ts";
import { counted, printable } from "./text.ts";
import { UsageError } from "./usage_error.ts";

interface ErrorsOptions {
  readonly run?: string;
  readonly json?: boolean;
}

/** `tintype errors`: what failed, waits or was left out in a run, by step and cause, and what to do. */
export function errors(options: ErrorsOptions, command: Command): number {
  const { workspace } = sessionOf(command).options;
  const found = failuresIn(workspace, options.run);
  if (options.json) console.log(JSON.stringify(found, undefined, 2));
  else print(found, pasteableIn(workspace));
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

function print({ run, recipe, counts, items, groups }: RunFailures, hint: Hint) {
  const missing = missingWords(counts, items).join(", ");
  const because = missing === "" ? "" : " because of these";
  const skipped = counts.skipped === 0
    ? ""
    : `; ${counted(counts.skipped, "task")} skipped${because}`;
  console.log(
    `${recipe} · run ${run}: ${missing === "" ? "nothing is missing" : missing}${skipped}`,
  );
  for (const group of groups) {
    console.log("");
    for (const line of linesOf(group, hint)) console.log(line);
  }
}

function linesOf(group: FailureGroup, hint: Hint): string[] {
  const { outcome, headline, wordings, examples, consequence, advice } = wordsOf(group);
  const { error, warning } = colours();
  const paint = outcome === "failed" ? error : warning;
  return [
    paint(headline),
    ...wordings.map((text) => `  ${hint(printable(text))}`),
    ...examples.map(({ item, reason }) =>
      `  e.g. ${item === undefined ? "" : `${printable(item)}: `}${hint(printable(reason))}`
    ),
    ...consequence === undefined ? [] : [`  ${consequence}`],
    ...advice.map((each) => `  → ${hint(printable(each))}`),
  ];
}
