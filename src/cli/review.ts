import type { Command } from "commander";
import { join } from "node:path";
import { defaultTriggerWarning } from "../captions/compose.ts";
import { DecisionLog } from "../decisions/log_file.ts";
import { localDisk } from "../runtime/local_disk.ts";
import type { Session } from "../runtime/session.ts";
import { pageFiles } from "../web/bundle.ts";
import { pictureCount } from "../web/picture_count.ts";
import { ReviewPlace } from "../web/place.ts";
import { NotReviewable } from "../web/review_graph.ts";
import { type ReviewServer, serveReview } from "../web/server.ts";
import { SessionDataset } from "../web/session_dataset.ts";
import { sessionOf } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { loadRecipe, type RecipeOptions } from "./recipe.ts";
import { allowStepFiles, type StepFileOptions } from "./step_files.ts";
import { pasteableIn } from "./program.ts";
import { printable } from "./text.ts";
import { UsageError } from "./usage_error.ts";

interface ReviewOptions extends RecipeOptions, StepFileOptions {
  /** Undefined: where it was served last, or any that is free. */
  readonly port?: number;
  /** False for `--no-open`. */
  readonly open?: boolean;
}

/**
 * `tintype review`: serves a recipe's captions on this machine, opens the browser, and runs the recipe
 * beside it. Ends with Ctrl-C; what was typed is on the disk by then.
 */
export async function review(
  recipe: string,
  options: ReviewOptions,
  command: Command,
): Promise<number> {
  const session = sessionOf(command);
  const graph = await loadRecipe(session, recipe, { set: options.set, needsValues: true });
  if (graph === undefined) return exitCodes.usage;
  await allowStepFiles(session, graph, options);
  const stop = new AbortController();
  const dataset = datasetOf(session, graph, stop.signal);
  const { source } = dataset.about();
  const problem = folderProblem(source);
  if (problem !== undefined) {
    dataset.close();
    throw new UsageError(problem);
  }
  const { workspace } = session.options;
  const place = ReviewPlace.of(workspace, dataset.about().decisionsFile);
  if (!await place.take()) {
    dataset.close();
    const url = `http://127.0.0.1:${place.port}/`;
    console.log(`This dataset is under review already: ${url}`);
    if (options.open !== false) openBrowser(url);
    return exitCodes.complete;
  }
  const server = serve(dataset, { workspace, wanted: options.port, last: place.port });
  place.port = server.port;
  console.log(`Review captions at ${server.url} (Ctrl-C ends it; everything typed is saved)`);
  console.log(`Your decisions go to ${dataset.about().decisionsFile}`);
  const unchosen = defaultTriggerWarning(dataset.about().trigger);
  if (unchosen !== undefined) console.log(`Warning: ${unchosen}`);
  if (options.open !== false) openBrowser(server.url);
  const ended = stopped(stop);
  void dataset.start().then(() => {
    if (stop.signal.aborted) return;
    for (const line of readyLines(dataset)) console.log(printable(line));
  });
  await ended;
  await server.close();
  await dataset.settled();
  dataset.close();
  place.release();
  return exitCodes.complete;
}

/** Why there cannot be photos at a path. An empty folder is no problem: they may come while it is served. */
function folderProblem(path: string): string | undefined {
  const found = localDisk.stat(path);
  if (found?.isFolder) return undefined;
  return `Cannot review folder "${path}": ` +
    (found === undefined ? "it is not there" : "it is a file");
}

/** What the first look at the folder, and captioning it, came to. */
function readyLines(dataset: SessionDataset): string[] {
  const pictures = dataset.pictures();
  const { problems, failures } = dataset.progress();
  const troubles = [
    ...problems,
    ...failures.flatMap(({ headline, advice }) => [headline, ...advice.map((way) => `  → ${way}`)]),
  ];
  if (pictures.length === 0 && troubles.length === 0) {
    const { source } = dataset.about();
    return [`No pictures in "${source}": put some there, then press "Look again" on the page`];
  }
  const bare = pictures.filter(({ state }) => state === "failed" || state === "waiting").length;
  const without = bare === 0 ? "" : `, ${bare} of them without a caption`;
  return [`${pictureCount(pictures)} ready${without}`, ...troubles];
}

function datasetOf(
  session: Session,
  graph: ConstructorParameters<typeof SessionDataset>[0]["graph"],
  signal: AbortSignal,
) {
  try {
    const now = () => new Date();
    return new SessionDataset({
      session,
      graph,
      openLog: DecisionLog.open,
      now,
      signal,
      pasteable: pasteableIn(session.options.workspace),
    });
  } catch (error) {
    if (error instanceof NotReviewable) throw new UsageError(error.message);
    throw error;
  }
}

function serve(
  dataset: SessionDataset,
  { workspace, wanted, last }: {
    readonly workspace: string;
    readonly wanted?: number;
    readonly last: number;
  },
): ReviewServer {
  const page = () => pageFiles({ folder: join(workspace, "review"), disk: localDisk });
  try {
    return serveReview({ dataset, page, port: wanted ?? last });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    if (wanted === undefined) return serveReview({ dataset, page, port: 0 });
    throw new UsageError(
      `Cannot serve at port ${wanted}: another program has it (leave --port out for a free one)`,
    );
  }
}

/** Resolves at the first Ctrl-C or SIGTERM, which stops the run too; the second ends at once. */
function stopped(stop: AbortController): Promise<void> {
  return new Promise((resolve) => {
    const onSignal = () => {
      if (stop.signal.aborted) Deno.exit(exitCodes.interrupted);
      stop.abort();
      resolve();
    };
    Deno.addSignalListener("SIGINT", onSignal);
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", onSignal);
  });
}

const openers: Readonly<Partial<Record<typeof Deno.build.os, readonly string[]>>> = {
  darwin: ["open"],
  windows: ["cmd", "/c", "start", ""],
  linux: ["xdg-open"],
};

/** Where there is no browser to open (a server, a container), the printed address has to do. */
function openBrowser(url: string): void {
  const [program, ...args] = openers[Deno.build.os] ?? ["xdg-open"];
  try {
    const command = new Deno.Command(program!, {
      args: [...args, url],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    const child = command.spawn();
    child.unref();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.error("No browser was found to open; open the address yourself");
  }
}
