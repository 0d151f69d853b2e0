import { type Diagnostic, suggestion } from "./diagnostic.ts";
import type { JsonSchema } from "./json_schema.ts";
import { readList } from "./list_setting.ts";
import { describeValue, type Located, plainValue } from "./located.ts";
import { placeProblem } from "./place_text.ts";
import { sourceOf, writtenWhere } from "./reader.ts";
import type { Recipe } from "./recipe.ts";
import {
  isNumeric,
  isOfType,
  type ParamDeclaration,
  rangeWords,
  typeOf,
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
export interface ResolvedParam extends ParamValue {
  /** What was said of the value where it is used; another use that says the same is passed over. */
  readonly told: Set<string>;
}

interface ParamValue {
  readonly declaration: ParamDeclaration;
  /** Undefined where no value was given, or the one given is wrong (and reported). */
  readonly value?: unknown;
  readonly isGiven: boolean;
  /** The default, the setting, or the parameter's name. */
  readonly span: Span;
  /** The value as it was written, where it is the default or a list. */
  readonly located?: Located;
}

/** Takes each parameter's setting or else its default, and checks it by its declaration. */
export function resolveParams(
  recipe: Recipe,
  settings: Settings,
): { readonly params: ReadonlyMap<string, ResolvedParam>; readonly diagnostics: Diagnostic[] } {
  const resolver = new Resolver(recipe, settings);
  const params = new Map(
    [...recipe.params].map(([name, declaration]) => [
      name,
      { ...resolver.resolve(declaration), told: new Set<string>() },
    ]),
  );
  if (recipe.hasAllParams) resolver.reportUnknown();
  return { params, diagnostics: resolver.diagnostics };
}

class Resolver {
  readonly diagnostics: Diagnostic[] = [];

  constructor(readonly recipe: Recipe, readonly settings: Settings) {}

  resolve(declaration: ParamDeclaration): ParamValue {
    const { name, isBroken } = declaration;
    if (isBroken) return { declaration, isGiven: true, span: declaration.nameSpan };
    return Object.hasOwn(this.settings, name)
      ? this.#setting(declaration, this.settings[name])
      : this.#default(declaration);
  }

  #setting(declaration: ParamDeclaration, given: unknown): ParamValue {
    const { name, nameSpan } = declaration;
    const span = settingSpan(name, given);
    const isList = declaration.type === "list" &&
      (typeof given === "string" || Array.isArray(given));
    const located = isList ? readList(span) : undefined;
    const value = typeof given !== "string"
      ? given
      : located === undefined
      ? readText(given, declaration)
      : plainValue(located);
    const problem = problemWith(value, declaration, located);
    if (problem === undefined) return { declaration, value, isGiven: true, span, located };
    this.diagnostics.push({
      code: "bad-setting",
      severity: "error",
      message: `The setting of parameter "${name}" ${problem.words}`,
      span: problem.at?.span ?? span,
      related: [{ message: `"${name}" is declared here`, span: nameSpan }],
      help: isList && located === undefined && typeof given === "string"
        ? `Write ${name}=a,b or ${name}='["a", "b"]'`
        : valueHelp(problem.value, String(given), [problem.schema]),
    });
    return { declaration, isGiven: true, span };
  }

  #default(declaration: ParamDeclaration): ParamValue {
    const { name, default: located, nameSpan } = declaration;
    if (located === undefined) return { declaration, isGiven: false, span: nameSpan };
    const { span } = located;
    const value = plainValue(located);
    const problem = this.#reference(value, name) ?? unlikelyPlace(located, declaration) ??
      problemWith(value, declaration, located);
    if (problem === undefined) return { declaration, value, isGiven: true, span, located };
    const { words, at = located } = problem;
    const source = at.type === "scalar" ? sourceOf(at) : "";
    const related = writtenWhere(at.writtenAt);
    this.diagnostics.push({
      code: "bad-default",
      severity: "error",
      message: `The default of parameter "${name}" ${words}`,
      span: at.span,
      related: related.length > 0 ? related : undefined,
      help: problem.help ?? typeHelp(problem.value, source, declaration) ??
        valueHelp(problem.value, source, [problem.schema]),
    });
    return { declaration, isGiven: true, span };
  }

  #reference(value: unknown, name: string): Problem | undefined {
    if (typeof value !== "string") return undefined;
    const other = /^\$\{?(\w+)\}?$/.exec(value)?.[1];
    if (other === undefined || other === name || !this.recipe.params.has(other)) return undefined;
    const words = `is ${value}: a default cannot name another parameter (a plain value is wanted)`;
    return { value, words, schema: {} };
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
  return text;
}

/** What is wrong with a value, or with an element of it. */
interface Problem {
  readonly words: string;
  readonly value: unknown;
  readonly schema: JsonSchema;
  /** The element as it was written. */
  readonly at?: Located;
  readonly help?: string;
}

function unlikelyPlace(located: Located, declaration: ParamDeclaration): Problem | undefined {
  const { type } = declaration;
  const problem = type === "folder" || type === "file" ? placeProblem(located) : undefined;
  return problem && { ...problem, value: plainValue(located), schema: schemaOf(declaration) };
}

function problemWith(
  value: unknown,
  declaration: ParamDeclaration,
  located: Located | undefined,
): Problem | undefined {
  const { type, choices } = declaration;
  const schema = schemaOf(declaration);
  const range = rangeWords(declaration);
  const found = `is ${describeValue(value)}`;
  const wanted = [type === undefined ? "" : typeWords[type], range].filter(Boolean).join(", ");
  if (type === "list" && !Array.isArray(value)) {
    return { value, schema, words: `${found} (a list is wanted)` };
  }
  const refused = refusedChoice(value, choices);
  if (refused !== undefined) {
    const list = choices!.map((choice) => JSON.stringify(choice)).join(", ");
    const verb = Array.isArray(value) ? "holds" : "is";
    return {
      value: refused.value,
      schema: Array.isArray(value) ? { enum: choices } : schema,
      words: `${verb} ${describeValue(refused.value)} (one of ${list} is wanted)`,
      at: located?.type === "list" ? located.elements[refused.index] : undefined,
    };
  }
  if (type !== undefined && !isOfType(value, type)) {
    return { value, schema, words: `${found} (${wanted} is wanted)` };
  }
  return typeof value === "number" && isOutOfRange(value, declaration)
    ? { value, schema, words: `${found} (${range} is wanted)` }
    : undefined;
}

/** The choices of a list are those of its elements. */
function refusedChoice(value: unknown, choices: readonly unknown[] | undefined) {
  const chosen: readonly unknown[] = Array.isArray(value) ? value : [value];
  const index = choices === undefined ? -1 : chosen.findIndex((each) => !choices.includes(each));
  return index < 0 ? undefined : { index, value: chosen[index] };
}

function isOutOfRange(value: number, { minimum, maximum }: ParamDeclaration): boolean {
  return (minimum !== undefined && value < minimum) || (maximum !== undefined && value > maximum);
}

/** A number as the default of a text: which of the two is wrong cannot be known. */
function typeHelp(value: unknown, source: string, { type }: ParamDeclaration): string | undefined {
  if (type !== "string" || typeof value === "string" || value === null) return undefined;
  return typeof value === "object"
    ? undefined
    : `Write type: ${typeOf(value)}, or put it in quotes: "${source}"`;
}

/** A declaration as the schema of its values. */
function schemaOf({ type, choices, minimum, maximum, unit }: ParamDeclaration): JsonSchema {
  const isText = type === "folder" || type === "file";
  const jsonType = isText ? "string" : type === "list" ? "array" : type;
  return { type: jsonType, enum: choices, minimum, maximum, unit };
}
