import type { Command } from "commander";
import { endedText } from "../runtime/end_words.ts";
import { sessionOf } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { alignedRows, duration } from "./text.ts";

/** `tintype runs`: the runs of the workspace, oldest first. */
export function runs(
  options: { readonly json?: boolean },
  command: Command,
): number {
  const session = sessionOf(command);
  const summaries = session.runs();
  if (options.json) {
    console.log(JSON.stringify(summaries, undefined, 2));
  } else if (summaries.length === 0) {
    console.log(`No runs in "${session.options.workspace}" yet`);
  } else {
    const head = [
      "run",
      "recipe",
      "status",
      "left out",
      "failed",
      "tasks ran",
      "cached",
      "skipped",
      "time",
    ];
    const rows = summaries.map(({ run, recipe, shard, status, counts, items, elapsedMs }) => [
      run,
      shard === undefined ? recipe : `${recipe} (shard ${shard})`,
      status,
      ...(["rejected", "failed"] as const).map((outcome) =>
        counts === undefined || counts[outcome] + (items?.[outcome] ?? 0) === 0
          ? ""
          : endedText(items?.[outcome], counts[outcome])
      ),
      ...[counts?.ran, counts?.cached, counts?.skipped]
        .map((count) => count?.toLocaleString("en") ?? ""),
      elapsedMs === undefined ? "" : duration(elapsedMs),
    ]);
    const right = ["left", "left", "left", "right", "right", "right", "right", "right", "right"];
    for (const line of alignedRows([head, ...rows], right as ("left" | "right")[])) {
      console.log(line);
    }
  }
  return exitCodes.complete;
}
