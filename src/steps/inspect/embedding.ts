import { z } from "zod";
import { imagingTools } from "../../imaging/tools.ts";
import {
  type BatchContext,
  defineStep,
  each,
  failed,
  produced,
  type StepContext,
} from "../../runtime/step.ts";
import type { Handle } from "../../runtime/artifact.ts";
import { type Feeds, inference, ModelProblem, type Outputs } from "../../services/inference.ts";
import { feedsOf, type PictureModel, rasterFor, viewOf } from "../../vision/preprocess.ts";
import { meanOverSpace, unitVector } from "../../vision/vectors.ts";
import type { Image } from "../../imaging/image.ts";
import { image } from "../kinds.ts";
import { embedding } from "./kinds.ts";
import {
  goesWithout,
  ifMissing,
  modelTools,
  openPictureModel,
  unlessProblem,
  withoutModel,
} from "./models.ts";

const params = z.object({
  model: z.string().default("clip-vit-b32").meta({
    description: "a model for image-embedding, by its name in models.yaml",
  }),
  if_missing: ifMissing,
});
type EmbeddingParams = z.output<typeof params>;

/** A picture ready for the model, or why there is none. */
type Prepared =
  | { readonly type: "fed"; readonly feeds: Feeds }
  | { readonly type: "skipped"; readonly isProvisional: boolean }
  | { readonly type: "unusable"; readonly reason: string };

/**
 * A picture as a vector of unit length, by which pictures that look alike are near each other. The
 * picture is upright, in sRGB, transparency on white, and prepared as the model's entry says; the
 * model's vector, or the mean over space of its feature map, is divided by its L2 norm.
 *
 * Where the model's file is not here and `if_missing` is skip, the vector is empty, and no picture is
 * decoded.
 */
export const inspectEmbedding = defineStep({
  name: "inspect.embedding",
  version: 3,
  doc: "Gives each picture as a model sees it: a vector of unit length, near those of its like.",
  origin: "computed",
  pool: "onnx",
  inputs: { image: each(image, "the pictures") },
  params,
  outputs: { embedding: each(embedding, "a vector a picture") },
  async tools({ model, if_missing }, context) {
    const tools = { ...await imagingTools(), ...await modelTools([model], if_missing, context) };
    const entry = await unlessProblem(context.service(inference).entry(model));
    const { similar_from } = entry instanceof ModelProblem ? {} : entry;
    return similar_from === undefined ? tools : { ...tools, similar_from: String(similar_from) };
  },
  batch: { size: 16, prepare, run },
});

async function prepare(
  { image }: { readonly image: Handle<Image> },
  { model, if_missing }: EmbeddingParams,
  context: StepContext,
): Promise<Prepared> {
  const session = await unlessProblem(openPictureModel(model, "image-embedding", context));
  if (!(session instanceof ModelProblem)) {
    return { type: "fed", feeds: await pictureFeeds(await image.read(), session.entry) };
  }
  if (!session.isMissing || if_missing === "fail") {
    return { type: "unusable", reason: session.message };
  }
  context.warn(withoutModel(session, "pictures have no embedding"));
  return { type: "skipped", isProvisional: !goesWithout(model, context) };
}

async function pictureFeeds(opened: Image, model: PictureModel): Promise<Feeds> {
  const header = await opened.header();
  const view = viewOf(header, model);
  const raster = await opened.raster(rasterFor(header, [{ view, model }]));
  return await feedsOf(raster, view, model);
}

async function run(
  prepared: readonly Prepared[],
  { model }: EmbeddingParams,
  context: BatchContext,
) {
  const made = (await embeddingsOf(prepared, model, context)).values();
  return prepared.map((item) => {
    if (item.type === "unusable") return failed(item.reason, { stopsNode: true });
    if (item.type === "skipped") {
      const { isProvisional } = item;
      return produced({ embedding: new Float32Array(0) }, { isProvisional });
    }
    const embedding = made.next().value;
    if (embedding !== undefined) return produced({ embedding });
    return failed(`Cannot embed the picture: model "${model}" gives no direction (all 0, or NaN)`);
  });
}

/** Of the items that are fed, in their order. */
async function embeddingsOf(prepared: readonly Prepared[], model: string, context: BatchContext) {
  const fed = prepared.flatMap((item) => item.type === "fed" ? [item.feeds] : []);
  if (fed.length === 0) return [];
  const session = await openPictureModel(model, "image-embedding", context);
  const { similar_from = null } = session.entry;
  return (await session.run(fed)).map((outputs) => {
    const vector = vectorIn(outputs, session.entry);
    return vector === undefined ? undefined : { vector, model, similar_from };
  });
}

function vectorIn(outputs: Outputs, { decode, outputs: [first] }: PictureModel) {
  const output = outputs[first!.name]!;
  return unitVector(decode?.as === "mean_over_space" ? meanOverSpace(output) : output.values);
}
