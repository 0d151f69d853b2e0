import type { VisionProvider, VisionQuestion, VisionSettings } from "../../src/services/vision.ts";
import type { Clock, PaceOptions } from "../../src/services/pace.ts";
import { RemoteVision } from "../../src/services/vision_models.ts";
import { canaryKey } from "../baseline/example.ts";
import {
  awsError,
  completion,
  conversed,
  environment,
  generated,
  models,
  ModelServer,
  type SeenRequest,
} from "./model_server.ts";

/** How a provider says things: the same for all of them in their own protocols. */
export interface ProviderProtocol {
  readonly provider: VisionProvider;
  readonly model: string;
  /** A good answer. */
  answer(text: string): Response;
  refusal(): Response;
  /** Too many requests in this minute. */
  tooMuch(retryAfterS?: number): Response;
  /** The quota of the day has run out. */
  spent(): Response;
  wrongKey(): Response;
  unknownModel(): Response;
  blindModel(): Response;
  badImage(): Response;
  broken(): Response;
}

const retryAfter = (seconds: number | undefined): Record<string, string> =>
  seconds === undefined ? {} : { "retry-after": String(seconds) };

interface GoogleError {
  readonly code: number;
  readonly status: string;
  readonly message: string;
  readonly details?: readonly object[];
}

function google({ code, ...error }: GoogleError): Response {
  return Response.json({ error: { code, ...error } }, { status: code });
}

const exceeded = "You exceeded your current quota, please check your plan and billing details.";

/** Google says the same words to both; the violated quota's name and the wait tell them apart. */
function googleQuota(quotaId: string, retryAfterS?: number): Response {
  const type = "type.googleapis.com/google.rpc";
  const quotaMetric = "generativelanguage.googleapis.com/generate_content_free_tier_requests";
  const wait = { "@type": `${type}.RetryInfo`, retryDelay: `${retryAfterS}s` };
  const details = [
    { "@type": `${type}.QuotaFailure`, violations: [{ quotaMetric, quotaId, quotaValue: "10" }] },
    ...retryAfterS === undefined ? [] : [wait],
  ];
  return google({ code: 429, status: "RESOURCE_EXHAUSTED", message: exceeded, details });
}

const gemini: ProviderProtocol = {
  provider: "gemini",
  model: "gemini-flash-latest",
  answer: (text) => generated(text),
  refusal: () => Response.json({ promptFeedback: { blockReason: "SAFETY" } }),
  tooMuch: (retryAfterS) =>
    googleQuota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", retryAfterS),
  spent: () => googleQuota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", 17),
  wrongKey: () =>
    google({
      code: 400,
      status: "INVALID_ARGUMENT",
      message: `API key not valid: ${canaryKey}.`,
      details: [{ reason: "API_KEY_INVALID" }],
    }),
  unknownModel: () => google({ code: 404, status: "NOT_FOUND", message: "models/x is not found" }),
  blindModel: () =>
    google({
      code: 400,
      status: "INVALID_ARGUMENT",
      message: "Image input is not supported by this model",
    }),
  badImage: () =>
    google({ code: 400, status: "INVALID_ARGUMENT", message: "Unable to process input image" }),
  broken: () => google({ code: 500, status: "INTERNAL", message: `no ${canaryKey}` }),
};

const bedrock: ProviderProtocol = {
  provider: "bedrock",
  model: "us.amazon.nova-2-lite-v1:0",
  answer: (text) => {
    try {
      return conversed(JSON.parse(text));
    } catch {
      return conversed(text, "end_turn");
    }
  },
  refusal: () => conversed("no", "content_filtered"),
  tooMuch: (retryAfterS) =>
    awsError(429, "ThrottlingException", "Too many requests", retryAfter(retryAfterS)),
  spent: () => awsError(429, "ThrottlingException", "Too many tokens per day, please wait"),
  wrongKey: () => awsError(403, "UnrecognizedClientException", `not ${canaryKey}`),
  unknownModel: () =>
    awsError(400, "ValidationException", "The provided model identifier is invalid."),
  blindModel: () =>
    awsError(400, "ValidationException", "This model doesn't support the image content block."),
  badImage: () => awsError(400, "ValidationException", "Could not process the image"),
  broken: () => awsError(500, "InternalServerException", `no ${canaryKey}`),
};

function openai(status: number, error: object, headers: HeadersInit = {}): Response {
  return Response.json({ error }, { status, headers });
}

const openaiCompatible: ProviderProtocol = {
  provider: "openai_compatible",
  model: "qwen-vl",
  answer: (text) => completion(text),
  refusal: () => completion(null, { refusal: "I can't help with that." }),
  tooMuch: (retryAfterS) =>
    openai(
      429,
      { message: "Rate limit reached", type: "requests", code: "rate_limit_exceeded" },
      retryAfter(retryAfterS),
    ),
  spent: () =>
    openai(429, { message: exceeded, type: "insufficient_quota", code: "insufficient_quota" }),
  wrongKey: () => openai(401, { message: `Incorrect API key provided: ${canaryKey}` }),
  unknownModel: () => openai(404, { message: "The model does not exist", code: "model_not_found" }),
  blindModel: () => openai(400, { message: "Model does not support images" }),
  badImage: () => openai(400, { message: "Could not decode the image" }),
  broken: () => openai(500, { message: `no ${canaryKey}` }),
};

export const protocols = [gemini, bedrock, openaiCompatible] as const;

/** Every key that a provider takes, all of them the canary. */
export const canaryKeys = {
  GEMINI_API_KEY: canaryKey,
  OPENAI_API_KEY: canaryKey,
  AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
  AWS_SECRET_ACCESS_KEY: canaryKey,
  AWS_SESSION_TOKEN: canaryKey,
  AWS_REGION: "eu-north-1",
};

/** A server that speaks a provider's protocol; what is asked about models it answers itself. */
export function serverOf(
  { provider, model }: ProviderProtocol,
  answer: (call: number, request: SeenRequest) => Response | Promise<Response>,
): ModelServer {
  let call = 0;
  return new ModelServer((request) => {
    const isList = provider === "openai_compatible" && request.path.endsWith("/models");
    return isList ? models(model) : answer(++call, request);
  });
}

/** The questions that a server got, without those about models. */
export function questionsAt({ requests }: ModelServer): readonly SeenRequest[] {
  return requests.filter(({ path }) => !path.endsWith("/models"));
}

/** A clock on which every wait is over at once, and has been as long as it was to be. */
export class HurriedClock implements Clock {
  readonly waits: number[] = [];
  #skippedMs = 0;

  now(): number {
    return performance.now() + this.#skippedMs;
  }

  wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!signal.aborted) {
      this.waits.push(ms);
      this.#skippedMs += ms;
    }
    return Promise.resolve();
  }
}

export interface RemoteOptions extends PaceOptions {
  readonly env?: Readonly<Record<string, string>>;
}

/** The real service, whose keys are the canary unless told otherwise. */
export function remoteVision({ env = canaryKeys, ...options }: RemoteOptions = {}): RemoteVision {
  const runCommand = () => Promise.resolve(undefined);
  return new RemoteVision({ random: () => 1, ...options, env: environment(env), runCommand });
}

export function settingsOf(
  { provider, model }: ProviderProtocol,
  base_url: string,
  settings: Partial<VisionSettings> = {},
): VisionSettings {
  return {
    provider,
    model: provider === "openai_compatible" ? model : undefined,
    base_url,
    requests_per_minute: 600,
    concurrency: 4,
    min_delay_s: 0,
    timeout_s: 10,
    ...settings,
  };
}

export const pictureBytes = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1, 2, 3);

export function pictureQuestion(signal = new AbortController().signal): VisionQuestion {
  const image = { bytes: pictureBytes, format: "jpeg", width: 1195, height: 896 } as const;
  const schema = { type: "object", properties: { viewpoint: { type: "string" } } };
  return { system: "You describe.", user: "What is there?", image, schema, signal };
}
