import { dirname, resolve } from "node:path";
import { isUserStep } from "../runtime/check.ts";
import { fromFileUrl } from "../runtime/file_url.ts";
import type { GraphNode } from "../runtime/graph.ts";
import { localDisk } from "../runtime/local_disk.ts";
import { OwnWrites } from "../runtime/own_writes.ts";
import { parseRecipe } from "../runtime/recipe.ts";
import { releaseAll, type RunReport, type Session } from "../runtime/session.ts";
import { SourceFile } from "../runtime/source.ts";
import { stepModules } from "../runtime/user_steps.ts";
import { placeParams } from "../runtime/values.ts";
import { ChangeWatch, WatchProblem, type WatchTargets } from "../runtime/watch.ts";
import { modelFolder, ownRegistryPath } from "../services/model_files.ts";
import { colours } from "./colours.ts";
import { callerFolder, recipePath } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { pasteableIn } from "./program.ts";
import { changeWords, clock, RerunPrinter } from "./rerun_printer.ts";
import { RunPrinter } from "./run_printer.ts";
import {
  asUsage,
  onStopSignal,
  printJson,
  type RunOptions,
  type RunRequest,
  runRequest,
} from "./run_request.ts";
import { UsageError } from "./usage_error.ts";

/** Models that nobody used for so long are let go until the next change. */
const idleMs = 60_000;

/**
 * `tintype run --watch`: runs a recipe, stays, and runs it again whenever something that it reads
 * changes. Ends with Ctrl-C: at once and with exit code 0 between runs; in a run as any other run does.
 */
export async function watch(
  session: Session,
  recipe: string,
  options: RunOptions,
): Promise<number> {
  const path = resolve(callerFolder(), recipePath(recipe));
  using stop = new Stop();
  const watched = new WatchedRecipe(session, { recipe, path, options, stop });
  try {
    return await watched.run();
  } catch (error) {
    throw error instanceof WatchProblem ? new UsageError(error.message) : asUsage(error);
  } finally {
    watched.close();
    await releaseAll(session.options.services ?? new Map());
  }
}

/** Fires at the first Ctrl-C or SIGTERM; the second ends the process at once. */
class Stop implements Disposable {
  readonly #controller = new AbortController();
  readonly #listening: Disposable;
  /** Hears of the first while a run is at work. */
  onStop: () => void = () => {};

  constructor() {
    this.#listening = onStopSignal(() => {
      if (this.signal.aborted) Deno.exit(exitCodes.interrupted);
      this.onStop();
      this.#controller.abort();
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }
}

interface Watched {
  /** As it was given, and absolute. */
  readonly recipe: string;
  readonly path: string;
  readonly options: RunOptions;
  readonly stop: Stop;
}

class WatchedRecipe {
  readonly #changes: ChangeWatch;
  readonly #own: OwnWrites;
  readonly #reruns: RerunPrinter;
  readonly #registry: string;
  #request: RunRequest | undefined;
  /** The files of the user's steps. */
  #modules: readonly string[] = [];
  /** When the recipe was read, and the search for what its steps import once that may take its time. */
  #checkedMs = 0;
  #search: Promise<readonly string[]> | "due" | undefined;
  /** From now on a mistake is something to wait for. */
  #isStaying = false;
  #hasRun = false;

  constructor(readonly session: Session, readonly watched: Watched) {
    const { cwd, workspace } = session.options;
    this.#reruns = new RerunPrinter(pasteableIn(workspace));
    this.#registry = ownRegistryPath(modelFolder(Deno.env, cwd));
    this.#changes = new ChangeWatch({
      disk: localDisk,
      ignored: [workspace],
      isOwn: (path) => this.#own.isOwn(path),
    });
    this.#own = new OwnWrites(localDisk, (path) => this.#changes.covers(path));
  }

  close(): void {
    this.#changes[Symbol.dispose]();
  }

  /** Gives the exit code. */
  async run(): Promise<number> {
    const { stop } = this.watched;
    let changed: readonly string[] = [];
    for (;;) {
      await this.#arm(); // first, so that nothing that happens from here on is missed
      if (this.#needsCheck(changed)) await this.#check(changed);
      const report = stop.signal.aborted ? undefined : await this.#rerun(changed);
      if (report?.status === "interrupted") return exitCodes.interrupted;
      if (stop.signal.aborted) return exitCodes.complete;
      changed = await this.#nextChange();
      if (stop.signal.aborted) return exitCodes.complete;
    }
  }

  /** Compiled once, and again when the recipe or a step of the user's changed. */
  #needsCheck(changed: readonly string[]): boolean {
    if (this.#request === undefined) return true;
    const { path } = this.watched;
    const files = new Set([path, realPath(path), ...this.#modules]);
    return changed.some((each) =>
      files.has(each) || [...files].some((file) => isAbove(each, file))
    );
  }

  async #check(changed: readonly string[]): Promise<void> {
    const { recipe, path, options } = this.watched;
    this.#checkedMs = Date.now();
    this.#search = "due";
    this.#request = undefined;
    try {
      this.#request = await runRequest(this.session, recipe, options);
    } catch (error) {
      this.#sayExpected(error);
    }
    // What they import takes longer to find than a run has time to wait.
    this.#modules = [...new Set([...this.#modules, ...namedModules(path)])];
    await this.#arm();
    this.#isStaying = true;
    if (this.#request !== undefined) return;
    const why = changed.length > 0 ? ` (${changeWords(changed)})` : "";
    this.#say(`${clock(new Date())} not run${why}`);
  }

  /**
   * Looks for what the steps import while nothing else is to do, and watches that too. Gives what changed
   * in the meantime, or was saved before it was watched.
   */
  async #searchModules(signal: AbortSignal): Promise<readonly string[]> {
    if (this.#search === undefined) return [];
    if (this.#search === "due") this.#search = modulesOf(this.watched.path);
    const found = new AbortController();
    const change = this.#changes.next(AbortSignal.any([signal, found.signal]));
    const modules = await Promise.race([this.#search, change.then(() => undefined)]);
    found.abort();
    const changed = await change;
    if (modules === undefined || changed.length > 0) return changed;
    this.#search = undefined;
    const news = modules.filter((each) => !this.#modules.includes(each));
    this.#modules = modules;
    await this.#arm();
    const nowMs = Date.now();
    return news.filter((each) => {
      const { mtimeMs } = localDisk.stat(each) ?? { mtimeMs: 0 };
      return this.#checkedMs < mtimeMs && mtimeMs <= nowMs;
    });
  }

  async #arm() {
    const { path } = this.watched;
    const nodes = this.#request?.graph.nodes ?? [];
    await this.#changes.arm(
      {
        folders: placesRead(nodes, "folder"),
        files: [path, this.#registry, ...this.#modules, ...placesRead(nodes, "file")],
        withHidden: nodes.some(({ params }) => params["hidden"] === true),
      } satisfies WatchTargets,
    );
  }

  async #rerun(changed: readonly string[]): Promise<RunReport | undefined> {
    if (this.#request === undefined) return undefined;
    if (changed.includes(this.#registry)) await this.#release();
    try {
      return !this.#hasRun
        ? await this.#firstRun(this.#request)
        : await this.#again(this.#request, changed);
    } catch (error) {
      if (!this.#hasRun) throw error;
      this.#sayExpected(asUsage(error));
      return undefined;
    }
  }

  /** Shown as any other run. */
  async #firstRun(request: RunRequest): Promise<RunReport> {
    const { workspace } = this.session.options;
    const printer = this.watched.options.json
      ? undefined
      : await RunPrinter.create(request.graph, { workspace });
    try {
      const report = await this.#run(request, (event) => {
        this.#reruns.listener(event);
        printer === undefined ? printJson(event) : printer.listener(event);
      }, () => printer?.close());
      printer?.finish(report);
      this.#reruns.begin();
      if (report.status !== "interrupted") this.#say("Watching for changes (Ctrl-C ends it)");
      return report;
    } finally {
      printer?.close();
    }
  }

  async #again(
    { graph, settings }: RunRequest,
    changed: readonly string[],
  ): Promise<RunReport> {
    const { json } = this.watched.options;
    const started = performance.now();
    // What was forced has been done.
    const request = { graph, settings: { ...settings, force: [] } };
    const report = await this.#run(request, json ? printJson : this.#reruns.listener);
    const elapsedMs = performance.now() - started;
    if (!json) this.#reruns.finish(changed, { ...report, elapsedMs, at: new Date() });
    return report;
  }

  async #run(
    { graph, settings }: RunRequest,
    listener: RunRequest["settings"]["listener"],
    clear: () => void = () => {},
  ): Promise<RunReport> {
    const { stop } = this.watched;
    stop.onStop = () => {
      clear();
      this.#say(colours().warning("Finishing what is in flight; Ctrl-C again stops at once"));
    };
    try {
      const report = await this.session.run(graph, {
        ...settings,
        listener,
        signal: stop.signal,
        disk: this.#own.disk,
        keepsServices: true,
      });
      this.#hasRun = true;
      return report;
    } finally {
      stop.onStop = () => {};
    }
  }

  async #nextChange(): Promise<readonly string[]> {
    const { signal } = this.watched.stop;
    const timer = setTimeout(() => void this.#release(), idleMs);
    try {
      const early = await this.#searchModules(signal);
      return early.length > 0 || signal.aborted ? early : await this.#changes.next(signal);
    } finally {
      clearTimeout(timer);
    }
  }

  async #release() {
    await releaseAll(this.session.options.services ?? new Map());
  }

  /** What a person can see to is said, and waited for. */
  #sayExpected(error: unknown) {
    const isExpected = error instanceof UsageError || (error instanceof Error && "code" in error);
    if (!isExpected || !this.#isStaying) throw error;
    this.#say(`error: ${error.message}`);
  }

  /** Standard output is for what programs read. */
  #say(line: string) {
    console.error(line);
  }
}

/** The folders or files that nodes read; what is only written to is none of them. */
function placesRead(nodes: readonly GraphNode[], wanted: "folder" | "file"): readonly string[] {
  return nodes.filter(({ step }) => step.world !== "writes").flatMap(({ step, params }) =>
    [...placeParams(step)].flatMap(([name, place]) => {
      const path = params[name];
      return place === wanted && typeof path === "string" ? [path] : [];
    })
  );
}

/** The step files that a recipe names. */
function namedModules(path: string): readonly string[] {
  return stepUses(path)?.uses.map((use) =>
    use.startsWith("file://") ? fromFileUrl(use) : resolve(dirname(path), use)
  ) ?? [];
}

/** With all that they import, where they can be read; the check says so where they cannot. */
async function modulesOf(path: string): Promise<readonly string[]> {
  const found = stepUses(path);
  if (found === undefined || found.uses.length === 0) return [];
  const modules = await stepModules(found.recipe, path).catch(() => []);
  return [...new Set([...namedModules(path), ...modules])];
}

function stepUses(path: string) {
  if (localDisk.stat(path)?.isFile !== true) return undefined;
  const { recipe } = parseRecipe(new SourceFile(path, Deno.readTextFileSync(path)));
  return recipe &&
    { recipe, uses: recipe.nodes.flatMap(({ use }) => use?.text ?? []).filter(isUserStep) };
}

function realPath(path: string): string {
  return localDisk.stat(path) === undefined ? path : localDisk.realPath(path);
}

function isAbove(folder: string, path: string): boolean {
  return path.startsWith(`${folder}/`);
}
