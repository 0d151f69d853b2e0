import { z } from "zod";
import { alternatives, type JsonSchema } from "./json_schema.ts";

export type { JsonSchema } from "./json_schema.ts";

/** What a parameter's `.meta({ … })` may say besides its description. */
export interface ParamMeta {
  /** The unit of a number: "px", "%", "ms". */
  readonly unit?: string;
  /** A place on disk: resolved against the caller's folder, and never part of a task key. */
  readonly place?: "folder" | "file";
  /** How the work is done, not what comes of it (an address, a rate): never part of a task key. */
  readonly isSetting?: boolean;
}

/** A folder on disk. Relative paths are the caller's; the path is no part of the task key. */
export function folder(about: string) {
  return z.string().min(1).meta({ description: about, place: "folder" });
}

/** A file on disk. Relative paths are the caller's; the path is no part of the task key. */
export function file(about: string) {
  return z.string().min(1).meta({ description: about, place: "file" });
}

/** A parameter as documentation and the recipe's schema show it. */
export interface ParamFacts {
  readonly name: string;
  readonly about: string;
  /** "pixels, 16 to 16384, default 1024" */
  readonly expected: string;
  readonly isRequired: boolean;
  readonly place?: "folder" | "file";
  readonly isSetting: boolean;
  readonly schema: JsonSchema;
}

const schemas = new WeakMap<z.ZodObject, JsonSchema>();

/** The JSON schema of a step's parameters as a recipe writes them (before defaults). */
export function paramsSchema(params: z.ZodObject): JsonSchema {
  let schema = schemas.get(params);
  if (schema === undefined) {
    schema = z.toJSONSchema(params, { io: "input", unrepresentable: "any" }) as JsonSchema;
    schemas.set(params, schema);
  }
  return schema;
}

/** The parameters of a step, in the order of their definition. */
export function paramFacts(params: z.ZodObject): ParamFacts[] {
  const schema = paramsSchema(params);
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    about: property.description ?? "",
    expected: expectation(property),
    isRequired: (schema.required ?? []).includes(name),
    place: property["place"] as ParamFacts["place"],
    isSetting: property["isSetting"] === true,
    schema: property,
  }));
}

/** What a value has to be, in words: `pixels, 16 to 16384, default 1024`. */
export function expectation(schema: JsonSchema): string {
  const wanted = wantedValue(schema);
  return schema.default === undefined
    ? wanted
    : `${wanted}, default ${JSON.stringify(schema.default)}`;
}

/** The same without the default. */
export function wantedValue(...schemas: readonly JsonSchema[]): string {
  const forms = schemas.flatMap(alternatives);
  const choices = forms.flatMap((form) => form.enum ?? (isConst(form) ? [form.const] : []));
  const others = forms.filter((form) => form.enum === undefined && !isConst(form)).map(formWords);
  const listed = choices.map((value) => JSON.stringify(value)).join(", ");
  const words = choices.length === 0 ? [] : [choices.length === 1 ? listed : `one of ${listed}`];
  return [...new Set([...others, ...words])].join(" or ");
}

function isConst(schema: JsonSchema): boolean {
  return schema.const !== undefined;
}

function formWords(schema: JsonSchema): string {
  return [typeWords(schema), rangeWords(schema), lengthWords(schema)]
    .filter((part) => part !== undefined && part !== "").join(", ");
}

const unitWords: Readonly<Record<string, string>> = {
  px: "pixels",
  "%": "percent",
  ms: "milliseconds",
};

function typeWords(schema: JsonSchema): string {
  if (typeof schema["place"] === "string") return `the path of a ${schema["place"]}`;
  const unit = schema["unit"];
  if (typeof unit === "string") {
    const words = Object.hasOwn(unitWords, unit) ? unitWords[unit]! : unit;
    return schema.type === "integer" ? `whole ${words}` : words;
  }
  if (schema.type === "array") return listWords(schema);
  if (schema.type === "object" && schema.properties !== undefined) {
    return `a map with ${Object.keys(schema.properties).map((name) => `"${name}"`).join(", ")}`;
  }
  return nameOfType[schema.type ?? ""] ?? "any value";
}

function listWords({ items, prefixItems, minItems, maxItems }: JsonSchema): string {
  if (prefixItems !== undefined) {
    const parts = prefixItems.map((item) => wantedValue(item)).join(", ");
    return `a list of ${prefixItems.length}: ${parts}`;
  }
  const size = sizeWords(minItems, maxItems, "entries");
  const list = size === undefined ? "a list" : `a list of ${size}`;
  return typeof items === "object" ? `${list}, each ${wantedValue(items)}` : list;
}

const nameOfType: Readonly<Record<string, string>> = {
  integer: "a whole number",
  number: "a number",
  string: "text",
  boolean: "true or false",
  object: "a map",
  null: "nothing",
};

function rangeWords(schema: JsonSchema): string | undefined {
  // zod states the safe integers as bounds where a definition gives none.
  const low = bound(schema.minimum ?? schema.exclusiveMinimum, Number.MIN_SAFE_INTEGER);
  const high = bound(schema.maximum ?? schema.exclusiveMaximum, Number.MAX_SAFE_INTEGER);
  const over = schema.minimum === undefined && schema.exclusiveMinimum !== undefined;
  const under = schema.maximum === undefined && schema.exclusiveMaximum !== undefined;
  const step = schema.multipleOf === undefined ? undefined : `a multiple of ${schema.multipleOf}`;
  const from = low === undefined ? undefined : over ? `over ${low}` : `at least ${low}`;
  const to = high === undefined ? undefined : under ? `under ${high}` : `at most ${high}`;
  const range = from !== undefined && to !== undefined && !over && !under
    ? `${low} to ${high}`
    : [from, to].filter((part) => part !== undefined).join(", ");
  return [range, step].filter((part) => part !== undefined && part !== "").join(", ");
}

function bound(value: number | undefined, unbounded: number): number | undefined {
  return value === unbounded ? undefined : value;
}

/** The length that a text must have; a place is a text that is not empty, as its type says. */
function lengthWords({ minLength, maxLength, ...schema }: JsonSchema): string | undefined {
  return schema["place"] === undefined ? sizeWords(minLength, maxLength, "letters") : undefined;
}

function sizeWords(
  least: number | undefined,
  most: number | undefined,
  noun: string,
): string | undefined {
  if (least === undefined && most === undefined) return undefined;
  const counted = least === 1 && most === undefined || most === 1
    ? noun.replace(/(ie)?s$/, (end) => end === "ies" ? "y" : "")
    : noun;
  if (most === undefined) return `at least ${least} ${counted}`;
  return least === undefined ? `at most ${most} ${counted}` : `${least} to ${most} ${counted}`;
}

/** The parameters that belong into a task key: all but places on disk and mere settings. */
export function keyedParams(
  params: z.ZodObject,
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const left = new Set(
    paramFacts(params).filter(({ place, isSetting }) => place !== undefined || isSetting)
      .map(({ name }) => name),
  );
  return Object.fromEntries(Object.entries(values).filter(([name]) => !left.has(name)));
}
