import { stripVTControlCharacters } from "node:util";
import { basename, dirname, join, relative, resolve } from "node:path";
import { isUserStep, type UserStep } from "./check.ts";
import { nearest, type Related } from "./diagnostic.ts";
import { fromFileUrl, toFileUrl } from "./file_url.ts";
import { localDisk } from "./local_disk.ts";
import { moduleGraph, type ModuleGraphMemory } from "./module_graph.ts";
import type { Recipe } from "./recipe.ts";
import { SourceFile } from "./source.ts";
import { type AnyStep, isStep } from "./step.ts";

const projectFolder = fromFileUrl(new URL("../../", import.meta.url));
const ownFolders = [`${projectFolder}src/`, `${projectFolder}models/`];
const ownModels = `${projectFolder}models/`;

/**
 * Loads the step files that a recipe uses, by the text of `use`, which is relative to the recipe's
 * file. What is wrong with a file is a value: the check reports it where the recipe names it.
 */
export async function loadUserSteps(
  recipe: Recipe,
  options: { readonly recipePath: string; readonly memory: ModuleGraphMemory },
): Promise<ReadonlyMap<string, UserStep>> {
  const uses = new Set(
    recipe.nodes.flatMap((node) => node.use !== undefined ? [node.use.text] : []).filter(
      isUserStep,
    ),
  );
  const loaded = new Map<string, UserStep>();
  const folder = dirname(options.recipePath);
  const shown = dirname(recipe.file.path);
  for (const use of uses) {
    loaded.set(use, await new StepFile(use, folder, shown).load(options.memory));
  }
  return loaded;
}

/** The files of the user's that a recipe's steps are made of, absolute. */
export async function stepModules(recipe: Recipe, recipePath: string): Promise<readonly string[]> {
  const memory: ModuleGraphMemory = { moduleGraph: () => undefined, putModuleGraph: () => {} };
  const config = `${projectFolder}deno.json`;
  const modules = new Set<string>();
  for (const { use } of recipe.nodes) {
    if (use === undefined || !isUserStep(use.text)) continue;
    const path = resolve(dirname(recipePath), use.text);
    const { files } = await moduleGraph(path, { memory, ownFolders, config });
    for (const each of files) {
      if (!each.path.startsWith(ownModels)) modules.add(each.path);
    }
  }
  return [...modules];
}

class StepFile {
  readonly #path: string;

  constructor(
    readonly use: string,
    /** Where the recipe is, absolute. */
    readonly folder: string,
    /** The same as messages show it. */
    readonly shownFolder: string,
  ) {
    this.#path = use.startsWith("file://") ? fromFileUrl(use) : resolve(folder, use);
  }

  async load(memory: ModuleGraphMemory): Promise<UserStep> {
    const problem = this.#placeProblem();
    if (problem !== undefined) return problem;
    try {
      const module = await import(toFileUrl(this.#path).href) as Record<string, unknown>;
      const found = stepIn(module);
      if (typeof found === "string") return { problem: found, help: exportHelp };
      const config = `${projectFolder}deno.json`;
      const { fingerprint } = await moduleGraph(this.#path, { memory, ownFolders, config });
      return { step: found, fingerprint };
    } catch (error) {
      return { problem: this.#reason(error), related: this.#place(error) };
    }
  }

  /** What is wrong before anything is loaded. */
  #placeProblem(): UserStep | undefined {
    if (/^[a-z]+:\/\//i.test(this.use) && !this.use.startsWith("file://")) {
      return { problem: "it is on the web", help: "Save it beside the recipe: use: ./step.ts" };
    }
    const stat = localDisk.stat(this.#path);
    if (stat === undefined) return { problem: "there is no such file", help: this.#nearHelp() };
    if (!stat.isFile) return { problem: "it is a folder (a .ts file is wanted)" };
    return /\.[cm]?[tj]sx?$/.test(this.use)
      ? undefined
      : { problem: "it is no TypeScript (a .ts file is wanted)" };
  }

  #nearHelp(): string {
    const folder = dirname(this.#path);
    const isFolder = localDisk.stat(folder)?.isFolder ?? false;
    const names = isFolder ? localDisk.list(folder).map(({ name }) => name) : [];
    const near = nearest(
      basename(this.#path),
      names.filter((name) => /\.[cm]?[tj]sx?$/.test(name)),
    );
    if (near === undefined) return "The path is relative to the recipe's file";
    return `Did you mean "${this.use.slice(0, this.use.lastIndexOf("/") + 1)}${near}"?`;
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
    const isLoaders = /^(Module not found|Import |npm package|Cannot define step)/.test(line);
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

const exportHelp = "Write: export default defineStep({ name: …, … })";

function stepIn(module: Record<string, unknown>): AnyStep | string {
  if (isStep(module["default"])) return module["default"];
  const steps = Object.values(module).filter(isStep);
  if (steps.length === 1) return steps[0]!;
  return steps.length === 0
    ? "it exports no step"
    : `it exports ${steps.length} steps (one is wanted, or one as default)`;
}
