import type { AskingStep } from "../runtime/bound_steps.ts";
import type { Graph } from "../runtime/graph.ts";
import type { Session } from "../runtime/session.ts";
import {
  allowSteps,
  StepAsksTooMuch,
  stepFilesOf,
  StepsNotAllowed,
} from "../runtime/step_approval.ts";
import { asksForNothing, permissionWords } from "../runtime/step_permissions.ts";
import { printable } from "./text.ts";
import { UsageError } from "./usage_error.ts";

export interface StepFileOptions {
  /** Let step files have what they ask for, without a question. */
  readonly allowSteps?: boolean;
  readonly json?: boolean;
}

/** What each step file of a recipe may reach: "./steps/tag.ts asks for: net api.example.com". */
export function stepFileLines(graph: Graph): string[] {
  return stepFilesOf(graph.nodes).map(lineOf);
}

/**
 * Shows what step files ask for before they first run, and again when that changes, and asks a person
 * whether they may have it. Throws `UsageError` where they may not, or nobody is there to say.
 */
export async function allowStepFiles(
  session: Session,
  graph: Graph,
  options: StepFileOptions,
): Promise<void> {
  const { workspace } = session.options;
  try {
    await allowSteps(graph.nodes, workspace, (steps) => {
      for (const step of steps) console.error(lineOf(step));
      const isAsking = steps.some(({ permissions }) => !asksForNothing(permissions));
      return !isAsking || options.allowSteps === true || personAllows(options);
    });
  } catch (error) {
    if (error instanceof StepAsksTooMuch) throw new UsageError(error.message);
    if (!(error instanceof StepsNotAllowed)) throw error;
    throw new UsageError(`${error.message} (read them; --allow-steps lets them have that)`);
  }
}

function personAllows({ json }: StepFileOptions): boolean {
  if (json || !Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) return false;
  return confirm("Allow that, for this workspace and until they ask for something else?");
}

function lineOf({ use, permissions }: AskingStep): string {
  const words = permissionWords(permissions);
  return printable(`${use} asks for${asksForNothing(permissions) ? "" : ":"} ${words}`);
}
