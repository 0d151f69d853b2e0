import { z } from "zod";
import type { Catalog } from "./catalog.ts";
import { inputPorts } from "./graph.ts";
import type { JsonSchema } from "./json_schema.ts";
import { paramFacts } from "./params.ts";
import { paramTypes } from "./recipe.ts";
import type { AnyStep, Port } from "./step.ts";

const namePattern = "^[a-z][a-z0-9_]*$";
const sourcePattern = "^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)?$";

/** A value that comes from a parameter of the recipe. */
const reference = {
  type: "string",
  pattern: "^\\$[A-Za-z_][A-Za-z0-9_-]*$",
  description: "$name: the value of a recipe's parameter",
};

/** A text with values of parameters in it. */
const textWithReferences = { type: "string", pattern: "\\$\\{[^{}]*\\}" };

/**
 * The JSON schema of recipes (draft 7, which editors know best): completes step names, inputs and
 * parameters with their docs, and checks their values. Generated from the catalogue. What it cannot
 * say (wires that do not fit, names that are not declared) is left to `tintype check`.
 */
export function recipeSchema(catalog: Catalog): JsonSchema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Tintype recipe",
    type: "object",
    required: ["recipe", "steps"],
    additionalProperties: false,
    properties: {
      recipe: { type: "string", pattern: "^[a-z][a-z0-9_-]*$", description: "the recipe's name" },
      about: { type: "string", description: "what the recipe is for" },
      params: {
        type: ["object", "null"],
        description: "values that can be set from outside with --set name=value",
        propertyNames: { pattern: namePattern },
        additionalProperties: paramSchema,
      },
      steps: {
        type: "object",
        description: "the nodes of the graph, by id",
        minProperties: 1,
        propertyNames: { pattern: namePattern, not: { enum: ["items", "tasks", "runs"] } },
        additionalProperties: nodeSchema(catalog),
      },
    },
  } as unknown as JsonSchema;
}

const text = { type: "string" };
const typeOfDefault: Readonly<Record<typeof paramTypes[number], unknown>> = {
  string: text,
  integer: { type: "integer" },
  number: { type: "number" },
  boolean: { type: "boolean" },
  folder: text,
  file: text,
  choice: { type: ["string", "number", "boolean"] },
  list: { type: "array" },
};

const paramSchema = {
  type: "object",
  required: ["type"],
  additionalProperties: false,
  properties: {
    type: { enum: paramTypes, description: "the type of its value" },
    default: { description: "the value when none is set" },
    minimum: { type: "number", description: "the least value" },
    maximum: { type: "number", description: "the greatest value" },
    choices: { type: "array", minItems: 1, description: "the values there are" },
    unit: { type: "string", description: "the unit of its value, such as px" },
    about: { type: "string", description: "what it is for" },
  },
  allOf: paramTypes.map((type) => ({
    if: { properties: { type: { const: type } }, required: ["type"] },
    then: {
      properties: {
        default: typeOfDefault[type],
        ...type === "integer" || type === "number" ? {} : { minimum: false, maximum: false },
      },
      ...type === "choice" ? { required: ["choices"] } : {},
    },
  })),
};

function nodeSchema(catalog: Catalog): Record<string, unknown> {
  return {
    type: "object",
    required: ["use"],
    properties: {
      use: {
        description: "a step of the catalogue, or the file of a step of your own",
        anyOf: [
          ...catalog.steps().map((step) => ({ const: step.name, description: step.doc })),
          { type: "string", pattern: "\\.[cm]?[tj]sx?$", description: "a step file" },
        ],
      },
      about: { type: "string", description: "a note for readers" },
      from: { description: "what feeds the inputs: a node, or a map from input to node" },
      with: { type: ["object", "null"], description: "the step's parameters" },
    },
    additionalProperties: false,
    defaultSnippets: catalog.steps().map(snippet),
    allOf: catalog.steps().map((step) => ({
      if: { properties: { use: { const: step.name } }, required: ["use"] },
      then: stepSchema(step),
    })),
  };
}

/** What an editor puts in for a step: its name, and what it needs. */
function snippet(step: AnyStep): Record<string, unknown> {
  const needed = inputPorts(step).filter(([, port]) => !port.isOptional);
  const params = paramFacts(step.params).filter((fact) => fact.isRequired);
  let stop = 0;
  const next = () => `$${++stop}`;
  const from = needed.length === 1
    ? { from: next() }
    : needed.length === 0
    ? {}
    : { from: Object.fromEntries(needed.map(([name]) => [name, next()])) };
  const given = Object.fromEntries(params.map(({ name }) => [name, next()]));
  return {
    label: step.name,
    description: step.doc,
    body: { use: step.name, ...from, ...params.length > 0 ? { with: given } : {} },
  };
}

function stepSchema(step: AnyStep): Record<string, unknown> {
  const facts = paramFacts(step.params);
  const ports = inputPorts(step);
  const needsInput = ports.some(([, port]) => !port.isOptional);
  const properties = draft7(step.params).properties ?? {};
  const required = facts.filter((fact) => fact.isRequired).map((fact) => fact.name);
  return {
    required: [...needsInput ? ["from"] : [], ...required.length > 0 ? ["with"] : []],
    properties: {
      from: ports.length === 0 ? false : fromSchema(ports),
      with: {
        type: required.length > 0 ? "object" : ["object", "null"],
        additionalProperties: false,
        required,
        properties: Object.fromEntries(
          facts.map(({ name, about, expected, schema }) => [name, {
            description: about === "" ? expected : `${about} (${expected})`,
            default: schema.default,
            ...withReferences(properties[name]!),
          }]),
        ),
      },
    },
  };
}

function fromSchema(ports: readonly [string, Port][]): Record<string, unknown> {
  const needed = ports.filter(([, port]) => !port.isOptional).map(([name]) => name);
  const source = { type: "string", pattern: sourcePattern };
  const long = {
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(
      ports.map(([name, port]) => [name, { ...source, description: port.doc }]),
    ),
    required: needed,
  };
  const isShort = needed.length === 1 || ports.length === 1;
  return isShort ? { anyOf: [{ ...source, description: "node, or node.port" }, long] } : long;
}

function draft7(params: z.ZodObject): JsonSchema {
  return z.toJSONSchema(params, {
    target: "draft-7",
    io: "input",
    unrepresentable: "any",
  }) as unknown as JsonSchema;
}

/** What only this program reads, or is said elsewhere. */
const left: readonly string[] = ["$schema", "description", "default", "place", "unit", "isSetting"];

/** A parameter's schema that takes references too, also inside lists and maps. */
function withReferences(schema: JsonSchema): Record<string, unknown> {
  const { items, properties, additionalProperties, anyOf, oneOf } = schema;
  const own = Object.fromEntries(
    Object.entries(schema).filter(([key, value]) => !left.includes(key) && !isNoBound(key, value)),
  );
  if (Array.isArray(items)) own["items"] = items.map(withReferences);
  else if (typeof items === "object") own["items"] = withReferences(items);
  if (properties !== undefined) {
    own["properties"] = Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, withReferences(property)]),
    );
    own["additionalProperties"] ??= false;
  }
  if (typeof additionalProperties === "object") {
    own["additionalProperties"] = withReferences(additionalProperties);
  }
  const forms = anyOf ?? oneOf;
  if (forms !== undefined) {
    const { anyOf: _, oneOf: __, ...rest } = own;
    return { ...rest, anyOf: [...forms.map(withReferences), reference] };
  }
  const isFreeText = own["type"] === "string" && Object.keys(own).length === 1;
  if (isFreeText || Object.keys(own).length === 0) return own;
  const inText = own["type"] === "string" ? [textWithReferences] : [];
  return { anyOf: [own, reference, ...inText] };
}

/** zod states the safe integers as bounds where a definition gives none. */
function isNoBound(key: string, value: unknown): boolean {
  return (key === "minimum" && value === Number.MIN_SAFE_INTEGER) ||
    (key === "maximum" && value === Number.MAX_SAFE_INTEGER);
}
