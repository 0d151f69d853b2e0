import type { Command } from "commander";
import { bytesText } from "../report/format.ts";
import { MergeProblem, type MergeReport, mergeWorkspace } from "../runtime/merge.ts";
import { sessionOf } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { counted, printable } from "./text.ts";
import { UsageError } from "./usage_error.ts";
import { waitNotice } from "./wait_notice.ts";

/**
 * `tintype cache merge WORKSPACES`: takes over what other workspaces have. Exit code 1 where something in
 * one of them was damaged and is left there.
 */
export async function merge(
  workspaces: readonly string[],
  options: { readonly json?: boolean },
  command: Command,
): Promise<number> {
  const session = sessionOf(command);
  const reports: MergeReport[] = [];
  try {
    for (const each of workspaces) {
      const report = await mergeWorkspace(session, each, { onWait: waitNotice });
      if (!options.json) { for (const line of mergeLines(report)) console.log(line); }
      reports.push(report);
    }
  } catch (error) {
    throw error instanceof MergeProblem ? new UsageError(error.message) : error;
  }
  if (options.json) console.log(JSON.stringify(reports, undefined, 2));
  return reports.some(({ left }) => left > 0) ? exitCodes.failed : exitCodes.complete;
}

function* mergeLines(report: MergeReport): Iterable<string> {
  const { from, results, artifacts, bytes, known, differing, left } = report;
  yield `"${printable(from)}": took ${counted(results, "result")} and ${
    counted(artifacts, "artifact")
  } (${bytesText(bytes)}); ${known.toLocaleString("en")} known already`;
  if (differing > 0) {
    yield `  ${counted(differing, "result")} differ from those here, which stay ` +
      "(a step or a model gave two answers to one question)";
  }
  if (left > 0) {
    yield `  ${counted(left, "result")} left there: damaged, or without their artifacts ` +
      "(the next run makes them)";
  }
}
