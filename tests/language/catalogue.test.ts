import assert from "node:assert/strict";
import { type Diagnostic, formatDiagnostic } from "../../src/runtime/diagnostic.ts";
import { inputPorts } from "../../src/runtime/graph.ts";
import { type JsonSchema, paramFacts } from "../../src/runtime/params.ts";
import type { AnyStep } from "../../src/runtime/step.ts";
import { catalog } from "../../src/steps/mod.ts";
import { checked } from "./checking.ts";

/** Plain mistakes with every step, parameter, choice and input of the catalogue, one a recipe. */
const steps = (await catalog.load()).steps();

/** What is wrong between « and », and what has to be said of it. */
interface Mistake {
  readonly recipe: string;
  readonly code: string;
  readonly help?: string;
}

Deno.test("a misspelt step of the catalogue is known", async () => {
  await areTold(steps.flatMap(({ name }) =>
    slipsOf(name).map((slip) => ({
      recipe: node(`use: «${slip}»`),
      code: "unknown-step",
      help: `"${name}"`,
    }))
  ));
});

Deno.test("a misspelt parameter of each step is known, and missed no more", async () => {
  await areTold(
    steps.flatMap((step) =>
      paramFacts(step.params).flatMap(({ name, schema }) =>
        slipsOf(name).map((slip) => ({
          recipe: stepWith(step, `«${slip}»: ${flow(fitting(schema))}`, name),
          code: "unknown-param",
          help: `"${name}"`,
        }))
      )
    ),
  );
});

Deno.test("a misspelt choice of each parameter is known, also in lists", async () => {
  await areTold(steps.flatMap((step) =>
    paramFacts(step.params).flatMap(({ name, schema }) => {
      const isList = schema.type === "array";
      const choices = (isList ? (schema.items as JsonSchema).enum : schema.enum) ?? [];
      // Of the eighty classes of objects many differ by a letter.
      if (choices.length > 20) return [];
      return choices.filter((choice) => /^[a-z]/.test(String(choice))).flatMap((choice) =>
        slipsOf(String(choice)).filter((slip) => !choices.includes(slip)).map((slip) => ({
          recipe: stepWith(step, `${name}: ${isList ? `[«${slip}»]` : `«${slip}»`}`, name),
          code: "bad-value",
          help: JSON.stringify(choice),
        }))
      );
    })
  ));
});

Deno.test("a number out of a parameter's range is told at the number", async () => {
  await areTold(
    steps.flatMap((step) =>
      paramFacts(step.params).flatMap(({ name, schema }) =>
        beyond(schema).map((number) => ({
          recipe: stepWith(step, `${name}: «${number}»`, name),
          code: "out-of-range",
        }))
      )
    ),
  );
});

Deno.test("a value of another type is told at the value", async () => {
  await areTold(
    steps.flatMap((step) =>
      paramFacts(step.params).flatMap(({ name, schema }) =>
        ofOtherTypes(schema).map((value) => ({
          recipe: stepWith(step, `${name}: «${value}»`, name),
          code: "bad-value",
        }))
      )
    ),
  );
});

Deno.test("a required input is missed, whatever the parameters are called", async () => {
  await areTold(steps.flatMap((step) => {
    const required = inputPorts(step).filter(([, { isOptional }]) => !isOptional);
    if (required.length === 0) return [];
    const given = paramFacts(step.params).map(({ name, schema }) =>
      `${name}: ${flow(fitting(schema))}`
    );
    return [{
      recipe: node(`use: «${step.name}», with: { ${given.join(", ")} }`),
      code: "missing-input",
      help: "",
    }];
  }));
});

async function areTold(mistakes: readonly Mistake[]): Promise<void> {
  assert.ok(mistakes.length > 0);
  for (const mistake of mistakes) {
    const recipe = mistake.recipe.replace(/[«»]/g, "");
    const { diagnostics } = await checked({ recipe });
    // Recipes of one node lack what it takes; whether that is said is for the test of inputs.
    const isOwn = ({ code }: Diagnostic) => mistake.help === "" || code !== "missing-input";
    const told = diagnostics.filter((each) => each.severity === "error" && isOwn(each));
    const shown = `${recipe}\n${diagnostics.map((each) => formatDiagnostic(each)).join("\n")}`;
    assert.equal(told.length, 1, shown);
    const { code, span, help = "" } = told[0]!;
    const start = mistake.recipe.indexOf("«");
    assert.deepEqual(
      { code, start: span.start, end: span.end },
      { code: mistake.code, start, end: mistake.recipe.indexOf("»") - 1 },
      shown,
    );
    assert.ok(help.includes(mistake.help ?? ""), `${mistake.help}\n${shown}`);
  }
}

function node(content: string): string {
  return `recipe: r\nsteps:\n  node: { ${content} }\n`;
}

/** A step with a text among its parameters, in the place of the one called `name`. */
function stepWith(step: AnyStep, text: string, name: string): string {
  const needed = paramFacts(step.params).filter((fact) => fact.isRequired && fact.name !== name)
    .map((fact) => `${fact.name}: ${flow(fitting(fact.schema))}`);
  return node(`use: ${step.name}, with: { ${[...needed, text].join(", ")} }`);
}

function fitting(schema: JsonSchema): unknown {
  if (schema.default !== undefined) return schema.default;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.type === "array") return [fitting(schema.items as JsonSchema)];
  return schema["pattern"] === "^https?:\\/\\/[^\\s/?#@]+(\\/[^\\s?#@]*)?$"
    ? "http://localhost/v1"
    : "cats";
}

function flow(value: unknown): string {
  return JSON.stringify(value);
}

/** A letter left out, two turned around, one too many, another, and words put together in other ways. */
function slipsOf(name: string): readonly string[] {
  if (name.length < 4) return [];
  const at = name.length - 2;
  const slips = [
    name.slice(0, 1) + name.slice(2),
    name.slice(0, at) + name[at + 1] + name[at] + name.slice(at + 2),
    `${name}${name.at(-1)}`,
    `${name.slice(0, at)}x${name.slice(at + 1)}`,
    name.replaceAll("_", "-"),
    name.replace(/[_.](\w)/g, (_, letter) => letter.toUpperCase()),
  ];
  return [...new Set(slips)].filter((slip) => slip !== name && /^[\w.-]+$/.test(slip));
}

function beyond(schema: JsonSchema): readonly number[] {
  const { minimum = NaN, maximum = NaN, exclusiveMinimum = NaN } = schema;
  const step = schema.type === "integer" ? 1 : 0.5;
  return [minimum - step, maximum + step, exclusiveMinimum]
    .filter((number) => Math.abs(number) < Number.MAX_SAFE_INTEGER / 2);
}

function ofOtherTypes(schema: JsonSchema): readonly string[] {
  if (schema.anyOf !== undefined) return [];
  const all = { string: "abc", boolean: "true", array: "[abc, abc]", null: "~" };
  const isText = schema.type === "string";
  return Object.entries(all).filter(([type]) => type !== schema.type)
    .map(([, value]) => value)
    .concat(isText && schema.enum === undefined ? ["3", "1.5"] : []);
}
