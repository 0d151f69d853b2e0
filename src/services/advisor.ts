import type { Json } from "../runtime/hash.ts";
import { serviceKey } from "../runtime/step.ts";

/** What a model is asked: it answers in JSON of a schema. */
export interface AdvisorQuestion {
  readonly system: string;
  readonly user: string;
  /** JSON Schema of the answer, as a provider's structured output takes it. */
  readonly schema: Json;
  readonly signal: AbortSignal;
}

export interface AdvisorAnswer {
  /** As the model gave it, which may be anything. */
  readonly text: string;
  /** The model that answered, as the provider names it. */
  readonly model: string;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

/** A language model that gives advice. */
export interface Advisor {
  /** Throws an `Error` whose message is one clear sentence, with the way out; never a key in it. */
  ask(question: AdvisorQuestion): Promise<AdvisorAnswer>;
}

/** Which advisor, as a recipe says it. */
export interface AdvisorSettings {
  readonly provider: "openai_compatible" | "gemini";
  /** The provider's own choice when left out. */
  readonly model?: string;
  /** For `openai_compatible`; found from the environment when left out. */
  readonly base_url?: string;
  /** How long one answer may take. */
  readonly timeout_s: number;
}

/** How steps come by an advisor. */
export type Advisors = (settings: AdvisorSettings) => Advisor;

/** For `context.service(advisors)`. */
export const advisors = serviceKey<Advisors>("advisors");
