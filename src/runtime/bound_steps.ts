import type { ModuleGraph } from "./module_graph.ts";
import type { AnyStep } from "./step.ts";
import type { AskedPermissions } from "./step_permissions.ts";

/** A step file does not say what is needed before its tasks. */
export class StepProblem extends Error {
  override readonly name = "StepProblem";
}

/** A step file's permissions, as people are asked about them. */
export interface AskingStep {
  /** The file, absolute. */
  readonly path: string;
  /** The file as the recipe names it. */
  readonly use: string;
  readonly permissions: AskedPermissions;
  /** What it would get: with absolute paths. */
  readonly granted: AskedPermissions;
}

/** A step whose code runs elsewhere, to those who let it run. */
export interface BoundStep extends AskingStep {
  readonly graph: ModuleGraph;
  readonly isApproved: boolean;
  /** Lets it have what it asks for. */
  approve(): void;
  /** The most items that it works on at the same time. */
  limit(workers: number): void;
  /** Ends what it runs in. */
  release(): Promise<void>;
}

const boundSteps = new WeakMap<AnyStep, BoundStep>();

/** Notes what stands behind a step of a step file. */
export function noteBound(step: AnyStep, bound: BoundStep): void {
  boundSteps.set(step, bound);
}

/** What stands behind a step that runs in processes of its own; undefined for a step of this one. */
export function boundStepOf(step: AnyStep): BoundStep | undefined {
  return boundSteps.get(step);
}
