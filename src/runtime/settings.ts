import { type Diagnostic, suggestion } from "./diagnostic.ts";
import { describeValue, type Located, plainValue } from "./located.ts";
import { sourceOf, writtenWhere } from "./reader.ts";
import type { Recipe } from "./recipe.ts";
import {
  isNumeric,
  isOfType,
  type ParamDeclaration,
  rangeWords,
  typeWords,
} from "./recipe_params.ts";
import { SourceFile, type Span } from "./source.ts";
import { valueHelp } from "./value_help.ts";

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
  /** The default as it was written, where that is the value. */
  readonly located?: Located;
}

/** Takes each parameter's setting or else its default, and checks it by its declaration. */
export function resolveParams(
  recipe: Recipe,
  settings: Settings,
): { readonly params: ReadonlyMap<string, ResolvedParam>; readonly diagnostics: Diagnostic[] } {
  const resolver = new Resolver(recipe, settings);
  const params = new Map(
    [...recipe.params].map(([name, declaration]) => [name, resolver.resolve(declaration)]),
  );
  if (recipe.hasAllParams) resolver.reportUnknown();
  return { params, diagnostics: resolver.diagnostics };
}

class Resolver {
  readonly diagnostics: Diagnostic[] = [];

  constructor(readonly recipe: Recipe, readonly settings: Settings) {}

  resolve(declaration: ParamDeclaration): ResolvedParam {
    const { name, isBroken } = declaration;
    if (isBroken) return { declaration, isGiven: true, span: declaration.nameSpan };
    return Object.hasOwn(this.settings, name)
      ? this.#setting(declaration, this.settings[name])
      : this.#default(declaration);
  }

  #setting(declaration: ParamDeclaration, given: unknown): ResolvedParam {
    const { name, nameSpan } = declaration;
    const span = settingSpan(name, given);
    const value = typeof given === "string" ? readText(given, declaration) : given;
    const problem = problemWith(value, declaration);
    if (problem === undefined) return { declaration, value, isGiven: true, span };
    this.diagnostics.push({
      code: "bad-setting",
      severity: "error",
      message: `The setting of parameter "${name}" ${problem}`,
      span,
      related: [{ message: `"${name}" is declared here`, span: nameSpan }],
      help: helpFor(value, String(given), declaration),
    });
    return { declaration, isGiven: true, span };
  }

  #default(declaration: ParamDeclaration): ResolvedParam {
    const { name, default: located, nameSpan } = declaration;
    if (located === undefined) return { declaration, isGiven: false, span: nameSpan };
    const { span } = located;
    const value = plainValue(located);
    const problem = this.#reference(value, name) ?? problemWith(value, declaration);
    if (problem === undefined) return { declaration, value, isGiven: true, span, located };
    const source = located.type === "scalar" ? sourceOf(located) : "";
    const related = writtenWhere(located.writtenAt);
    this.diagnostics.push({
      code: "bad-default",
      severity: "error",
      message: `The default of parameter "${name}" ${problem}`,
      span,
      related: related.length > 0 ? related : undefined,
      help: helpFor(value, source, declaration),
    });
    return { declaration, isGiven: true, span };
  }

  #reference(value: unknown, name: string): string | undefined {
    if (typeof value !== "string") return undefined;
    const other = /^\$\{?(\w+)\}?$/.exec(value)?.[1];
    return other !== undefined && other !== name && this.recipe.params.has(other)
      ? `is ${value}: a default cannot name another parameter (a plain value is wanted)`
      : undefined;
  }

  reportUnknown() {
    const { recipe, settings } = this;
    for (const name of Object.keys(settings)) {
      if (recipe.params.has(name)) continue;
      const { file, start } = settingSpan(name, settings[name]);
      this.diagnostics.push({
        code: "unknown-setting",
        severity: "error",
        message: `Recipe "${recipe.name}" has no parameter "${name}"`,
        span: { file, start: 0, end: start - 1 },
        help: suggestion(name, [...recipe.params.keys()], "Parameters"),
      });
    }
  }
}

/** A setting as a text that diagnostics can point into. */
function settingSpan(name: string, value: unknown): Span {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  const file = new SourceFile("--set", `${name}=${text}`);
  const start = name.length + 1;
  return { file, start, end: Math.max(start + 1, file.text.length) };
}

function readText(text: string, { type, choices }: ParamDeclaration): unknown {
  if (type === "choice") return choices?.find((choice) => String(choice) === text) ?? text;
  if (type !== undefined && isNumeric(type)) {
    return /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(text) ? Number(text) : text;
  }
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  if (type === "list") return text === "" ? [] : text.split(",").map((part) => part.trim());
  return text;
}

function problemWith(value: unknown, declaration: ParamDeclaration): string | undefined {
  const { type, choices } = declaration;
  const found = describeValue(value);
  // The choices of a list are those of its elements.
  const chosen = Array.isArray(value) ? value : [value];
  if (choices !== undefined && !chosen.every((each) => choices.includes(each))) {
    const list = choices.map((choice) => JSON.stringify(choice)).join(", ");
    return `is ${found} (one of ${list} is wanted)`;
  }
  const range = rangeWords(declaration);
  const words = [type === undefined ? "" : typeWords[type], range].filter(Boolean).join(", ");
  if (type !== undefined && !isOfType(value, type)) return `is ${found} (${words} is wanted)`;
  return typeof value === "number" && isOutOfRange(value, declaration)
    ? `is ${found} (${range} is wanted)`
    : undefined;
}

function isOutOfRange(value: number, { minimum, maximum }: ParamDeclaration): boolean {
  return (minimum !== undefined && value < minimum) || (maximum !== undefined && value > maximum);
}

function helpFor(
  value: unknown,
  source: string,
  { type, choices }: ParamDeclaration,
): string | undefined {
  const jsonType = type === "list"
    ? "array"
    : type === "folder" || type === "file"
    ? "string"
    : type ?? "";
  return valueHelp(value, source, { types: [jsonType], choices });
}
