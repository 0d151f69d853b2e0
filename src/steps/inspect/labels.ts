import { z } from "zod";
import {
  defineStep,
  each,
  failed,
  produced,
  type StepContext,
  type ToolContext,
} from "../../runtime/step.ts";
import { inference, ModelProblem, type ModelSession } from "../../services/inference.ts";
import { clipProbabilities, readTokenizer, textFeeds } from "../../vision/clip_text.ts";
import type { ModelTask } from "../../vision/registry.ts";
import { cosine, unitVector } from "../../vision/vectors.ts";
import { embedding, labels as labelsKind } from "./kinds.ts";
import {
  goesWithout,
  ifMissing,
  modelTools,
  openModel,
  requireHere,
  unlessProblem,
  withoutModel,
} from "./models.ts";

const params = z.object({
  labels: z.array(z.string().regex(/\S/, "a label is empty")).min(1).max(1000)
    .refine((texts) => new Set(texts).size === texts.length, "a label is there twice").meta({
      description: 'what the pictures may show: ["a beach", "a forest", …]',
    }),
  template: z.string().regex(/\{\}/, "it has no {}, where each label goes").default(
    "a photo of a {}",
  ).meta({
    description: "the sentence that each label is put into, at {}",
  }),
  model: z.string().default("clip-vit-b32").meta({
    description:
      "the model that made the embeddings; its text side and its tokenizer are found by it",
  }),
  if_missing: ifMissing,
});
type LabelsParams = z.output<typeof params>;

/**
 * Says what each picture shows out of a list in the recipe, without training (zero-shot): the label
 * whose sentence is nearest to the picture's embedding, by the text side of the same model. Scores are
 * softmax(100 × cosine) over the list (Radford et al., "Learning Transferable Visual Models From
 * Natural Language Supervision"), so they compare labels, and do not say that any of them fits.
 *
 * A picture without an embedding has no label; nor have any where the text side is not here and
 * `if_missing` is skip.
 */
export const inspectLabels = defineStep({
  name: "inspect.labels",
  version: 1,
  doc: "Says what a picture shows, out of a list of labels in the recipe.",
  origin: "computed",
  isResult: true,
  inputs: { embedding: each(embedding, "pictures by the image side of the model") },
  params,
  outputs: { labels: each(labelsKind, "one row a picture") },
  async tools({ model, if_missing }, context) {
    const names = await unlessProblem(companionsOf(model, context));
    return names instanceof ModelProblem
      ? await modelTools([model], "fail", context)
      : await modelTools([names.text, names.tokenizer], if_missing, context);
  },
  async run({ embedding }, params, context) {
    const vector = await embedding.read();
    if (vector.length === 0) return produced({ labels: unlabelled });
    const texts = await unlessProblem(textVectors(params, context));
    if (texts instanceof ModelProblem) return await withoutTexts(texts, params, context);
    const length = texts[0]!.length;
    if (vector.length !== length) {
      return failed(lengthFault(vector.length, length, params.model), { stopsNode: true });
    }
    return produced({ labels: labelled(vector, texts, params.labels) });
  },
});

const unlabelled = { label: null, score: null, scores: [] };

function labelled(
  vector: Float32Array,
  texts: readonly Float32Array[],
  labels: readonly string[],
) {
  const probabilities = clipProbabilities(texts.map((text) => cosine(vector, text)));
  const scores = labels.map((label, at) => ({ label, score: probabilities[at]! }))
    .toSorted((a, b) => b.score - a.score);
  return { ...scores[0]!, scores };
}

async function withoutTexts(
  problem: ModelProblem,
  { if_missing, model }: LabelsParams,
  context: StepContext,
) {
  if (!problem.isMissing || if_missing === "fail") {
    return failed(problem.message, { stopsNode: true });
  }
  context.warn(withoutModel(problem, "pictures have no label"));
  const { text, tokenizer } = await companionsOf(model, context);
  const isProvisional = !goesWithout(text, context) && !goesWithout(tokenizer, context);
  return produced({ labels: unlabelled }, { isProvisional });
}

function lengthFault(length: number, wanted: number, model: string): string {
  return `Cannot label pictures by model "${model}": their embeddings are ${length} long (${wanted} ` +
    `is wanted: embed them with "${model}")`;
}

interface Companions {
  readonly text: string;
  readonly tokenizer: string;
}

/** By their tasks, so that an entry may name its companions as it likes. */
async function companionsOf(model: string, { service }: ToolContext): Promise<Companions> {
  const models = service(inference);
  const { companions } = await models.entry(model);
  const entries = await Promise.all(Object.values(companions).map((name) => models.entry(name)));
  const named = (task: ModelTask) => entries.find((entry) => entry.task === task)?.name;
  const [text, tokenizer] = [named("text-embedding"), named("tokenizer")];
  if (text !== undefined && tokenizer !== undefined) return { text, tokenizer };
  const lacking = text === undefined ? "text-embedding" : "tokenizer";
  throw new ModelProblem(
    `Cannot label pictures by model "${model}": it has no companion for ${lacking} in models.yaml ` +
      '(a model with a text side is wanted, such as "clip-vit-b32")',
    false,
  );
}

/** The texts' vectors of an open text model: made once a run, and gone with it. */
const known = new WeakMap<ModelSession, Map<string, Promise<readonly Float32Array[]>>>();

async function textVectors(
  { model, labels, template }: LabelsParams,
  context: StepContext,
): Promise<readonly Float32Array[]> {
  const { text, tokenizer } = await companionsOf(model, context);
  await requireHere(tokenizer, context);
  const session = await openModel(text, "text-embedding", context);
  const texts = labels.map((label) => template.replaceAll("{}", () => label));
  const key = JSON.stringify([tokenizer, texts]);
  let byTexts = known.get(session);
  if (byTexts === undefined) known.set(session, byTexts = new Map());
  let vectors = byTexts.get(key);
  if (vectors === undefined) {
    vectors = embedTexts(texts, session, () => context.service(inference).readFile(tokenizer));
    byTexts.set(key, vectors);
    vectors.catch(() => byTexts.delete(key));
  }
  return await vectors;
}

async function embedTexts(
  texts: readonly string[],
  session: ModelSession,
  readJson: () => Promise<Uint8Array>,
): Promise<readonly Float32Array[]> {
  const tokenize = await readTokenizer(await readJson());
  const { entry } = session;
  const outputs = await session.run(texts.map((text) => textFeeds(tokenize(text), entry)));
  return outputs.map((output, at) => {
    const vector = unitVector(output[entry.outputs[0]!.name]!.values);
    if (vector !== undefined) return vector;
    throw new ModelProblem(
      `Cannot embed "${texts[at]}": model "${entry.name}" gives no direction (all 0, or NaN)`,
      false,
    );
  });
}
