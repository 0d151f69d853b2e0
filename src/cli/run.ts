import type { Command } from "commander";
import type { RunReport, Session } from "../runtime/session.ts";
import { loadModule } from "../runtime/load_module.ts";
import { colours } from "./colours.ts";
import { sessionOf } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { RunPrinter } from "./run_printer.ts";
import { asUsage, onStopSignal, printJson, type RunOptions, runRequest } from "./run_request.ts";

/** `tintype run`: runs a recipe, showing progress; the exit code says how it ended. */
export async function run(recipe: string, options: RunOptions, command: Command): Promise<number> {
  const session = sessionOf(command);
  if (options.watch) return await watching(session, recipe, options);
  const request = await runRequest(session, recipe, options);
  if (request === undefined) return exitCodes.usage;
  const { graph, settings } = request;
  const { workspace } = session.options;
  const printer = options.json
    ? undefined
    : await RunPrinter.create(graph, { workspace, force: options.force });
  using stop = stopSignal(() => {
    printer?.close();
    console.error(colours().warning("Finishing what is in flight; Ctrl-C again stops at once"));
  });
  try {
    const report = await session.run(graph, {
      ...settings,
      signal: stop.signal,
      listener: printer?.listener ?? printJson,
    });
    printer?.finish(report);
    return codeOf(report);
  } catch (error) {
    printer?.close();
    throw asUsage(error);
  }
}

async function watching(session: Session, recipe: string, options: RunOptions): Promise<number> {
  const { watch } = await loadModule<typeof import("./watch.ts")>("./watch.ts", import.meta.url);
  return await watch(session, recipe, options);
}

function codeOf({ status }: RunReport): number {
  return exitCodes[status];
}

/** Fires at the first Ctrl-C or SIGTERM; the second ends the process at once. */
function stopSignal(onStop: () => void): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const listening = onStopSignal(() => {
    if (controller.signal.aborted) Deno.exit(exitCodes.interrupted);
    onStop();
    controller.abort();
  });
  return Object.assign(listening, { signal: controller.signal });
}
