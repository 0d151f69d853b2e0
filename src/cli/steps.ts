import { suggestion } from "../runtime/diagnostic.ts";
import { inputPorts, outputPorts } from "../runtime/graph.ts";
import { paramFacts } from "../runtime/params.ts";
import { recipeSchema } from "../runtime/recipe_schema.ts";
import type { AnyStep, Port } from "../runtime/step.ts";
import { catalog } from "../steps/mod.ts";
import { UsageError } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { alignedRows } from "./text.ts";

interface StepsOptions {
  readonly json?: boolean;
}

/** `tintype steps`: the catalogue. */
export function steps(options: StepsOptions): number {
  if (options.json) console.log(JSON.stringify(catalog.steps().map(description), undefined, 2));
  else {
    for (const line of alignedRows(catalog.steps().map((step) => [step.name, step.doc]))) {
      console.log(line);
    }
  }
  return exitCodes.complete;
}

/** `tintype describe STEP`: one step's ports and parameters. */
export function describe(name: string, options: StepsOptions): number {
  const step = catalog.get(name);
  if (step === undefined) {
    const help = suggestion(name, catalog.names(), "Steps");
    throw new UsageError(`There is no step "${name}"${help === undefined ? "" : `. ${help}`}`);
  }
  if (options.json) console.log(JSON.stringify(description(step), undefined, 2));
  else printStep(step);
  return exitCodes.complete;
}

/** `tintype schema`: the JSON schema of recipes. */
export function schema(): number {
  console.log(JSON.stringify(recipeSchema(catalog), undefined, 2));
  return exitCodes.complete;
}

function description(step: AnyStep) {
  const ports = (all: [string, Port][]) =>
    all.map(([name, { kind, flow, doc, isOptional }]) => ({
      name,
      kind: kind.name,
      flow,
      doc,
      isOptional,
    }));
  return {
    name: step.name,
    version: step.version,
    doc: step.doc,
    inputs: ports(inputPorts(step)),
    params: paramFacts(step.params).map(({ name, about, expected, isRequired }) => ({
      name,
      about,
      expected,
      isRequired,
    })),
    outputs: ports(outputPorts(step)),
  };
}

function printStep(step: AnyStep) {
  const { inputs, params, outputs } = description(step);
  console.log(`${step.name} (version ${step.version})\n${step.doc}`);
  const portRows = (ports: typeof inputs) =>
    ports.map((port) => [
      `  ${port.name}`,
      `${port.flow} ${port.kind}${port.isOptional ? " (optional)" : ""}`,
      port.doc,
    ]);
  printSection("inputs", portRows(inputs));
  printSection(
    "parameters",
    params.map((param) => [
      `  ${param.name}`,
      `${param.expected}${param.isRequired ? ", needed" : ""}`,
      param.about,
    ]),
  );
  printSection("outputs", portRows(outputs));
}

function printSection(title: string, rows: readonly string[][]) {
  if (rows.length === 0) return;
  console.log(`\n${title}`);
  for (const line of alignedRows(rows)) console.log(line);
}
