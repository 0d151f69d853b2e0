import type { RunListener } from "../runtime/event.ts";
import { StepProblem } from "../runtime/bound_steps.ts";
import type { Graph } from "../runtime/graph.ts";
import { type RunSettings, type Session, ShardProblem, UnknownNode } from "../runtime/session.ts";
import type { Shard } from "../runtime/shard.ts";
import { suggestion } from "../runtime/suggestion.ts";
import { likeLock, readLockFile, settingsOfLock } from "./lock.ts";
import { loadRecipe, type RecipeOptions } from "./recipe.ts";
import { allowStepFiles, type StepFileOptions } from "./step_files.ts";
import { UsageError } from "./usage_error.ts";
import { waitNotice } from "./wait_notice.ts";

/** What `tintype run` is told besides the recipe. */
export interface RunOptions extends RecipeOptions, StepFileOptions {
  readonly jobs?: number;
  readonly pool?: Readonly<Record<string, number>>;
  readonly until?: string;
  readonly force?: readonly string[];
  readonly limit?: number;
  readonly shard?: Shard;
  /** Stays, and runs again whenever something that the recipe reads changes. */
  readonly watch?: boolean;
  /** Short for `--set overwrite=true`. */
  readonly overwrite?: boolean;
  /** The lock.json of the run that this one is to be like. */
  readonly lock?: string;
}

/** A recipe that checks, and how it is to be run. */
export interface RunRequest {
  readonly graph: Graph;
  readonly settings: RunSettings;
}

/** Reads a recipe with all that was given to it; prints what is wrong, and gives nothing then. */
export async function runRequest(
  session: Session,
  recipe: string,
  options: RunOptions,
): Promise<RunRequest | undefined> {
  const lock = options.lock === undefined ? undefined : readLockFile(options.lock);
  const given = { ...settingsOfLock(lock), ...options.set };
  const set = options.overwrite ? { ...given, overwrite: "true" } : given;
  const checked = await loadRecipe(session, recipe, { ...options, set, needsValues: true });
  if (checked === undefined) return undefined;
  await allowStepFiles(session, checked, options);
  const { graph, ...locked } = await likeLock(session, checked, lock);
  for (const line of unusedPools(graph, options.pool)) console.error(line);
  return { graph, settings: { ...locked, ...options, pools: options.pool, onWait: waitNotice } };
}

/** A line for each pool that no step of the recipe runs in. */
function unusedPools(graph: Graph, given: RunOptions["pool"] = {}): string[] {
  const pools = [...new Set(graph.nodes.map(({ step }) => step.pool ?? "cpu"))];
  return Object.keys(given).filter((name) => !pools.includes(name)).map((name) =>
    `--pool ${name} changes nothing: no step of this recipe runs in that pool ` +
    `(${suggestion(name, pools, "Pools")})`
  );
}

/** Prints events, one a line. */
export const printJson: RunListener = (event) => console.log(JSON.stringify(event));

/** Calls `onSignal` at Ctrl-C and SIGTERM until it is disposed of. */
export function onStopSignal(onSignal: () => void): Disposable {
  Deno.addSignalListener("SIGINT", onSignal);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", onSignal);
  return {
    [Symbol.dispose]() {
      Deno.removeSignalListener("SIGINT", onSignal);
      if (Deno.build.os !== "windows") Deno.removeSignalListener("SIGTERM", onSignal);
    },
  };
}

/** What is wrong with the command line where a run says so; any other error as it is. */
export function asUsage(error: unknown): unknown {
  const isUsage = [UnknownNode, ShardProblem, StepProblem].some((each) => error instanceof each);
  return isUsage ? new UsageError((error as Error).message) : error;
}
