import type { Catalog } from "./catalog.ts";
import { inputPorts } from "./graph.ts";
import { type JsonSchema, paramFacts } from "./params.ts";
import { paramTypes } from "./recipe.ts";
import type { AnyStep } from "./step.ts";

/** A value that may also be given through a parameter. */
const reference = {
  type: "string",
  pattern: "^\\$[A-Za-z_][A-Za-z0-9_-]*$|\\$\\{[^}]*\\}",
  description: "$name of a recipe parameter",
};

const namePattern = "^[a-z][a-z0-9_]*$";

/**
 * The JSON schema of recipes (draft 7, which editors know best): completes step names, inputs and
 * parameters, and checks their values. Generated from the catalogue.
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
        type: "object",
        description: "values that can be set from outside with --set name=value",
        propertyNames: { pattern: namePattern },
        additionalProperties: paramSchema,
      },
      steps: {
        type: "object",
        description: "the nodes of the graph, by id",
        minProperties: 1,
        propertyNames: { pattern: namePattern },
        additionalProperties: nodeSchema(catalog),
      },
    },
  };
}

const paramSchema = {
  type: "object",
  required: ["type"],
  additionalProperties: false,
  properties: {
    type: { enum: paramTypes, description: "the type of its value" },
    default: { description: "the value when none is set" },
    minimum: { type: "number", description: "the least value" },
    maximum: { type: "number", description: "the greatest value" },
    choices: { type: "array", description: "the values there are" },
    unit: { type: "string", description: "the unit of its value, such as px" },
    about: { type: "string", description: "what it is for" },
  },
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
      with: { type: "object", description: "the step's parameters" },
    },
    additionalProperties: false,
    allOf: catalog.steps().map((step) => ({
      if: { properties: { use: { const: step.name } }, required: ["use"] },
      then: stepSchema(step),
    })),
  };
}

function stepSchema(step: AnyStep): Record<string, unknown> {
  const facts = paramFacts(step.params);
  const required = facts.filter((fact) => fact.isRequired).map((fact) => fact.name);
  const ports = inputPorts(step);
  const needed = ports.filter(([, port]) => !port.isOptional).map(([name]) => name);
  return {
    required: [...needed.length > 0 ? ["from"] : [], ...required.length > 0 ? ["with"] : []],
    properties: {
      from: {
        anyOf: [
          { type: "string", description: "node, or node.port" },
          {
            type: "object",
            additionalProperties: false,
            properties: Object.fromEntries(
              ports.map(([name, port]) => [name, { type: "string", description: port.doc }]),
            ),
            required: needed,
          },
        ],
      },
      with: {
        type: "object",
        additionalProperties: false,
        required,
        properties: Object.fromEntries(
          facts.map((fact) => [fact.name, {
            description: `${fact.about} (${fact.expected})`,
            default: fact.schema.default,
            anyOf: [withReferences(fact.schema), reference],
          }]),
        ),
      },
    },
  };
}

/** A parameter's schema with references allowed inside lists and maps too. */
function withReferences(schema: JsonSchema): Record<string, unknown> {
  const { description: _, default: __, place: ___, unit: ____, ...rest } = schema as Record<
    string,
    unknown
  >;
  if (schema.items !== undefined) {
    rest["items"] = { anyOf: [withReferences(schema.items), reference] };
  }
  if (schema.properties !== undefined) {
    rest["properties"] = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [name, {
        anyOf: [withReferences(property), reference],
      }]),
    );
  }
  return rest;
}
