import type { Command } from "commander";
import type { Collection, WorkspaceStats } from "../runtime/collection.ts";
import { collectGarbage, statsOf } from "../runtime/upkeep.ts";
import { bytesText } from "../report/format.ts";
import { knownSessionOf } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { pasteableIn } from "./program.ts";
import { alignedRows, counted } from "./text.ts";
import { waitNotice } from "./wait_notice.ts";

/** `tintype cache stats`: what the workspace holds, by step and by run. */
export function stats(options: { readonly json?: boolean }, command: Command): number {
  const session = knownSessionOf(command);
  const found = statsOf(session);
  if (options.json) console.log(JSON.stringify(found, undefined, 2));
  else for (const line of statsLines(found, session.options.workspace)) console.log(line);
  return exitCodes.complete;
}

function* statsLines(found: WorkspaceStats, workspace: string): Iterable<string> {
  const { results, artifacts, storeBytes, cacheBytes, runsBytes, quarantineBytes } = found;
  yield `${workspace}: ${counted(results, "result")}, ${counted(artifacts, "artifact")}`;
  const places = [
    ["store", storeBytes],
    ["cache.sqlite", cacheBytes],
    ["runs", runsBytes],
    ...quarantineBytes > 0 ? [["quarantine", quarantineBytes] as const] : [],
  ] as const;
  yield* alignedRows(
    places.map(([name, bytes]) => [`  ${name}`, bytesText(bytes)]),
    ["left", "right"],
  );
  if (found.steps.length > 0) {
    yield "";
    const rows = found.steps.map(({ step, results: count, artifacts: made, bytes }) => [
      step,
      count.toLocaleString("en"),
      made.toLocaleString("en"),
      bytesText(bytes),
    ]);
    const head = ["step", "results", "artifacts", "size"];
    yield* alignedRows([head, ...rows], ["left", "right", "right", "right"]);
  }
  if (found.runs.length > 0) {
    yield "";
    const rows = found.runs.map(({ run, recipe, tasks, ownBytes }) => [
      run,
      recipe,
      tasks.toLocaleString("en"),
      bytesText(ownBytes),
    ]);
    const head = ["run", "recipe", "tasks", "only it needs"];
    yield* alignedRows([head, ...rows], ["left", "left", "right", "right"]);
  }
  yield "";
  yield pasteableIn(workspace)(
    `No run needs ${bytesText(found.freeableBytes)} (tintype cache gc --apply removes that)`,
  );
}

interface GcOptions {
  readonly olderThan?: number;
  readonly maxSize?: number;
  readonly keepRuns?: number;
  readonly apply?: boolean;
  readonly json?: boolean;
}

/** `tintype cache gc`: removes what no kept run needs; without `--apply` it only says what it would. */
export async function gc(options: GcOptions, command: Command): Promise<number> {
  const { olderThan, maxSize, keepRuns, apply, json } = options;
  const rules = { olderThanMs: olderThan, maxBytes: maxSize, keepRuns };
  const found = await collectGarbage(knownSessionOf(command), rules, { apply, onWait: waitNotice });
  if (json) console.log(JSON.stringify(found, undefined, 2));
  else for (const line of gcLines(found)) console.log(line);
  return exitCodes.complete;
}

function* gcLines(found: Collection): Iterable<string> {
  const { isApplied, kept, dropped, tasks, artifacts, leftovers, freedBytes, bytesAfter } = found;
  const verb = isApplied ? "Removed" : "Would remove";
  for (const { run, recipe, bytes } of dropped) {
    yield `${verb} run ${run} (${recipe}), which alone needs ${bytesText(bytes)}`;
  }
  const parts = [
    counted(tasks, "result"),
    counted(artifacts, "artifact"),
    ...leftovers > 0 ? [counted(leftovers, "leftover")] : [],
  ];
  yield `${verb} ${parts.join(", ")}: ${bytesText(freedBytes)} of ${bytesText(found.bytesBefore)}`;
  yield `${counted(kept.length, "run")} ${kept.length === 1 ? "stays" : "stay"}` +
    `, ${bytesText(bytesAfter)}`;
  if (found.tooLargeBytes !== undefined) {
    yield `That is more than was asked for: the newest run of each recipe stays ` +
      "(--keep-runs 0 lets these go too)";
  }
  if (!isApplied) yield "Nothing was changed (--apply does it)";
}
