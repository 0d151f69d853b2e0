import { stripVTControlCharacters } from "node:util";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import type { Kind } from "./artifact.ts";
import type { Catalog } from "./catalog.ts";
import { type CheckOptions, checkRecipe, isUserStep, type UserStep } from "./check.ts";
import { nearest, type Related } from "./diagnostic.ts";
import { fromFileUrl, toFileUrl } from "./file_url.ts";
import { checkedLoaded } from "./foreign_declaration.ts";
import { ForeignStep } from "./foreign_step.ts";
import { inputPorts, outputPorts } from "./graph.ts";
import { localDisk } from "./local_disk.ts";
import {
  ForeignData,
  isUnchangedGraph,
  type ModuleGraph,
  moduleGraph,
  type ModuleGraphMemory,
} from "./module_graph.ts";
import { processOptions } from "./process_options.ts";
import type { Recipe } from "./recipe.ts";
import { SourceFile } from "./source.ts";
import type { Loaded } from "./step_messages.ts";
import type { StepWorker } from "./step_worker.ts";
import { lookAt } from "./step_workers.ts";

const projectFolder = fromFileUrl(new URL("../../", import.meta.url));
const ownFolders = [`${projectFolder}src/`, `${projectFolder}models/`];
const ownModels = `${projectFolder}models/`;

interface UserStepOptions {
  readonly memory: ModuleGraphMemory;
  /** Kinds that this process knows, by name. */
  readonly kinds: ReadonlyMap<string, Kind>;
}

/**
 * Checks a recipe with the step files that it uses, which are relative to the recipe's file and loaded
 * in workers without any permission. What a step's own schema says of parameters comes from its worker, so
 * the check is made again when that is known.
 */
export async function checkWithStepFiles(
  recipe: Recipe,
  options: Omit<CheckOptions, "userSteps"> & {
    readonly recipePath: string;
    readonly memory: ModuleGraphMemory;
  },
): Promise<ReturnType<typeof checkRecipe>> {
  const uses = new Set(recipe.nodes.flatMap(({ use }) => use?.text ?? []));
  const files = [...uses].filter(isUserStep);
  const kinds = kindsOf([...uses], options.catalog);
  const folders = { folder: dirname(options.recipePath), shown: dirname(recipe.file.path) };
  const loaded = new Map(
    await Promise.all(
      files.map(async (use) =>
        [use, await new StepFile(use, folders).load({ ...options, kinds })] as const
      ),
    ),
  );
  const userSteps = new Map(Array.from(loaded, ([use, { step }]) => [use, step]));
  const asked = [...loaded.values()].flatMap((each) => each.asked ?? []);
  try {
    for (;;) {
      const checked = checkRecipe(recipe, { ...options, userSteps });
      const news = await Promise.all(
        asked.map(({ foreign, worker }) => foreign.askAboutParams(worker)),
      );
      if (!news.includes(true)) return checked;
    }
  } finally {
    for (const { worker } of asked) worker.end("The check has ended");
  }
}

/** Loads one step file for a look at it; its path begins at `folder`. */
export async function loadStepFile(path: string, folder: string): Promise<UserStep> {
  const memory: ModuleGraphMemory = { moduleGraph: () => undefined, putModuleGraph: () => {} };
  const file = new StepFile(path, { folder, shown: "" });
  const { step, asked } = await file.load({ memory, kinds: new Map() });
  asked?.worker.end("It is not needed");
  return step;
}

/** The kinds of the steps of the catalogue that a recipe uses: what a step file is wired to. */
function kindsOf(uses: readonly string[], catalog: Catalog): ReadonlyMap<string, Kind> {
  const steps = uses.filter((use) => !isUserStep(use)).flatMap((use) => catalog.get(use) ?? []);
  const ports = steps.flatMap((step) => [...inputPorts(step), ...outputPorts(step)]);
  return new Map(ports.map(([, { kind }]) => [kind.name, kind]));
}

interface LoadedStep {
  readonly step: UserStep;
  /** Says what the step's schema thinks of parameters, as long as the check goes on. */
  readonly asked?: { readonly foreign: ForeignStep; readonly worker: StepWorker };
}

/** The files of the user's that a recipe's steps are made of, absolute. */
export async function stepModules(recipe: Recipe, recipePath: string): Promise<readonly string[]> {
  const memory: ModuleGraphMemory = { moduleGraph: () => undefined, putModuleGraph: () => {} };
  const config = `${projectFolder}deno.json`;
  const modules = new Set<string>();
  for (const { use } of recipe.nodes) {
    if (use === undefined || !isUserStep(use.text)) continue;
    const path = resolve(dirname(recipePath), use.text);
    const dataFolders = [dirname(path), dirname(recipePath)];
    const { files } = await moduleGraph(path, { memory, ownFolders, config, dataFolders });
    for (const each of files) {
      if (!each.path.startsWith(ownModels)) modules.add(each.path);
    }
  }
  return [...modules];
}

class StepFile {
  readonly #path: string;
  #isWhole = false;

  /** Where the recipe is, absolute. */
  readonly folder: string;
  /** The same as messages show it. */
  readonly shownFolder: string;

  constructor(
    readonly use: string,
    { folder, shown }: { readonly folder: string; readonly shown: string },
  ) {
    [this.folder, this.shownFolder] = [folder, shown];
    this.#path = use.startsWith("file://") ? fromFileUrl(use) : resolve(folder, use);
  }

  async load(options: UserStepOptions): Promise<LoadedStep> {
    const problem = this.#placeProblem();
    if (problem !== undefined) return { step: problem };
    try {
      const graph = await this.#graph(options.memory);
      const { worker, loaded } = await this.#loaded(graph);
      if (loaded.type === "declared") {
        return this.#declared(loaded, { ...options, worker, graph });
      }
      worker.end("It is not needed");
      return { step: this.#fault(loaded) };
    } catch (error) {
      if (error instanceof ForeignData) return { step: { problem: error.message } };
      return { step: { problem: this.#reason(error), related: this.#place(error) } };
    }
  }

  #fault(loaded: Exclude<Loaded, { readonly type: "declared" }>): UserStep {
    if (loaded.type === "no-step") return { problem: loaded.problem, help: exportHelp };
    const { name, message, stack } = loaded;
    const error = Object.assign(
      name === "SyntaxError" ? new SyntaxError(message) : new Error(message),
      {
        stack,
      },
    );
    return { problem: this.#reason(error), related: this.#place(error) };
  }

  #declared(
    { declaration }: Extract<Loaded, { readonly type: "declared" }>,
    { worker, graph, kinds }: UserStepOptions & {
      readonly worker: StepWorker;
      readonly graph: ModuleGraph;
    },
  ): LoadedStep {
    const { use, folder } = this;
    const options = { ...this.#workerOptions(graph), path: this.#path, use, folder, kinds, graph };
    try {
      const foreign = new ForeignStep(declaration, { ...options, isWhole: this.#isWhole });
      const { step } = foreign;
      return { step: { step, fingerprint: graph.fingerprint }, asked: { foreign, worker } };
    } catch (error) {
      worker.end("It is not needed");
      throw error;
    }
  }

  /** Names that steps are not defined with need all of Tintype, which takes longer to load. */
  async #loaded(
    graph: ModuleGraph,
  ): Promise<{ readonly worker: StepWorker; readonly loaded: Loaded }> {
    const found = await this.#loadedOnce(graph);
    const message = found.loaded.type === "broken" ? found.loaded.message : "";
    if (!message.includes("module 'tintype' does not provide")) return found;
    found.worker.end("It is not needed");
    this.#isWhole = true;
    return await this.#loadedOnce(graph);
  }

  async #loadedOnce(graph: ModuleGraph) {
    const module = { url: toFileUrl(this.#path).href, isWhole: this.#isWhole };
    const granted = { path: this.#path, folder: this.folder, permissions: {} };
    const { worker, loaded } = await lookAt(module, processOptions(graph, granted));
    try {
      return { worker, loaded: checkedLoaded(loaded) };
    } catch (error) {
      worker.end("It is not needed");
      throw error;
    }
  }

  #workerOptions(graph: ModuleGraph) {
    return {
      url: toFileUrl(this.#path).href,
      assertUnchanged: () => {
        if (isUnchangedGraph(graph)) return;
        throw new Error(`"${this.use}" was changed while the run was under way; run again`);
      },
    };
  }

  async #graph(memory: ModuleGraphMemory): Promise<ModuleGraph> {
    const config = `${projectFolder}deno.json`;
    const dataFolders = [dirname(this.#path), this.folder];
    return await moduleGraph(this.#path, { memory, ownFolders, config, dataFolders });
  }

  /** What is wrong before anything is loaded. */
  #placeProblem(): UserStep | undefined {
    if (/^[a-z]+:\/\//i.test(this.use) && !this.use.startsWith("file://")) {
      return { problem: "it is on the web", help: "Save it beside the recipe: use: ./step.ts" };
    }
    const stat = localDisk.stat(this.#path);
    if (stat === undefined) return { problem: "there is no such file", help: this.#nearHelp() };
    if (!stat.isFile) return { problem: "it is a folder (a .ts file is wanted)" };
    return isCode(this.use) ? undefined : { problem: "it is no TypeScript (a .ts file is wanted)" };
  }

  #nearHelp(): string {
    const meant = this.#meantPath();
    return meant === undefined
      ? "The path is relative to the recipe's file"
      : `Did you mean "${meant}"?`;
  }

  /** The path of a file that is there: another ending, other letter case, or nearly the same name. */
  #meantPath(): string | undefined {
    const parts = this.use.split("/");
    const start = isAbsolute(this.use) ? "/" : this.folder;
    for (const [at, part] of parts.entries()) {
      const folder = join(start, ...parts.slice(0, at));
      const isLast = at === parts.length - 1;
      if (localDisk.stat(folder)?.isFolder !== true) return undefined;
      const names = localDisk.list(folder)
        .filter(({ name, isFile }) => isFile === isLast && (!isLast || isCode(name)))
        .map(({ name }) => name);
      if (names.includes(part) || ["", ".", ".."].includes(part)) continue;
      const alike = names.find((name) => name.toLowerCase() === part.toLowerCase()) ??
        (isLast ? names.find((name) => stem(name) === stem(part)) : undefined) ??
        nearest(part, names);
      if (alike === undefined) return undefined;
      parts[at] = alike;
    }
    return parts.join("/");
  }

  /** What an error says, in a line, with paths as the recipe would write them. */
  #reason(error: unknown): string {
    // Deno colours what it says, also where nobody reads it on a terminal.
    const message = stripVTControlCharacters(
      error instanceof Error ? error.message : String(error),
    );
    const line = message.split("\n")[0]!.replace(/ at file:\S+$/, "").trim().replace(/\.$/, "")
      .replace(/file:\/\/[^\s"']+/g, (url) => this.#shown(fromFileUrl(url)));
    if (/^SyntaxError: /.test(line)) return `it does not parse: ${line.slice(13)}`;
    if (error instanceof SyntaxError) return line;
    const isLoaders =
      /^(Module not found|Import |npm package|Cannot define step|Cannot give |what it declares|The step's worker ended)/
        .test(line);
    return isLoaders ? line : `it throws when it is loaded: ${line}`;
  }

  /** Where in the user's code an error came up. */
  #place(error: unknown): readonly Related[] {
    if (!(error instanceof Error)) return [];
    const places = stripVTControlCharacters(`${error.message}\n${error.stack ?? ""}`).matchAll(
      /(file:\/\/[^\s()]+):(\d+):(\d+)/g,
    );
    for (const [, url, line, column] of places) {
      const path = fromFileUrl(url!);
      if (!path.startsWith(this.folder) || localDisk.stat(path)?.isFile !== true) continue;
      const file = new SourceFile(this.#shown(path), Deno.readTextFileSync(path));
      const start = Math.min(file.offset(Number(line), Number(column)), file.text.length);
      return [{ message: "It goes wrong here", span: { file, start, end: start + 1 } }];
    }
    return [];
  }

  #shown(path: string): string {
    return join(this.shownFolder, relative(this.folder, path));
  }
}

function isCode(name: string): boolean {
  return /\.[cm]?[tj]sx?$/.test(name);
}

function stem(name: string): string {
  return name.replace(/\.\w+$/, "");
}

const exportHelp = "Write: export default defineStep({ name: …, … })";
