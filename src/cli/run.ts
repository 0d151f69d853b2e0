import type { Command } from "commander";
import type { RunListener } from "../runtime/event.ts";
import { type RunReport, type RunSettings, UnknownNode } from "../runtime/session.ts";
import { colours } from "./colours.ts";
import { sessionOf, UsageError } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { likeLock, readLockFile, settingsOfLock } from "./lock.ts";
import { loadRecipe, type RecipeOptions } from "./recipe.ts";
import { RunPrinter } from "./run_printer.ts";
import { waitNotice } from "./wait_notice.ts";

interface RunOptions extends RecipeOptions {
  readonly jobs?: number;
  readonly pool?: Readonly<Record<string, number>>;
  readonly until?: string;
  readonly force?: readonly string[];
  readonly limit?: number;
  /** Short for `--set overwrite=true`. */
  readonly overwrite?: boolean;
  /** The lock.json of the run that this one is to be like. */
  readonly lock?: string;
  readonly json?: boolean;
}

/** `tintype run`: runs a recipe, showing progress; the exit code says how it ended. */
export async function run(recipe: string, options: RunOptions, command: Command): Promise<number> {
  const session = sessionOf(command);
  const lock = options.lock === undefined ? undefined : readLockFile(options.lock);
  const given = { ...settingsOfLock(lock), ...options.set };
  const set = options.overwrite ? { ...given, overwrite: "true" } : given;
  const checked = await loadRecipe(session, recipe, { ...options, set, needsValues: true });
  if (checked === undefined) return exitCodes.usage;
  const { graph, ...locked } = await likeLock(session, checked, lock);
  const printer = options.json ? undefined : new RunPrinter(graph);
  const stop = stopSignal(() => {
    printer?.close();
    console.error(colours().warning("Finishing what is in flight; Ctrl-C again stops at once"));
  });
  const settings: RunSettings = {
    ...locked,
    ...options,
    pools: options.pool,
    signal: stop.signal,
    listener: printer?.listener ?? printJson,
    onWait: waitNotice,
  };
  try {
    const report = await session.run(graph, settings);
    printer?.finish(report);
    return codeOf(report);
  } catch (error) {
    printer?.close();
    if (!(error instanceof UnknownNode)) throw error;
    throw new UsageError(error.message);
  } finally {
    stop.dispose();
  }
}

const printJson: RunListener = (event) => console.log(JSON.stringify(event));

function codeOf({ status }: RunReport): number {
  return exitCodes[status];
}

/** Fires at the first Ctrl-C or SIGTERM; the second ends the process at once. */
function stopSignal(onStop: () => void): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) Deno.exit(exitCodes.interrupted);
    onStop();
    controller.abort();
  };
  Deno.addSignalListener("SIGINT", onSignal);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    dispose() {
      Deno.removeSignalListener("SIGINT", onSignal);
      if (Deno.build.os !== "windows") Deno.removeSignalListener("SIGTERM", onSignal);
    },
  };
}
