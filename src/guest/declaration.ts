import type { Kind } from "../runtime/artifact.ts";
import { paramsSchema } from "../runtime/params.ts";
import { type AnyStep, isStep, type Port } from "../runtime/step.ts";
import type {
  KindFacts,
  Loaded,
  Parsed,
  PortFacts,
  StepDeclaration,
  StepMethod,
} from "../runtime/step_messages.ts";
import type { Issue } from "../runtime/zod_issue.ts";

/** The step of a module, or what is wrong with it. */
export function stepIn(module: Readonly<Record<string, unknown>>): AnyStep | string {
  if (isStep(module["default"])) return module["default"];
  const steps = Object.values(module).filter(isStep);
  if (steps.length === 1) return steps[0]!;
  return steps.length === 0
    ? "it exports no step"
    : `it exports ${steps.length} steps (one is wanted, or one as default)`;
}

/** What the main process has to know of a step. */
export function declarationOf(step: AnyStep): StepDeclaration {
  const { name, version, doc, origin, world, pool, usesItemName, usesAbsent, isResult } = step;
  return {
    ...{ name, version, doc, origin, world, pool, usesItemName, usesAbsent, isResult },
    inputs: portFacts(step.inputs),
    outputs: portFacts(step.outputs),
    paramsSchema: JSON.parse(JSON.stringify(paramsSchema(step.params))),
    permissions: step.permissions,
    methods: methodsOf(step),
    batchSize: step.batch?.size,
  };
}

export function brokenBy(error: unknown): Extract<Loaded, { readonly type: "broken" }> {
  return error instanceof Error
    ? { type: "broken", name: error.name, message: error.message, stack: error.stack ?? "" }
    : { type: "broken", name: "", message: String(error), stack: "" };
}

/** Reads parameters by the step's own schema. */
export function parsed(step: AnyStep, values: unknown): Parsed {
  try {
    const result = step.params.safeParse(values);
    if (!result.success) {
      return { type: "wrong", issues: (result.error.issues as readonly Issue[]).map(plainIssue) };
    }
    const unusedPorts = [...step.unusedPorts?.(result.data) ?? []];
    return { type: "fine", params: result.data, unusedPorts };
  } catch (error) {
    return { type: "threw", message: error instanceof Error ? error.message : String(error) };
  }
}

function plainIssue({ code, path, message, errors }: Issue): Issue {
  return {
    code,
    path: path.map((part) => typeof part === "number" ? part : String(part)),
    message,
    ...errors === undefined ? {} : { errors: errors.map((form) => form.map(plainIssue)) },
  };
}

function portFacts(ports: Readonly<Record<string, Port>>): Record<string, PortFacts> {
  return Object.fromEntries(
    Object.entries(ports).map(([name, { kind, flow, doc, isOptional }]) => [
      name,
      { kind: kindFacts(kind), flow, doc, isOptional },
    ]),
  );
}

function kindFacts({ name, doc, columns, isRow }: Kind): KindFacts {
  return { name, doc, columns: columns.map(({ name, type }) => ({ name, type })), isRow };
}

function methodsOf(step: AnyStep): StepMethod[] {
  const batch: readonly StepMethod[] = step.batch === undefined ? [] : ["prepare", "runBatch"];
  const others = (["run", "tools", "forecast", "isCurrent"] as const)
    .filter((method) => step[method] !== undefined);
  return [...others, ...batch];
}
