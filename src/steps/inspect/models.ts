import { z } from "zod";
import type { ToolContext } from "../../runtime/step.ts";
import { inference, ModelProblem, type ModelSession } from "../../services/inference.ts";
import { type PictureModel, takesPictures } from "../../vision/preprocess.ts";
import type { ModelEntry, ModelTask } from "../../vision/registry.ts";

/** What a recipe says instead of a model's name to go without. */
export const noModel = "none";

/** What becomes of pictures when the file of a model is not on this machine. */
export const ifMissing = z.enum(["fail", "skip"]).default("fail").meta({
  description:
    "when a model's file is not here: fail, or skip: go on without it, with a warning, " +
    "and ask again in the next run",
});

/** The sha256 of models by name, for the task key; a model that cannot be found fails where it is used. */
export async function modelTools(
  names: readonly string[],
  context: ToolContext,
): Promise<Readonly<Record<string, string>>> {
  const used = names.filter((name) => name !== noModel);
  const sums = await Promise.all(used.map(async (name) => {
    const entry = await unlessProblem(context.service(inference).entry(name));
    return [`model ${name}`, entry instanceof ModelProblem ? "unknown" : entry.sha256] as const;
  }));
  return Object.fromEntries(sums);
}

/** A value, or the model's problem in its place; throws everything else. */
export async function unlessProblem<Value>(
  asked: Promise<Value>,
): Promise<Value | ModelProblem> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ModelProblem) return error;
    throw error;
  }
}

/** A model of the task, open. Throws `ModelProblem`, for one of another task before it is opened. */
export async function openModel(
  name: string,
  task: ModelTask,
  context: ToolContext,
): Promise<ModelSession> {
  const models = context.service(inference);
  requireTask(await models.entry(name), task);
  return await models.open(name);
}

/** A model that takes pictures, open. */
export interface PictureSession extends ModelSession {
  readonly entry: PictureModel;
}

/** As `openModel`, for a model that takes pictures. */
export async function openPictureModel(
  name: string,
  task: ModelTask,
  context: ToolContext,
): Promise<PictureSession> {
  const session = await openModel(name, task, context);
  if (takesPictures(session.entry)) return session as PictureSession;
  const what = "its entry in models.yaml says not how a picture is fed to it";
  throw new ModelProblem(
    `Cannot use model "${name}": ${what} ("preprocess" and four dims of its first input are wanted)`,
    false,
  );
}

function requireTask({ name, task }: ModelEntry, wanted: ModelTask) {
  if (task === wanted) return;
  throw new ModelProblem(
    `Cannot use model "${name}" for ${wanted}: it is for ${task} ("tintype models list" shows the ` +
      "models of each task)",
    false,
  );
}
