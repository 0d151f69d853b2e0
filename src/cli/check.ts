import type { Command } from "commander";
import { inReadingOrder } from "../runtime/diagnostic.ts";
import { sessionOf } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { stepFileLines } from "./step_files.ts";
import { checkedRecipe, printDiagnostics, type RecipeOptions } from "./recipe.ts";
import { counted } from "./text.ts";

/** `tintype check`: everything that is wrong with a recipe, at once. */
export async function check(
  recipe: string,
  options: RecipeOptions & { readonly json?: boolean },
  command: Command,
): Promise<number> {
  const { diagnostics, graph } = await checkedRecipe(sessionOf(command), recipe, options);
  const hasError = diagnostics.some((diagnostic) => diagnostic.severity === "error");
  if (options.json) {
    const rows = inReadingOrder(diagnostics).map(({ span, related, ...rest }) => ({
      ...rest,
      path: span.file.path,
      ...span.file.position(span.start),
      related: related?.map((each) => ({
        message: each.message,
        path: each.span.file.path,
        ...each.span.file.position(each.span.start),
      })),
    }));
    console.log(JSON.stringify(rows, undefined, 2));
  } else {
    printDiagnostics(diagnostics);
    if (graph !== undefined) { for (const line of stepFileLines(graph)) console.log(line); }
    if (!hasError) console.log(`${recipe}: ${wellWords(diagnostics.length)}`);
  }
  return hasError ? exitCodes.usage : exitCodes.complete;
}

function wellWords(warnings: number): string {
  return warnings === 0 ? "nothing wrong" : `no error, ${counted(warnings, "warning")}`;
}
