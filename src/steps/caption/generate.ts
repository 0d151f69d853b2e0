import { z } from "zod";
import { type Caption, type Profile, profileShape } from "../../captions/caption.ts";
import { composed } from "../../captions/compose.ts";
import { draftSlots, type Measured } from "../../captions/draft.ts";
import { profiles } from "../../captions/profiles.ts";
import { type Prompt, promptOf, repairPrompt } from "../../captions/prompt.ts";
import { checkAnswer, type CheckedAnswer } from "../../captions/validate.ts";
import type { Image } from "../../imaging/image.ts";
import { measureContent } from "../../imaging/measures.ts";
import {
  defineStep,
  each,
  failed,
  type InputValues,
  one,
  produced,
  type StepContext,
  type ToolContext,
} from "../../runtime/step.ts";
import {
  type SentImage,
  type Vision,
  vision,
  type VisionAnswer,
  VisionProblem,
  visionProviders,
} from "../../services/vision.ts";
import { labels, objects } from "../inspect/kinds.ts";
import { image } from "../kinds.ts";
import { gate } from "../dataset/check.ts";
import { caption } from "./kinds.ts";

const params = z.object({
  provider: z.enum(["draft", ...visionProviders]).default("draft").meta({
    description:
      "who describes the pictures; draft composes captions of measurements, without a key",
  }),
  model: z.string().min(1).optional().meta({
    description: "the model's name; the provider's usual one when left out",
  }),
  profile: z.union([z.enum(["space", "person"]), profileShape]).default("space").meta({
    description: "how captions are structured: space, person, or slots of your own",
  }),
  base_url: z.string().regex(
    /^https?:\/\/[^\s/?#@]+(\/[^\s?#@]*)?$/,
    'it is no address of a server ("http://localhost:8000/v1" is one)',
  ).optional().meta({
    description: "address of an OpenAI-compatible server; from the environment when left out",
    isSetting: true,
  }),
  region: z.string().regex(/^[a-z0-9-]+$/, 'it is no region ("eu-west-1" is one)').optional().meta({
    description: "region of Bedrock; AWS_REGION when left out",
    isSetting: true,
  }),
  requests_per_minute: z.number().gt(0).max(100_000).default(60).meta({
    description: "calls begun in any minute, repeated ones among them",
    isSetting: true,
  }),
  concurrency: z.int().min(1).max(64).default(4).meta({
    description: "calls under way at the same time",
    isSetting: true,
  }),
  min_delay_s: z.number().min(0).max(3600).default(0).meta({
    description: "between the beginnings of two calls",
    unit: "s",
    isSetting: true,
  }),
  timeout_s: z.number().gt(0).max(3600).default(60).meta({
    description: "how long one answer may take",
    unit: "s",
    isSetting: true,
  }),
});
type Params = z.output<typeof params>;

const ports = {
  image: each(image, "the pictures as they are sent: upright, sRGB, shrunk (image.proxy)"),
  objects: each(objects, "for drafts: what is where in them", { isOptional: true }),
  labels: each(labels, "for drafts: what they show", { isOptional: true }),
  gate: one(gate, "a check that has to be passed before anything is sent", { isOptional: true }),
};

/** A typical answer, for the forecast. */
const forecastImage = { width: 1195, height: 896 };

/**
 * Captions pictures in one consistent structure: the model fills the profile's slots in a JSON schema,
 * and the caption is composed of them, `photo of {trigger} <slot>, <slot>, …`. An answer that breaks the
 * rules is asked for once more, with what was wrong; what still fails is kept and marked
 * `needs_review`, its empty slots filled with what was measured.
 *
 * The trigger word is not asked for, nor part of the key: `caption.compose` puts it in. A picture is
 * asked about once for a profile, a provider and a model; addresses, rates and waits do not count.
 */
export const generate = defineStep({
  name: "caption.generate",
  version: 1,
  doc: "Captions pictures in one structure, by a model that sees or as drafts of measurements.",
  origin: "remote",
  pool: "vision",
  inputs: ports,
  params,
  outputs: { caption: each(caption, "captions, the trigger word still open") },
  unusedPorts: ({ provider }) => provider === "draft" ? [] : ["objects", "labels"],
  async tools(params, context): Promise<Readonly<Record<string, string>>> {
    if (params.provider === "draft" || params.model !== undefined) return {};
    const { model } = (await modelOf(params, context)).forecast(forecastImage, 0);
    return model === "" ? {} : { model };
  },
  async forecast(count, params, context) {
    if (params.provider === "draft") return undefined;
    const { system, user } = promptOf(profileOf(params));
    const model = await modelOf(params, context);
    return forecastWords(count, params, model.forecast(forecastImage, system.length + user.length));
  },
  async run(inputs, params, context) {
    const profile = profileOf(params);
    const opened = await inputs.image.read();
    if (params.provider === "draft") {
      const measured = await measuredOf(opened, inputs);
      const slots = draftSlots(profile, measured);
      return produced({ caption: captionOf(profile, slots, { source: "draft" }) });
    }
    const model = await modelOf(params, context);
    try {
      const sent = await sentImage(inputs.image.ref.byteLength, opened, model);
      const asked = await askTwice(model, sent, { profile, params, context });
      return produced({ caption: await keep(asked, profile, opened, params) });
    } catch (error) {
      if (!(error instanceof VisionProblem)) throw error;
      if (error.problem !== "refused") return failed(error.message, { stopsNode: error.isForAll });
      const refused = { slots: {}, problems: [error.message], model: null };
      return produced({ caption: await keep(refused, profile, opened, params) });
    }
  },
});

function profileOf({ profile }: Params): Profile {
  return typeof profile === "string" ? profiles[profile] : profile;
}

async function modelOf(params: Params, context: ToolContext): Promise<Vision> {
  const { provider, model, base_url, region, ...pace } = params;
  if (provider === "draft") throw new TypeError("a draft asks no model");
  const { requests_per_minute, concurrency, min_delay_s, timeout_s } = pace;
  return await context.service(vision).connect({
    provider,
    model,
    base_url,
    region,
    requests_per_minute,
    concurrency,
    min_delay_s,
    timeout_s,
  });
}

function forecastWords(
  count: number,
  { provider }: Params,
  { model, inputTokens, outputTokens, cost }: ReturnType<Vision["forecast"]>,
): string {
  const tokens = Math.round(count * (inputTokens + outputTokens)).toLocaleString("en");
  const price = cost === undefined
    ? "price unknown"
    : cost === 0
    ? "free of charge"
    : `about $${(count * cost).toPrecision(2)}`;
  const name = model === "" ? provider : model;
  return `${count} ${count === 1 ? "call" : "calls"} to ${name}, about ${tokens} tokens, ${price}`;
}

/** The picture's file as it is, once it is known to be one that the provider takes. */
async function sentImage(byteLength: number, opened: Image, model: Vision): Promise<SentImage> {
  const { format, width, height } = await opened.header();
  const { formats, maxBytes, maxSidePx } = model.limits;
  const problem = !(formats as readonly string[]).includes(format)
    ? `its format is ${format} (${formats.join(", ")} are taken)`
    : byteLength > maxBytes
    ? `it has ${byteLength} bytes (at most ${maxBytes})`
    : Math.max(width, height) > maxSidePx
    ? `it is ${width}×${height} px (at most ${maxSidePx} px a side)`
    : undefined;
  if (problem !== undefined) {
    throw new VisionProblem(
      `Cannot send the picture: ${problem}; put image.proxy in between`,
      "rejected-image",
      false,
    );
  }
  return { bytes: await opened.bytes(), format: format as SentImage["format"], width, height };
}

interface Asked extends CheckedAnswer {
  readonly model: string | null;
}

interface Asking {
  readonly profile: Profile;
  readonly params: Params;
  readonly context: StepContext;
}

/** Asks, and once more where the answer breaks the rules; the better of the two counts. */
async function askTwice(model: Vision, sent: SentImage, asking: Asking): Promise<Asked> {
  const { profile } = asking;
  const answer = await ask(model, sent, promptOf(profile), asking);
  const first = { ...checkAnswer(answer.text, profile), model: answer.model };
  if (first.problems.length === 0) return first;
  const repair = repairPrompt(profile, answer.text, first.problems);
  const again = await ask(model, sent, repair, asking);
  const second = { ...checkAnswer(again.text, profile), model: again.model };
  return second.problems.length <= first.problems.length ? second : first;
}

async function ask(
  model: Vision,
  image: SentImage,
  { system, user, schema }: Prompt,
  { params, context }: Asking,
): Promise<VisionAnswer> {
  const { signal } = context;
  const answer = await model.ask({ system, user, schema, image, signal });
  context.remoteCalled({
    provider: params.provider,
    model: answer.model,
    inputTokens: answer.inputTokens,
    outputTokens: answer.outputTokens,
    cost: model.costOf(answer),
  });
  return answer;
}

/** What was answered as a caption; what is missing in it is filled with what was measured. */
async function keep(
  { slots, problems, model }: Asked,
  profile: Profile,
  opened: Image,
  { provider }: Params,
): Promise<Caption> {
  if (problems.length === 0) {
    return captionOf(profile, slots, { source: "model", provider, model });
  }
  const measured = draftSlots(profile, await measuredOf(opened, {}));
  const filled = Object.fromEntries(
    profile.slots.map(({ name, is_optional }) => {
      const said = slots[name] ?? "";
      return [name, said !== "" || is_optional ? said : measured[name]!];
    }),
  );
  return captionOf(profile, filled, { source: "model", provider, model, problems });
}

function captionOf(
  profile: Profile,
  slots: Readonly<Record<string, string>>,
  { problems = [], ...rest }: Pick<Caption, "source"> & Partial<Caption>,
): Caption {
  const text = composed(profile, slots);
  return {
    text: text.length > profile.max_characters ? cut(text, profile.max_characters) : text,
    slots: { ...slots },
    profile: profile.name,
    state: problems.length > 0 ? "needs_review" : "auto",
    locked: false,
    provider: null,
    model: null,
    problems,
    ...rest,
  };
}

/** At a comma where there is one, so that no phrase ends in its middle. */
function cut(text: string, most: number): string {
  const comma = text.lastIndexOf(", ", most);
  return text.slice(0, comma > most / 2 ? comma : most).trim();
}

/** At this size, measures are those of a thumbnail: enough for "bright" and "green". */
const measuredPx = 224;

async function measuredOf(
  opened: Image,
  inputs: Partial<Pick<InputValues<typeof ports>, "objects" | "labels">>,
): Promise<Measured> {
  const { width, height } = await opened.header();
  const content = measureContent(await opened.raster({ short_side_px: measuredPx }));
  const seen = await inputs.objects?.read();
  const shown = await inputs.labels?.read();
  return {
    width,
    height,
    content,
    objects: seen?.labels ?? {},
    scene: shown?.label ?? null,
    faces: seen?.faces.length ?? 0,
  };
}
