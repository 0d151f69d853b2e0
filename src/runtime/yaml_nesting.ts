import { isMap, isScalar, type Node } from "./yaml.ts";
import { type Edit, type Fault, insertion } from "./yaml_fault.ts";
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

/** The keys of what a part holds, the one that is never missing first. */
const keysIn: Readonly<Record<string, readonly string[]>> = {
  params: ["type", "default", "minimum", "maximum", "choices", "unit", "about"],
  steps: ["use", "from", "with", "about"],
};

/** A node or a declaration whose keys stand in the column of its name, which then holds nothing. */
export function unindentedKeys(text: string, root: unknown): readonly Fault[] {
  if (!isMap(root)) return [];
  for (const [part, keys] of Object.entries(keysIn)) {
    const map = root.get(part);
    if (!isMap(map) || map.flow) continue;
    const entries = map.items.map(({ key, value }) => ({
      name: isScalar(key) ? String(key.source ?? key.value) : "",
      start: (key as Node | null)?.range?.[0] ?? 0,
      isEmpty: value === null || (isScalar(value) && value.value === null),
      isMap: isMap(value),
    }));
    for (const [index, { name, isEmpty }] of entries.entries()) {
      if (!isEmpty || keys.includes(name)) continue;
      const rest = entries.slice(index + 1);
      const after = rest.findIndex((each) => !keys.includes(each.name));
      const inside = after < 0 ? rest : rest.slice(0, after);
      if (!inside.some((each) => each.name === keys[0] && !each.isMap)) continue;
      return [outdentedKeys(text, {
        name,
        start: inside[0]!.start,
        end: after < 0 ? map.range?.[1] ?? text.length : lineAt(text, rest[after]!.start).start,
      })];
    }
  }
  return [];
}

function outdentedKeys(
  text: string,
  { name, start, end }: { readonly name: string; readonly start: number; readonly end: number },
): Fault {
  const { indent } = lineAt(text, start);
  const edits: Edit[] = [];
  for (let at = lineAt(text, start).start; at < end;) {
    const line = lineAt(text, at);
    if (line.indent >= indent && line.indent < line.text.length) edits.push(insertion(at, "  "));
    at = line.start + text.slice(line.start).search(/\n|$/) + 1;
  }
  return {
    ...misplaced(text, start, indent, indent + 2),
    help: `Let what belongs to "${name}" begin at column ${indent + 3}`,
    isShaky: false,
    mends: [edits],
  };
}
