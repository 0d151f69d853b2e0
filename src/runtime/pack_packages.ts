import { dirname, resolve } from "node:path";
import { isUserStep } from "./check.ts";
import { fromFileUrl } from "./file_url.ts";
import type { Recipe } from "./recipe.ts";

const config = fromFileUrl(new URL("../../deno.json", import.meta.url));
const lock = fromFileUrl(new URL("../../deno.lock", import.meta.url));
const ownFolder = new URL("../", import.meta.url).href;

interface InfoModule {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly npmPackage?: string;
    readonly code?: { readonly specifier?: string };
  }[];
}

/**
 * What a recipe's step files import from npm and from the web, and Tintype itself does not: a pack has it
 * not, since Deno finds such modules in its own cache alone. `is-odd@3.0.1`, or the address of a module.
 */
export async function packagesOfSteps(recipe: Recipe, recipePath: string): Promise<string[]> {
  const uses = recipe.nodes.flatMap(({ use }) => use === undefined ? [] : [use.text]);
  const known = ownPackages();
  const packages = new Set<string>();
  for (const use of uses.filter(isUserStep)) {
    for (const each of await importsOf(resolve(dirname(recipePath), use))) packages.add(each);
  }
  return [...packages].filter((each) => !known.has(each)).sort();
}

/** What is imported by the modules that are not Tintype's. */
async function importsOf(path: string): Promise<string[]> {
  const args = ["info", "--json", "--no-lock", "--config", config, path];
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args,
    stderr: "null",
    env: { NO_COLOR: "1" },
  }).output();
  // What does not load is said by the check of the recipe.
  if (!success) return [];
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    readonly modules: readonly InfoModule[];
  };
  return modules.filter(({ specifier }) => !specifier.startsWith(ownFolder)).flatMap((
    { specifier, dependencies = [] },
  ) => [
    ...dependencies.flatMap(({ npmPackage }) => npmPackage ?? []),
    ...isWeb(specifier) ? [specifier] : [],
  ]);
}

function isWeb(specifier: string): boolean {
  return /^https?:/.test(specifier);
}

/** Packages of Tintype's own lock are wherever Tintype is. */
function ownPackages(): ReadonlySet<string> {
  const { npm = {} } = JSON.parse(Deno.readTextFileSync(lock)) as {
    readonly npm?: Readonly<Record<string, unknown>>;
  };
  return new Set(Object.keys(npm));
}
