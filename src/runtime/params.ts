import { z } from "zod";

/** What a parameter's `.meta({ … })` may say besides its description. */
export interface ParamMeta {
  /** The unit of a number: "px", "%", "ms". */
  readonly unit?: string;
  /** A place on disk: resolved against the caller's folder, and never part of a task key. */
  readonly place?: "folder" | "file";
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
  readonly schema: JsonSchema;
}

/** The part of JSON Schema that zod gives for parameters. */
export interface JsonSchema {
  readonly [key: string]: unknown;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
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
    schema: property,
  }));
}

/** What a value has to be, in words: `pixels, 16 to 16384, default 1024`. */
export function expectation(schema: JsonSchema): string {
  const parts = [typeWords(schema), rangeWords(schema)];
  if (schema.default !== undefined) parts.push(`default ${JSON.stringify(schema.default)}`);
  return parts.filter((part) => part !== undefined && part !== "").join(", ");
}

const unitWords: Readonly<Record<string, string>> = {
  px: "pixels",
  "%": "percent",
  ms: "milliseconds",
};

function typeWords(schema: JsonSchema): string {
  if (schema.enum !== undefined) {
    return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(", ")}`;
  }
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeWords).join(" or ");
  if (schema["const"] !== undefined) return JSON.stringify(schema["const"]);
  if (typeof schema["place"] === "string") return `a ${schema["place"]} (its path)`;
  const unit = schema["unit"];
  if (typeof unit === "string") {
    const words = unitWords[unit] ?? unit;
    return schema.type === "integer" ? `whole ${words}` : words;
  }
  if (schema.type === "array") {
    return `a list, each ${schema.items === undefined ? "anything" : typeWords(schema.items)}`;
  }
  return nameOfType[schema.type ?? ""] ?? "any value";
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
  const high = bound(schema.maximum, Number.MAX_SAFE_INTEGER);
  const above = schema.minimum === undefined && schema.exclusiveMinimum !== undefined;
  if (low !== undefined && high !== undefined) return `${above ? "over " : ""}${low} to ${high}`;
  if (low !== undefined) return above ? `over ${low}` : `at least ${low}`;
  return high !== undefined ? `at most ${high}` : undefined;
}

function bound(value: number | undefined, unbounded: number): number | undefined {
  return value === unbounded ? undefined : value;
}

/** The parameters that belong into a task key: all but places on disk. */
export function keyedParams(
  params: z.ZodObject,
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const places = new Set(
    paramFacts(params).filter((fact) => fact.place !== undefined).map((fact) => fact.name),
  );
  return Object.fromEntries(Object.entries(values).filter(([name]) => !places.has(name)));
}
