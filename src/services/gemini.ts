import type { GoogleGenAI } from "@google/genai";
import { Exchange, isRetriable, type Trouble, TroubleError, troubleWords } from "./exchange.ts";
import {
  type JsonModel,
  type ModelAnswer,
  ModelError,
  type ModelQuestion,
  type ModelSettings,
} from "./json_model.ts";
import type { Environment } from "./openai_compatible.ts";

/** What holds where neither the recipe nor the environment says otherwise. */
export const geminiDefaults = {
  /** Google's name for its newest Flash model in general use; a fixed one is shut down in the end. */
  model: "gemini-flash-latest",
  baseUrl: "https://generativelanguage.googleapis.com",
  urlVariable: "GEMINI_BASE_URL",
  /** The first that is set counts. */
  keyVariables: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
} as const;

/** The ways to ask for JSON, the strictest first; after a 400 the next is tried, and kept if it works. */
const manners = ["schema", "json", "plain"] as const;
type Manner = (typeof manners)[number];

/** Google's Gemini. */
export class GeminiModel implements JsonModel {
  readonly #settings: ModelSettings;
  readonly #key: string | undefined;
  readonly #baseUrl: string;
  readonly #model: string;
  #manner: Manner = "schema";

  constructor(settings: ModelSettings, env: Environment) {
    this.#settings = settings;
    this.#key = geminiDefaults.keyVariables.map((name) => env.get(name)?.trim())
      .find((key) => key !== undefined && key !== "");
    const url = settings.base_url ?? env.get(geminiDefaults.urlVariable)?.trim();
    this.#baseUrl = url === undefined || url === "" ? geminiDefaults.baseUrl : url;
    this.#model = settings.model ?? geminiDefaults.model;
  }

  async ask(question: ModelQuestion): Promise<ModelAnswer> {
    using exchange = new Exchange({
      signal: question.signal,
      timeoutS: this.#settings.timeout_s,
      secrets: this.#key === undefined ? [] : [this.#key],
      turns: this.#settings.turns,
    });
    try {
      const client = await this.#connect(exchange);
      const response = await this.#generate(client, question, exchange);
      return answerOf(response, this.#model, exchange);
    } catch (error) {
      const trouble: Trouble = error instanceof TroubleError
        ? error.trouble
        : { type: "other", words: error instanceof Error ? error.message : String(error) };
      const sentence = `Cannot ask Gemini ("${this.#model}"): ${this.#words(trouble)}`;
      throw new ModelError(exchange.withoutSecrets(sentence), trouble);
    }
  }

  async #connect(exchange: Exchange): Promise<GoogleGenAI> {
    const names = geminiDefaults.keyVariables.join(" or ");
    if (this.#key === undefined) throw keyTrouble(`there is no key (set ${names})`);
    if (!/^[\x21-\x7e]+$/.test(this.#key)) {
      throw keyTrouble(`${names} holds characters that no key has (set it anew)`);
    }
    const url = URL.parse(this.#baseUrl);
    if (url === null || url.username !== "" || url.password !== "" || url.search !== "") {
      throw unusable(`${geminiDefaults.urlVariable} is not an address without name and query`);
    }
    const { GoogleGenAI } = await import("@google/genai");
    return new GoogleGenAI({
      apiKey: this.#key,
      // Said, because the environment could turn it into Vertex AI, with other keys.
      vertexai: false,
      httpOptions: { baseUrl: url.href, fetch: exchange.fetch },
    });
  }

  async #generate(
    client: GoogleGenAI,
    question: ModelQuestion,
    exchange: Exchange,
  ): Promise<unknown> {
    let manner = this.#manner;
    for (let { retries } = this.#settings;;) {
      try {
        const response = await exchange.send(() => send(client, this.#model, question, manner));
        this.#manner = manner;
        return response;
      } catch (error) {
        if (!(error instanceof TroubleError)) throw error;
        const { trouble } = error;
        const next = manners[manners.indexOf(manner) + 1];
        if (next !== undefined && isStatus(trouble, 400) && !holdsForAll(trouble)) {
          manner = next;
          continue;
        }
        if (!isRetriable(trouble) || retries-- === 0) throw error;
        if (!await exchange.pause(trouble.retryAfterMs)) throw error;
      }
    }
  }

  #words(trouble: Trouble): string {
    const names = geminiDefaults.keyVariables.join(" or ");
    if (trouble.type === "unreachable") {
      return `nothing answers at "${URL.parse(this.#baseUrl)?.origin}" (is there a network?)`;
    }
    // Gemini answers 400 to a key that it does not know.
    if (isStatus(trouble, 401) || isStatus(trouble, 400) && isAboutKey(trouble)) {
      return `it does not accept the key in ${names}`;
    }
    if (isStatus(trouble, 403)) {
      return `the key in ${names} may not use this model (HTTP 403)`;
    }
    if (isStatus(trouble, 404)) {
      return 'there is no such model (HTTP 404; "model" takes the names of ' +
        "https://ai.google.dev/gemini-api/docs/models)";
    }
    return troubleWords(trouble);
  }
}

async function send(
  client: GoogleGenAI,
  model: string,
  question: ModelQuestion,
  manner: Manner,
): Promise<unknown> {
  const { user, image } = question;
  return await client.models.generateContent({
    model,
    contents: image === undefined ? user : [{
      role: "user",
      parts: [
        { inlineData: { mimeType: `image/${image.format}`, data: image.bytes.toBase64() } },
        { text: user },
      ],
    }],
    config: {
      systemInstruction: question.system,
      abortSignal: question.signal,
      ...(manner === "plain" ? {} : { temperature: 0, responseMimeType: "application/json" }),
      ...(manner === "schema" ? { responseJsonSchema: question.schema } : {}),
    },
  });
}

/** What the answer's REST form may hold; anything may be missing. */
interface Response {
  readonly modelVersion?: unknown;
  readonly usageMetadata?: {
    readonly promptTokenCount?: unknown;
    readonly candidatesTokenCount?: unknown;
    readonly thoughtsTokenCount?: unknown;
  };
  readonly promptFeedback?: { readonly blockReason?: unknown };
  readonly candidates?: readonly {
    readonly finishReason?: unknown;
    readonly content?: { readonly parts?: readonly Part[] };
  }[];
}

interface Part {
  readonly text?: unknown;
  /** What it thought on the way is no part of the answer. */
  readonly thought?: unknown;
}

/** Reasons to end that leave text which is no answer. */
const refusals = ["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"];

function answerOf(response: unknown, asked: string, exchange: Exchange): ModelAnswer {
  const { modelVersion, promptFeedback, candidates, usageMetadata } = response as Response;
  const candidate = Array.isArray(candidates)
    ? candidates[0] as NonNullable<typeof candidates>[0] | undefined
    : undefined;
  const reason = promptFeedback?.blockReason ?? candidate?.finishReason;
  if (promptFeedback?.blockReason !== undefined || refusals.includes(String(reason))) {
    const words = `the model refuses (${exchange.clean(String(reason), 40)})`;
    throw new TroubleError({ type: "refused", words });
  }
  const parts = candidate?.content?.parts;
  const text = (Array.isArray(parts) ? parts as readonly Part[] : []).map((part) =>
    typeof part.text === "string" && part.thought !== true ? part.text : ""
  ).join("");
  if (text.trim() === "") throw other("its answer holds no text");
  const named = typeof modelVersion === "string" && modelVersion !== "" ? modelVersion : asked;
  return {
    text: exchange.withoutSecrets(text),
    model: exchange.clean(named),
    inputTokens: count(usageMetadata?.promptTokenCount),
    // What it thought is charged as output.
    outputTokens: count(usageMetadata?.candidatesTokenCount, usageMetadata?.thoughtsTokenCount),
  };
}

function count(...tokens: readonly unknown[]): number | undefined {
  const known = tokens.filter((each) => typeof each === "number");
  return known.length === 0 ? undefined : known.reduce((sum, each) => sum + each, 0);
}

function isStatus(
  trouble: Trouble,
  status: number,
): trouble is Trouble & { readonly type: "status" } {
  return trouble.type === "status" && trouble.status === status;
}

/** Whether a 400 is about the key, the quota or the country rather than about what was asked. */
function holdsForAll(trouble: Trouble & { readonly type: "status" }): boolean {
  return isAboutKey(trouble) || trouble.isQuotaSpent ||
    trouble.codes.includes("FAILED_PRECONDITION");
}

export function isAboutKey(trouble: Trouble): boolean {
  return trouble.type === "status" &&
    (/api[ _]?key/i.test(trouble.said) || trouble.codes.includes("API_KEY_INVALID"));
}

function keyTrouble(words: string): TroubleError {
  return new TroubleError({ type: "key", words });
}

function unusable(words: string): TroubleError {
  return new TroubleError({ type: "settings", words });
}

function other(words: string): TroubleError {
  return new TroubleError({ type: "other", words });
}
