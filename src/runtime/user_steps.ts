import { dirname, resolve } from "node:path";
import { isUserStep, type UserStep } from "./check.ts";
import { fromFileUrl, toFileUrl } from "./file_url.ts";
import { localDisk } from "./local_disk.ts";
import { moduleGraph, type ModuleGraphMemory } from "./module_graph.ts";
import type { Recipe } from "./recipe.ts";
import { type AnyStep, isStep } from "./step.ts";

const projectFolder = fromFileUrl(new URL("../../", import.meta.url));

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
  for (const use of uses) {
    const path = resolve(dirname(options.recipePath), use);
    loaded.set(use, await load(path, options.memory));
  }
  return loaded;
}

async function load(path: string, memory: ModuleGraphMemory): Promise<UserStep> {
  const stat = localDisk.stat(path);
  if (stat === undefined) {
    return { problem: "there is no such file", help: "The path is relative to the recipe's file" };
  }
  if (!stat.isFile) return { problem: "it is a folder (a .ts file is wanted)" };
  try {
    const { fingerprint } = await moduleGraph(path, {
      memory,
      ownFolder: `${projectFolder}src/`,
      config: `${projectFolder}deno.json`,
    });
    const module = await import(toFileUrl(path).href) as Record<string, unknown>;
    const found = stepIn(module);
    if (typeof found === "string") return { problem: found, help: exportHelp };
    return { step: found, fingerprint };
  } catch (error) {
    return { problem: oneLine(error) };
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

function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n")[0]!.trim();
}
