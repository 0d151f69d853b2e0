import { z } from "zod";
import type { StepContext, ToolContext } from "../../runtime/step.ts";
import { inference, ModelProblem, type ModelSession } from "../../services/inference.ts";
import { type PictureModel, takesPictures } from "../../vision/preprocess.ts";
import type { ModelEntry, ModelTask } from "../../vision/registry.ts";

/** What a recipe says instead of a model's name to go without. */
export const noModel = "none";

/** What becomes of pictures when the file of a model is not on this machine. */
export const ifMissing = z.enum(["fail", "skip"]).default("fail").meta({
  description: "when a model's file is not here: fail, or skip: go on without it until it is, " +
    "with a warning",
});

/** What a task key has in place of the sha256 of a model that is not here, where that may be. */
const notHere = "not here";

/**
 * The sha256 of models by name, for the task key; a model that cannot be found fails where it is used.
 * That a task goes without one is in its key too: it is done again when the file is here.
 */
export async function modelTools(
  names: readonly string[],
  if_missing: z.output<typeof ifMissing>,
  context: ToolContext,
): Promise<Readonly<Record<string, string>>> {
  const models = context.service(inference);
  const used = names.filter((name) => name !== noModel);
  const sums = await Promise.all(used.map(async (name) => {
    const entry = await unlessProblem(models.entry(name));
    if (entry instanceof ModelProblem) return [toolOf(name), "unknown"] as const;
    const isUsed = if_missing === "fail" || await models.isHere(name);
    return [toolOf(name), isUsed ? entry.sha256 : notHere] as const;
  }));
  return Object.fromEntries(sums);
}

function toolOf(model: string): string {
  return `model ${model}`;
}

/** Whether a task goes without the model by its key, whatever has become of the file since. */
export function goesWithout(
  model: string,
  { tools = {} }: Partial<Pick<StepContext, "tools">>,
): boolean {
  return tools[toolOf(model)] === notHere;
}

/** Throws the problem of a model that the task goes without; no path is in it, since it is kept. */
export async function requireHere(name: string, context: ModelContext): Promise<void> {
  if (!goesWithout(name, context)) return;
  const { source } = await context.service(inference).entry(name);
  const help = "local" in source
    ? `tintype models verify ${name} says what to put where`
    : `run: tintype models pull ${name}`;
  throw new ModelProblem(`Model "${name}" is not on this machine (${help})`, true);
}

/** What a model is opened by; a batch has no tools, and is asked only about what is not done without. */
export type ModelContext = ToolContext & Partial<Pick<StepContext, "tools">>;

/** What becomes of pictures while a model is not here, as a warning: nothing that was made with it is lost. */
export function withoutModel({ message }: ModelProblem, pictures: string): string {
  return `${message}; until then ${pictures}, and what was made with it before is kept for then`;
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
  context: ModelContext,
): Promise<ModelSession> {
  const models = context.service(inference);
  requireTask(await models.entry(name), task);
  await requireHere(name, context);
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
  context: ModelContext,
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
    `Cannot use model "${name}" for ${wanted}: it is for ${task} (tintype models list shows the ` +
      "models of each task)",
    false,
  );
}
