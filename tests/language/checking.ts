import { dirname, join } from "node:path";
import { type Diagnostic, inReadingOrder } from "../../src/runtime/diagnostic.ts";
import { type CheckedRecipe, Session } from "../../src/runtime/session.ts";
import { testCatalog } from "./steps.ts";

export interface Checking {
  readonly recipe: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Files beside the recipe; a folder of its own is made for them. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Checks a recipe's text as \`recipe.yaml\`, with the shipped steps and those of the tests. */
export async function checked(
  { recipe, settings, files }: Checking,
): Promise<CheckedRecipe & { readonly diagnostics: readonly Diagnostic[] }> {
  const cwd = files === undefined ? "/nowhere" : temporaryFolder(files);
  try {
    const session = new Session({ catalog: testCatalog, cwd, workspace: join(cwd, ".tintype") });
    const result = await session.check({ path: "recipe.yaml", text: recipe }, { settings });
    return { ...result, diagnostics: inReadingOrder(result.diagnostics) };
  } finally {
    if (files !== undefined) Deno.removeSync(cwd, { recursive: true });
  }
}

function temporaryFolder(files: Readonly<Record<string, string>>): string {
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "tintype-recipe-" }));
  for (const [path, content] of Object.entries(files)) {
    Deno.mkdirSync(dirname(join(folder, path)), { recursive: true });
    Deno.writeTextFileSync(join(folder, path), content);
  }
  return folder;
}
