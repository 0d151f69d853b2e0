import { type Diagnostic, nearest, suggestion } from "./diagnostic.ts";
import { describeValue, plainValue } from "./located.ts";
import type { ParamDeclaration, ParamType, Recipe } from "./recipe.ts";
import { SourceFile, type Span } from "./source.ts";

/**
 * Values for a recipe's parameters from outside. Text (from a command line) is read by the
 * parameter's type: "85" is a number for `type: integer`.
 */
export type Settings = Readonly<Record<string, unknown>>;

/** A parameter with the value that holds, and where that value was written. */
export interface ResolvedParam {
  readonly declaration: ParamDeclaration;
  /** Undefined where no value was given, or the one given is wrong (and reported). */
  readonly value?: unknown;
  readonly isGiven: boolean;
  /** The default, the setting, or the parameter's name. */
  readonly span: Span;
}

/** Takes each parameter's setting or else its default, and checks it by its declaration. */
export function resolveParams(
  recipe: Recipe,
  settings: Settings,
): { readonly params: ReadonlyMap<string, ResolvedParam>; readonly diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const params = new Map<string, ResolvedParam>();
  for (const declaration of recipe.params.values()) {
    diagnostics.push(...declarationProblems(declaration));
    params.set(declaration.name, resolve(declaration, settings, diagnostics));
  }
  for (const name of Object.keys(settings)) {
    if (!recipe.params.has(name)) diagnostics.push(unknownSetting(recipe, name, settings[name]));
  }
  return { params, diagnostics };
}

function resolve(
  declaration: ParamDeclaration,
  settings: Settings,
  diagnostics: Diagnostic[],
): ResolvedParam {
  const { name } = declaration;
  if (Object.hasOwn(settings, name)) {
    const span = settingSpan(name, settings[name]);
    const value = typeof settings[name] === "string"
      ? readText(settings[name], declaration.type)
      : settings[name];
    const problem = problemWith(value, declaration);
    if (problem === undefined) return { declaration, value, isGiven: true, span };
    diagnostics.push(badValue(declaration, problem, span, value, true));
    return { declaration, isGiven: true, span };
  }
  if (declaration.default === undefined) {
    return { declaration, isGiven: false, span: declaration.nameSpan };
  }
  const value = plainValue(declaration.default);
  const { span } = declaration.default;
  const problem = problemWith(value, declaration);
  if (problem === undefined) return { declaration, value, isGiven: true, span };
  diagnostics.push(badValue(declaration, problem, span, value, false));
  return { declaration, isGiven: true, span };
}

/** A setting as a text that diagnostics can point into. */
function settingSpan(name: string, value: unknown): Span {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  const file = new SourceFile("--set", `${name}=${text}`);
  const start = name.length + 1;
  return { file, start, end: Math.max(start + 1, file.text.length) };
}

function readText(text: string, type: ParamType): unknown {
  if (type === "integer" || type === "number") {
    return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text.trim()) ? Number(text) : text;
  }
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  if (type === "list") return text === "" ? [] : text.split(",").map((part) => part.trim());
  return text;
}

function problemWith(value: unknown, declaration: ParamDeclaration): string | undefined {
  const { type, minimum, maximum, choices } = declaration;
  const found = describeValue(value);
  if (!isOfType(value, type)) return `is ${found} (${typeWords[type]} is wanted)`;
  if (typeof value === "number") {
    const isLow = minimum !== undefined && value < minimum;
    const isHigh = maximum !== undefined && value > maximum;
    if (isLow || isHigh) return `is ${found} (${rangeWords(minimum, maximum)} is wanted)`;
  }
  if (choices !== undefined && !choices.includes(value)) {
    const list = choices.map((choice) => JSON.stringify(choice)).join(", ");
    return `is ${found} (one of ${list} is wanted)`;
  }
  return undefined;
}

const typeWords: Readonly<Record<ParamType, string>> = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  folder: "the path of a folder",
  file: "the path of a file",
  choice: "one of its choices",
  list: "a list",
};

function isOfType(value: unknown, type: ParamType): boolean {
  switch (type) {
    case "integer":
      return Number.isSafeInteger(value);
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    case "boolean":
      return typeof value === "boolean";
    case "list":
      return Array.isArray(value);
    case "choice":
      return value !== null && typeof value !== "object";
    default:
      return typeof value === "string" && (type === "string" || value !== "");
  }
}

function rangeWords(minimum?: number, maximum?: number): string {
  if (minimum === undefined) return `at most ${maximum}`;
  return maximum === undefined ? `at least ${minimum}` : `${minimum} to ${maximum}`;
}

function badValue(
  declaration: ParamDeclaration,
  problem: string,
  span: Span,
  value: unknown,
  isSetting: boolean,
): Diagnostic {
  const { name } = declaration;
  const related = isSetting
    ? [{ message: `"${name}" is declared here`, span: declaration.nameSpan }]
    : undefined;
  const near = typeof value === "string" && declaration.choices !== undefined
    ? nearest(value, declaration.choices.map(String))
    : undefined;
  return {
    code: isSetting ? "bad-setting" : "bad-default",
    severity: "error",
    message: isSetting
      ? `The setting of parameter "${name}" ${problem}`
      : `The default of parameter "${name}" ${problem}`,
    span,
    related,
    help: near === undefined ? undefined : `Did you mean "${near}"?`,
  };
}

function declarationProblems(declaration: ParamDeclaration): Diagnostic[] {
  const { minimum, maximum, nameSpan, name } = declaration;
  if (minimum === undefined || maximum === undefined || minimum <= maximum) return [];
  return [{
    code: "bad-range",
    severity: "error",
    message:
      `The range of parameter "${name}" is empty: minimum ${minimum} is over maximum ${maximum}`,
    span: nameSpan,
  }];
}

function unknownSetting(recipe: Recipe, name: string, value: unknown): Diagnostic {
  const { file, start } = settingSpan(name, value);
  return {
    code: "unknown-setting",
    severity: "error",
    message: `Recipe "${recipe.name}" has no parameter "${name}"`,
    span: { file, start: 0, end: start - 1 },
    help: suggestion(name, [...recipe.params.keys()], "Parameters"),
  };
}
