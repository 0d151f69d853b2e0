import { isUserStep } from "../runtime/check.ts";
import { suggestion } from "../runtime/diagnostic.ts";
import { boundStepOf } from "../runtime/bound_steps.ts";
import { inputPorts, outputPorts } from "../runtime/graph.ts";
import { paramFacts } from "../runtime/params.ts";
import { recipeSchema } from "../runtime/recipe_schema.ts";
import type { Span } from "../runtime/source.ts";
import type { AnyStep, Port } from "../runtime/step.ts";
import { permissionWords } from "../runtime/step_permissions.ts";
import { loadStepFile } from "../runtime/user_steps.ts";
import { catalog } from "../steps/mod.ts";
import { callerFolder } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { alignedRows, printable } from "./text.ts";
import { UsageError } from "./usage_error.ts";

interface StepsOptions {
  readonly json?: boolean;
}

/** `tintype steps`: the catalogue. */
export async function steps(options: StepsOptions): Promise<number> {
  const all = (await catalog.load()).steps();
  if (options.json) console.log(JSON.stringify(all.map(description), undefined, 2));
  else for (const line of alignedRows(all.map((step) => [step.name, step.doc]))) console.log(line);
  return exitCodes.complete;
}

/** `tintype describe STEP`: one step's ports and parameters; of a step file also what it asks for. */
export async function describe(name: string, options: StepsOptions): Promise<number> {
  const step = isUserStep(name) ? await stepOfFile(name) : await stepOfCatalog(name);
  if (options.json) console.log(JSON.stringify(description(step), undefined, 2));
  else printStep(step);
  return exitCodes.complete;
}

async function stepOfCatalog(name: string): Promise<AnyStep> {
  const step = (await catalog.load([name])).get(name);
  if (step !== undefined) return step;
  const help = suggestion(name, catalog.names(), "Steps");
  throw new UsageError(`There is no step "${name}"${help === undefined ? "" : `. ${help}`}`);
}

async function stepOfFile(path: string): Promise<AnyStep> {
  const found = await loadStepFile(path, callerFolder());
  if ("step" in found) return found.step;
  const place = found.related?.map(({ span }) => ` at ${placeText(span)}`)[0] ?? "";
  throw new UsageError(`Cannot use step file "${path}": ${found.problem}${place}`);
}

function placeText({ file, start }: Span): string {
  const { line, column } = file.position(start);
  return `${file.path}:${line}:${column}`;
}

/** `tintype schema`: the JSON schema of recipes. */
export async function schema(): Promise<number> {
  console.log(JSON.stringify(recipeSchema(await catalog.load()), undefined, 2));
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
    ...boundStepOf(step) === undefined ? {} : { permissions: boundStepOf(step)!.permissions },
  };
}

function printStep(step: AnyStep) {
  const { inputs, params, outputs, permissions } = description(step);
  console.log(printable(`${step.name} (version ${step.version})`));
  console.log(printable(step.doc));
  if (permissions !== undefined) {
    console.log(printable(`It asks for ${permissionWords(permissions)}`));
  }
  const portRows = (ports: typeof inputs) =>
    ports.map((port) => [
      `  ${port.name}`,
      `${port.flow} ${port.kind}${port.isOptional ? " (optional)" : ""}`,
      port.doc,
    ]);
  printSection("inputs", portRows(inputs));
  printSection(
    "parameters",
    params.flatMap((param) => [
      [`  ${param.name}`, `${param.expected}${param.isRequired ? ", needed" : ""}`],
      ["", param.about],
    ]),
  );
  printSection("outputs", portRows(outputs));
}

function printSection(title: string, rows: readonly string[][]) {
  if (rows.length === 0) return;
  console.log(`\n${title}`);
  for (const line of alignedRows(rows)) console.log(line);
}
