import type { Json } from "../runtime/hash.ts";
import { type Releasable, serviceKey } from "../runtime/step.ts";

export const visionProviders = ["gemini", "bedrock", "openai_compatible"] as const;

export type VisionProvider = (typeof visionProviders)[number];

/** Which model is asked, and how hard; as a recipe says it. */
export interface VisionSettings {
  readonly provider: VisionProvider;
  /** The provider's own choice when left out. */
  readonly model?: string;
  /** Of an OpenAI-compatible server; for the others only to reach a stand-in. From the environment when left out. */
  readonly base_url?: string;
  /** Bedrock's; from the environment when left out. */
  readonly region?: string;
  /** Calls begun in any 60 seconds, retries among them. */
  readonly requests_per_minute: number;
  /** Calls under way at the same time. */
  readonly concurrency: number;
  /** Between the beginnings of two calls. */
  readonly min_delay_s: number;
  /** For one call. */
  readonly timeout_s: number;
}

/** A picture as it is sent. */
export interface SentImage {
  readonly bytes: Uint8Array;
  readonly format: "jpeg" | "png" | "webp";
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

export interface VisionQuestion {
  readonly system: string;
  readonly user: string;
  readonly image: SentImage;
  /** JSON Schema of the answer: an object of texts. */
  readonly schema: Json;
  readonly signal: AbortSignal;
}

export interface VisionAnswer {
  /** As the model gave it, which may be anything. */
  readonly text: string;
  /** The model that answered, as the provider names it. */
  readonly model: string;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

/**
 * Why there is no answer, in one clear sentence with the way out; never a key in it.
 *
 * `refused`: the model would not speak about this picture; only this one is concerned.
 */
export class VisionProblem extends Error {
  override readonly name = "VisionProblem";

  constructor(
    message: string,
    readonly problem:
      | "no-key"
      | "wrong-key"
      | "no-network"
      | "no-quota"
      | "no-model"
      | "settings"
      | "refused"
      | "rejected-image"
      | "late"
      | "server",
    /** It would be the same for every other picture. */
    readonly isForAll: boolean,
  ) {
    super(message);
  }
}

/** What a provider takes; dated, with its source, in `models/providers.yaml`. */
export interface ImageLimits {
  readonly formats: readonly ("jpeg" | "png" | "webp")[];
  /** Of the picture itself, before base64. */
  readonly maxBytes: number;
  readonly maxSidePx: number;
}

export interface Forecast {
  readonly model: string;
  /** Per call, estimated for a picture of this size and the given words. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** US dollars per call; undefined where no price is known (a server of one's own: 0). */
  readonly cost?: number;
}

/** A model that looks at pictures. Limits, waits and retries are its own affair. */
export interface Vision {
  readonly limits: ImageLimits;
  /** Throws `VisionProblem`. Waits for its turn, and through 429 and 503 as the server says. */
  ask(question: VisionQuestion): Promise<VisionAnswer>;
  /** Asks nobody. */
  forecast(
    image: { readonly width: number; readonly height: number },
    promptCharacters: number,
  ): Forecast;
  /** Estimated US dollars of an answered call; undefined where no price is known. */
  costOf(answer: VisionAnswer): number | undefined;
}

/** How steps come by a model that sees: the same one for the same settings, so that limits hold for all. */
export interface VisionModels extends Releasable {
  /** Reaches nobody yet. */
  connect(settings: VisionSettings): Promise<Vision>;
}

/** For `context.service(vision)`. */
export const vision = serviceKey<VisionModels>("vision");
