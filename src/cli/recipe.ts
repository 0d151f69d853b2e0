import { type Diagnostic, formatDiagnostic, inReadingOrder } from "../runtime/diagnostic.ts";
import type { Graph } from "../runtime/graph.ts";
import type { Session } from "../runtime/session.ts";
import type { Settings } from "../runtime/settings.ts";
import { colours } from "./colours.ts";
import { recipePath } from "./context.ts";
import { systemWords } from "../runtime/system_words.ts";
import { UsageError } from "./usage_error.ts";

export interface RecipeOptions {
  readonly set?: Settings;
}

/** Checks a recipe and prints what is wrong to standard error; the graph where nothing is. */
export async function loadRecipe(
  session: Session,
  recipe: string,
  options: RecipeOptions & { readonly needsValues?: boolean },
): Promise<Graph | undefined> {
  const { graph, diagnostics } = await checkedRecipe(session, recipe, options);
  printDiagnostics(diagnostics);
  return graph;
}

/** The same without printing. */
export async function checkedRecipe(
  session: Session,
  recipe: string,
  options: RecipeOptions & { readonly needsValues?: boolean },
) {
  const path = recipePath(recipe);
  try {
    const { set: settings, needsValues } = options;
    return await session.checkFile(path, { settings, needsValues });
  } catch (error) {
    if (error instanceof Error && "code" in error) {
      throw new UsageError(`Cannot read recipe "${recipe}": ${systemWords(error)}`);
    }
    throw error;
  }
}

export function printDiagnostics(diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of inReadingOrder(diagnostics)) {
    console.error(formatDiagnostic(diagnostic, colours()));
  }
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error").length;
  if (errors > 0) console.error(`\n${errors} ${errors === 1 ? "error" : "errors"}`);
}
