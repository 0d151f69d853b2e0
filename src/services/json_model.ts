import type { Json } from "../runtime/hash.ts";
import type { Trouble, Turns } from "./exchange.ts";
import type { SentImage } from "./vision.ts";

/** What a model is asked: it answers in JSON of a schema. */
export interface ModelQuestion {
  readonly system: string;
  readonly user: string;
  /** A picture beside the words, for models that see. */
  readonly image?: SentImage;
  readonly schema: Json;
  readonly signal: AbortSignal;
  /** The server failed at it before: perhaps it cannot have a schema. */
  readonly isAfterFault?: boolean;
}

export interface ModelAnswer {
  /** As the model gave it, which may be anything. */
  readonly text: string;
  /** The model that answered, as the provider names it. */
  readonly model: string;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

/** How a model is reached, whoever asks. */
export interface ModelSettings {
  readonly model?: string;
  /** From the environment when left out. */
  readonly base_url?: string;
  readonly timeout_s: number;
  /** After 429 and 5xx, within the time limit. */
  readonly retries: number;
  /** What it is called in messages: "the advisor". */
  readonly called: string;
  /** Whether it is shown pictures, so that one which sees is wanted. */
  readonly seesPictures?: boolean;
  /** When requests may begin; at once when left out. */
  readonly turns?: Turns;
}

/** A model behind an API. */
export interface JsonModel {
  /** Throws `ModelError`. */
  ask(question: ModelQuestion): Promise<ModelAnswer>;
}

/** Why there is no answer: one clear sentence with the way out, without a key. */
export class ModelError extends Error {
  override readonly name = "ModelError";

  constructor(message: string, readonly trouble: Trouble) {
    super(message);
  }
}
