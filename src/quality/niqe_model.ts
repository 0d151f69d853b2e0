import { z } from "zod";
import { FEATURES, type NiqeModel } from "./niqe.ts";

const row = z.array(z.number()).length(FEATURES);

/** A file of pristine parameters: what `fit-niqe` writes, and other people's in the same form. */
const modelShape = z.object({
  name: z.string().optional(),
  luma: z.enum(["y", "grey"]).default("y"),
  mu: row,
  cov: z.array(row).length(FEATURES),
});

/** Reads a model's JSON; throws an `Error` that says what is wrong. */
export function parseNiqeModel(text: string): NiqeModel {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error("it is not JSON");
  }
  const { data: model, error } = modelShape.safeParse(parsed);
  if (model === undefined) {
    const [issue] = error.issues;
    throw new Error(`${issue!.path.join(".") || "it"}: ${issue!.message}`);
  }
  const isSymmetric = model.cov.every((line, i) =>
    line.every((value, j) => Math.abs(value - model.cov[j]![i]!) <= 1e-9 * (1 + Math.abs(value)))
  );
  if (!isSymmetric) throw new Error("cov is not symmetric (a covariance is wanted)");
  return model;
}
