import { isMap, isScalar } from "./yaml.ts";
import type { Fault } from "./yaml_fault.ts";
import { misplaced } from "./yaml_indentation.ts";
import { lineAt } from "./yaml_tokens.ts";

/** Parts of a recipe that hold maps: one that is indented becomes an entry of the one before it. */
const parts = ["params", "steps"];

/** `steps` among the parameters, where the recipe has no steps. */
export function nestedPart(text: string, root: unknown): readonly Fault[] {
  if (!isMap(root)) return [];
  const missing = parts.filter((part) => !root.has(part));
  for (const { value: outer } of root.items) {
    if (!isMap(outer) || outer.flow) continue;
    for (const { key, value } of outer.items) {
      if (!isScalar(key) || !key.range || !missing.includes(key.source ?? "")) continue;
      if (isMap(value) && (value.flow || value.has("use") || value.has("type"))) continue;
      if (isScalar(value) && value.value !== null) continue;
      const { start, indent } = lineAt(text, key.range[0]);
      if (start + indent !== key.range[0]) continue;
      return [{ ...misplaced(text, start + indent, indent, 0), isShaky: false }];
    }
  }
  return [];
}
