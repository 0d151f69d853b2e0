import type { Command } from "commander";
import type { PlannedGroup } from "../runtime/plan.ts";
import type { Shard } from "../runtime/shard.ts";
import { sessionOf } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { loadRecipe, type RecipeOptions } from "./recipe.ts";
import { asUsage } from "./run_request.ts";
import { stepFileLines } from "./step_files.ts";
import { alignedRows } from "./text.ts";

interface PlanOptions extends RecipeOptions {
  readonly until?: string;
  readonly force?: readonly string[];
  readonly limit?: number;
  readonly shard?: Shard;
  readonly json?: boolean;
}

/** `tintype plan`: what a run would do and why, grouped. Writes nothing. */
export async function plan(
  recipe: string,
  options: PlanOptions,
  command: Command,
): Promise<number> {
  const session = sessionOf(command);
  const graph = await loadRecipe(session, recipe, { ...options, needsValues: true });
  if (graph === undefined) return exitCodes.usage;
  try {
    const groups = await session.plan(graph, options);
    if (options.json) console.log(JSON.stringify(groups, undefined, 2));
    else {
      for (const line of stepFileLines(graph)) console.error(line);
      printPlan(groups);
    }
  } catch (error) {
    throw asUsage(error);
  }
  return exitCodes.complete;
}

const verdictWords: Readonly<Record<PlannedGroup["verdict"], string>> = {
  run: "run",
  perhaps: "run, unless what they need comes out the same",
  cached: "cached",
  rejected: "left out",
  skip: "skip",
};

function printPlan(groups: readonly PlannedGroup[]) {
  const rows = groups.map(({ node, verdict, count, why, examples, forecast }) => {
    const shown = verdict === "run" && count <= 3 ? ` (${examples.join(", ")})` : "";
    const reason = why === "" ? "" : `: ${why}`;
    return [
      count.toLocaleString("en"),
      "×",
      node,
      `${verdictWords[verdict]}${reason}${examples.length > 0 ? shown : ""}${
        forecast === undefined ? "" : ` — ${forecast}`
      }`,
    ];
  });
  for (const line of alignedRows(rows, ["right"])) console.log(line);
  const total = (verdict: PlannedGroup["verdict"]) =>
    groups.filter((group) => group.verdict === verdict)
      .reduce((sum, group) => sum + group.count, 0).toLocaleString("en");
  console.log(`\n${total("run")} to run, ${total("perhaps")} perhaps, ${total("cached")} cached`);
}
