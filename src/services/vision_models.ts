import { BedrockModel } from "./bedrock.ts";
import { longestPatienceMs, type Trouble, type Turns } from "./exchange.ts";
import { isSightless, visionProblemOf } from "./vision_problem.ts";
import { GeminiModel } from "./gemini.ts";
import { type JsonModel, ModelError, type ModelQuestion } from "./json_model.ts";
import { OpenAICompatibleModel, type Surroundings } from "./openai_compatible.ts";
import { type Clock, Pace, type PaceOptions, systemClock } from "./pace.ts";
import { priceOf, type ProviderFacts, providerFacts, tokensOfImage } from "./provider_facts.ts";
import type {
  Forecast,
  ImageLimits,
  Vision,
  VisionAnswer,
  VisionModels,
  VisionProblem,
  VisionQuestion,
  VisionSettings,
} from "./vision.ts";

export interface RemoteVisionOptions extends Surroundings, PaceOptions {
  /** 0 to 1, for waits; Math.random when left out. */
  readonly random?: () => number;
}

/** The providers' models, one connection and one pace for all who give the same settings. */
export class RemoteVision implements VisionModels {
  readonly #options: RemoteVisionOptions;
  readonly #connected = new Map<string, ConnectedVision>();
  /** These outlive a run: a provider's minute does not end with it. */
  readonly #paces = new Map<string, Pace>();

  constructor(options: RemoteVisionOptions) {
    this.#options = options;
  }

  async connect(settings: VisionSettings): Promise<Vision> {
    const key = JSON.stringify(Object.entries(settings).sort());
    const known = this.#connected.get(key);
    if (known !== undefined) return known;
    const facts = await providerFacts(settings.provider);
    const connected = this.#connected.get(key) ??
      new ConnectedVision({ settings, facts, pace: this.#pace(settings) }, this.#options);
    this.#connected.set(key, connected);
    return connected;
  }

  /** How long an answer may take makes no other provider. */
  #pace({ timeout_s: _, ...settings }: VisionSettings): Pace {
    const key = JSON.stringify(Object.entries(settings).sort());
    const pace = this.#paces.get(key) ?? new Pace(settings, this.#options);
    this.#paces.set(key, pace);
    return pace;
  }

  // deno-lint-ignore require-await
  async release(): Promise<void> {
    this.#connected.clear();
  }
}

/** Tokens of a caption in JSON, for estimates. */
const answerTokens = 120;

/** English in JSON: characters a token. */
const charactersPerToken = 4;

/** So many answers of "too much" in a row, nobody being answered in between, and it is given up. */
const mostRefusedTurns = 9;
/** After so many faults of the server a picture is given up. */
const mostServerFaults = 4;
/** What was reached before is waited for longer than what never was. */
const mostUnreached = { before: 5, never: 2 };

const firstWaitMs = 1_000;
const longestWaitMs = 60_000;

interface Connection {
  readonly settings: VisionSettings;
  readonly facts: ProviderFacts;
  readonly pace: Pace;
}

class ConnectedVision implements Vision {
  readonly limits: ImageLimits;
  readonly #model: JsonModel;
  readonly #name: string;
  readonly #facts: ProviderFacts;
  readonly #pace: Pace;
  readonly #clock: Clock;
  readonly #random: () => number;
  #hasAnswered = false;
  /** Answers of "too much" since the last good one; those to calls made side by side count once. */
  #refusedTurns = 0;
  #restingSince = -Infinity;
  /** What is the same for every picture: whoever still waits for a turn is told so, and asks nobody. */
  #problemForAll: VisionProblem | undefined;

  constructor({ settings, facts, pace }: Connection, options: RemoteVisionOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#pace = pace;
    this.#facts = facts;
    this.#name = settings.model ?? facts.model;
    const turns: Turns = {
      run: (call, signal) => pace.run(() => this.#unlessHopeless(call), signal),
    };
    this.#model = modelOf({ ...settings, model: this.#name || undefined }, turns, options);
    this.limits = {
      formats: facts.formats,
      maxBytes: priceOf(facts, this.#name)?.max_bytes ?? facts.max_bytes,
      maxSidePx: facts.max_side_px,
    };
  }

  async ask(question: VisionQuestion): Promise<VisionAnswer> {
    let isAfterFault = false;
    // Without those to whom it was too much: these say nothing about the picture.
    let failures = 0;
    for (;;) {
      const askedAt = this.#clock.now();
      try {
        return await this.#askOnce({ ...question, isAfterFault });
      } catch (error) {
        if (this.#problemForAll !== undefined) throw this.#problemForAll;
        if (!(error instanceof ModelError)) throw error;
        const { trouble } = error;
        if (isTooMuch(trouble)) this.#noteRefusedTurn(askedAt);
        else failures++;
        if (!this.#mayHelp(trouble, failures)) throw this.#noted(visionProblemOf(error));
        await this.#rest(trouble, failures, question.signal);
        if (question.signal.aborted) throw visionProblemOf(error);
        isAfterFault = trouble.type === "status" && trouble.status === 500;
      }
    }
  }

  #noted(problem: VisionProblem): VisionProblem {
    if (problem.isForAll) this.#problemForAll ??= problem;
    return problem;
  }

  async #unlessHopeless<Value>(call: () => Promise<Value>): Promise<Value> {
    if (this.#problemForAll !== undefined) throw this.#problemForAll;
    return await call();
  }

  async #askOnce(question: ModelQuestion): Promise<VisionAnswer> {
    const answer = await this.#model.ask(question);
    this.#hasAnswered = true;
    this.#refusedTurns = 0;
    return answer;
  }

  /** Whether asking again may end otherwise. */
  #mayHelp(trouble: Trouble, failures: number): boolean {
    if (trouble.type === "status" && isSightless(trouble)) return false;
    if (isTooMuch(trouble)) return this.#refusedTurns < mostRefusedTurns;
    if (isFault(trouble)) {
      const asked = trouble.type === "status" ? trouble.retryAfterMs ?? 0 : 0;
      return failures < mostServerFaults && asked <= longestPatienceMs;
    }
    if (trouble.type === "unreachable") {
      return failures < (this.#hasAnswered ? mostUnreached.before : mostUnreached.never);
    }
    return (trouble.type === "late" || trouble.type === "web-page") && failures < 2;
  }

  #noteRefusedTurn(askedAt: number) {
    if (askedAt < this.#restingSince) return;
    this.#restingSince = this.#clock.now();
    this.#refusedTurns++;
  }

  /** As long as the server says, else twice as long each time, with jitter. */
  async #rest(trouble: Trouble, failures: number, signal: AbortSignal) {
    const asked = trouble.type === "status" ? trouble.retryAfterMs : undefined;
    if (isTooMuch(trouble)) {
      // Too many requests concern everybody. A server that keeps saying "soon" is not believed.
      const isBelieved = asked !== undefined && this.#refusedTurns < 3;
      return this.#pace.rest(isBelieved ? asked : this.#doubled(this.#refusedTurns, asked));
    }
    await this.#clock.wait(asked ?? this.#doubled(failures), signal);
  }

  #doubled(times: number, least = 0): number {
    const doubled = Math.min(firstWaitMs * 2 ** (times - 1), longestWaitMs);
    return Math.max(least, doubled * (0.5 + this.#random() / 2));
  }

  forecast(
    image: { readonly width: number; readonly height: number },
    promptCharacters: number,
  ): Forecast {
    const model = this.#name;
    const inputTokens = tokensOfImage(this.#facts, model, image) +
      Math.ceil(promptCharacters / charactersPerToken);
    const outputTokens = answerTokens + (priceOf(this.#facts, model)?.thought_tokens ?? 0);
    return { model, inputTokens, outputTokens, cost: this.#cost(inputTokens, outputTokens, model) };
  }

  costOf({ inputTokens, outputTokens, model }: VisionAnswer): number | undefined {
    const name = priceOf(this.#facts, model) === undefined ? this.#name : model;
    const isCounted = inputTokens !== undefined || outputTokens !== undefined;
    return isCounted ? this.#cost(inputTokens ?? 0, outputTokens ?? 0, name) : undefined;
  }

  #cost(inputTokens: number, outputTokens: number, model: string): number | undefined {
    if (this.#model instanceof OpenAICompatibleModel && this.#model.isLoopback) return 0;
    const price = priceOf(this.#facts, model);
    return price && (inputTokens * price.input + outputTokens * price.output) / 1e6;
  }
}

function modelOf(
  settings: VisionSettings,
  turns: Turns,
  { env, runCommand }: Surroundings,
): JsonModel {
  const { provider, model, base_url, region, timeout_s } = settings;
  const common = {
    model,
    base_url,
    timeout_s,
    retries: 0,
    called: "the model",
    seesPictures: true,
    turns,
  };
  switch (provider) {
    case "gemini":
      return new GeminiModel(common, env);
    case "bedrock":
      return new BedrockModel({ ...common, model: model!, region }, env);
    case "openai_compatible":
      return new OpenAICompatibleModel(common, { env, runCommand });
  }
}

/** 429, and nothing that is used up for longer than a minute. */
function isTooMuch(trouble: Trouble): boolean {
  return trouble.type === "status" && trouble.status === 429 && !trouble.isQuotaSpent;
}

/** 408 and 424 are Bedrock's words for a model that took too long or broke. */
function isFault(trouble: Trouble): boolean {
  return trouble.type === "broken-off" || trouble.type === "not-json" ||
    (trouble.type === "status" && (trouble.status >= 500 || [408, 424].includes(trouble.status)));
}
