import type { Command } from "commander";
import { RecordProblem } from "../runtime/recorded_run.ts";
import { type ReplayReport, replayRun } from "../runtime/replay.ts";
import type { Difference } from "../runtime/replay_difference.ts";
import { sessionOf } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { counted, printable } from "./text.ts";
import { UsageError } from "./usage_error.ts";

interface ReplayOptions {
  readonly jobs?: number;
  readonly json?: boolean;
}

/** Items of one kind that are named. */
const shownItems = 3;

/**
 * `tintype replay [RUN]`: does a run again beside the cache, and says what differs; the newest run when
 * none is named. The exit code is 0 when every bit is the same.
 */
export async function replay(
  run: string | undefined,
  options: ReplayOptions,
  command: Command,
): Promise<number> {
  const session = sessionOf(command);
  let report: ReplayReport;
  try {
    report = await replayRun(session, run ?? "last", { jobs: options.jobs });
  } catch (error) {
    throw error instanceof RecordProblem ? new UsageError(error.message) : error;
  }
  if (options.json) console.log(JSON.stringify(report, undefined, 2));
  else printReport(report);
  return report.differences.length === 0 ? exitCodes.complete : exitCodes.failed;
}

function printReport(report: ReplayReport): void {
  const { run, compared, differences, leftOut, recorded, versions } = report;
  for (const line of versions) console.log(`not the same version: ${line}`);
  if (recorded.length > 0) {
    console.log(`${recorded.join(", ")}: recorded replies are used, no model is asked`);
  }
  if (leftOut.length > 0) {
    console.log(
      `${leftOut.join(", ")}: left out, since they write into folders, or follow on that`,
    );
  }
  for (const line of differenceLines(differences)) console.log(line);
  const result = differences.length === 0
    ? "identical"
    : `${counted(differences.length, "difference")}`;
  console.log(`replay of ${run}: ${result}; ${counted(compared, "result")} compared`);
}

/** Differences of a node for one reason as a line, with some of their items. */
function differenceLines(differences: readonly Difference[]): string[] {
  const groups = Map.groupBy(differences, ({ node, why }) => `${node}\0${why}`);
  return [...groups.values()].flatMap((group) => {
    const { node, why } = group[0]!;
    const shown = group.slice(0, shownItems).map(({ item, what }) =>
      `    ${item === undefined ? "" : `${printable(item)}: `}${printable(what)}`
    );
    const more = group.length - shown.length;
    return [
      `${node}: ${counted(group.length, "difference")}: ${printable(why)}`,
      ...shown,
      ...more > 0 ? [`    … and ${more} more`] : [],
    ];
  });
}
