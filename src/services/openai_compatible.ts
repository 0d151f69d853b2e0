import type OpenAI from "openai";
import { Exchange, isRetriable, type Trouble, TroubleError, troubleWords } from "./exchange.ts";
import {
  type JsonModel,
  type ModelAnswer,
  ModelError,
  type ModelQuestion,
  type ModelSettings,
} from "./json_model.ts";

/** Reads variables of the environment. */
export interface Environment {
  get(name: string): string | undefined;
}

/** Runs a command and gives what it prints; undefined when there is no such command. */
export type RunCommand = (
  command: string,
  args: readonly string[],
  signal: AbortSignal,
) => Promise<string | undefined>;

export interface Surroundings {
  readonly env: Environment;
  readonly runCommand: RunCommand;
}

/** What holds where neither the recipe nor the environment says otherwise. */
export const openaiCompatibleDefaults = {
  /** Variables with the base URL, the first that is set counts. */
  urlVariables: ["TINTYPE_OPENAI_BASE_URL", "FOUNDRY_LOCAL_ENDPOINT", "OPENAI_BASE_URL"],
  keyVariable: "OPENAI_API_KEY",
  /** Local servers want some key and check none. */
  keyPlaceholder: "none",
  /**
   * How Foundry Local is asked where it is. Its command was `service` up to 0.9 and is `server` from
   * 0.10; both print the address, with a port that changes at every start.
   */
  statusCommands: [["service", "status"], ["server", "status"]],
  /** An alias of Foundry Local's catalogue that runs without a graphics card. It sees no pictures. */
  suggestedModel: "phi-4-mini",
  /** One that sees, in Ollama's library, and where Ollama answers. */
  suggestedEyes: { model: "qwen2.5vl", url: "http://localhost:11434/v1" },
} as const;

/**
 * The ways to ask for JSON, the strictest first. A server that answers 400 to one is asked the next:
 * LM Studio has no `json_object`, many servers have no `json_schema`, and reasoning models refuse a
 * temperature. Foundry Local answered 500 to `json_schema` (microsoft/foundry-local, issue 81), so
 * after a 5xx the retry asks the plainest way.
 */
const manners = ["json_schema", "json_object", "plain"] as const;
type Manner = (typeof manners)[number];

/** Names of models that see, as they are commonly given. */
const eyes = /vision|llava|moondream|pixtral|multimodal|omni|gemma-?3|minicpm-?v|\dvl\b|[-_]vl\b/i;

interface Server {
  readonly url: string;
  readonly isLoopback: boolean;
}

/** A model behind a server that speaks OpenAI's chat completions: Foundry Local, and many others. */
export class OpenAICompatibleModel implements JsonModel {
  readonly #settings: ModelSettings;
  readonly #surroundings: Surroundings;
  readonly #key: string | undefined;
  #server?: Server;
  #model?: string;
  #manner: Manner = "json_schema";
  /** Plain questions in a row that were answered after a fault. */
  #rescues = 0;
  #preparing?: Promise<void>;

  constructor(settings: ModelSettings, surroundings: Surroundings) {
    this.#settings = settings;
    this.#surroundings = surroundings;
    const key = surroundings.env.get(openaiCompatibleDefaults.keyVariable)?.trim();
    this.#key = key === "" ? undefined : key;
  }

  /**
   * Whether the server is on this machine, so that its answers are free of charge. Where no address is
   * given it will be: Foundry Local's.
   */
  get isLoopback(): boolean {
    if (this.#server !== undefined) return this.#server.isLoopback;
    try {
      return this.#givenServer()?.isLoopback ?? true;
    } catch {
      return false;
    }
  }

  async ask(question: ModelQuestion): Promise<ModelAnswer> {
    using exchange = new Exchange({
      signal: question.signal,
      timeoutS: this.#settings.timeout_s,
      secrets: this.#key === undefined ? [] : [this.#key],
      turns: this.#settings.turns,
    });
    try {
      await this.#prepare(exchange);
      const client = await this.#connect(this.#server!, exchange);
      const completion = await this.#complete(client, question, exchange);
      return answerOf(completion, this.#model!, exchange);
    } catch (error) {
      const trouble = troubleOf(error);
      throw new ModelError(exchange.withoutSecrets(this.#sentence(trouble)), trouble);
    }
  }

  /** Finds server and model, once for all who ask meanwhile. */
  #prepare(exchange: Exchange): Promise<void> {
    this.#preparing ??= this.#find(exchange).catch((error) => {
      this.#preparing = undefined;
      throw error;
    });
    return this.#preparing;
  }

  async #find(exchange: Exchange) {
    this.#server = await this.#findServer(exchange);
    this.#model = await this.#chooseModel(await this.#connect(this.#server, exchange), exchange);
  }

  /** The base URL from the recipe, else the environment. */
  #givenServer(): Server | undefined {
    const { base_url } = this.#settings;
    if (base_url !== undefined) return serverAt(base_url, '"base_url"');
    for (const name of openaiCompatibleDefaults.urlVariables) {
      const value = this.#surroundings.env.get(name)?.trim();
      if (value !== undefined && value !== "") return serverAt(value, name);
    }
    return undefined;
  }

  /** The base URL that is given, else from Foundry Local itself. */
  async #findServer(exchange: Exchange): Promise<Server> {
    const given = this.#givenServer();
    if (given !== undefined) return given;
    for (const args of openaiCompatibleDefaults.statusCommands) {
      const printed = await exchange.run(async () => {
        const printed = await this.#surroundings.runCommand("foundry", args, exchange.signal);
        exchange.signal.throwIfAborted();
        return printed;
      });
      const url = printed === undefined ? undefined : urlInStatus(printed);
      if (url !== undefined) return serverAt(url, "foundry");
    }
    throw unusable(
      `no address of a server is known (${this.#startWords()}; ` +
        'or give "base_url" or TINTYPE_OPENAI_BASE_URL)',
    );
  }

  async #connect(server: Server, exchange: Exchange): Promise<OpenAI> {
    const { keyPlaceholder, keyVariable } = openaiCompatibleDefaults;
    if (this.#key !== undefined && !/^[\x21-\x7e]+$/.test(this.#key)) {
      throw new TroubleError({
        type: "key",
        words: `${keyVariable} holds characters that no key has (set it anew)`,
      });
    }
    const { default: Client } = await import("openai");
    return new Client({
      baseURL: server.url,
      apiKey: this.#key ?? keyPlaceholder,
      // The library would send these from the environment to whatever server this is.
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
      fetch: exchange.fetch,
      maxRetries: 0,
      // The exchange keeps time, and a turn may be long in coming.
      timeout: 2 ** 31 - 1,
      // Its debug log shows requests.
      logLevel: "off",
    });
  }

  /**
   * The model from the settings, else the first that the server lists. A local server lists few:
   * there a name also stands for the model whose id begins with it, as Foundry Local's aliases do.
   */
  async #chooseModel(client: OpenAI, exchange: Exchange): Promise<string> {
    const wanted = this.#settings.model;
    if (wanted !== undefined && !this.#server!.isLoopback) return wanted;
    let ids: readonly string[];
    try {
      ids = idsOf(await exchange.send(() => client.get<unknown>("/models")));
    } catch (error) {
      if (wanted !== undefined && hasStatus(error, [404, 405, 501])) return wanted;
      throw error;
    }
    if (wanted !== undefined) return modelNamed(wanted, ids);
    const speaking = ids.filter((id) => !/embed|whisper|rerank/i.test(id));
    const seeing = this.#settings.seesPictures ? speaking.find((id) => eyes.test(id)) : undefined;
    const first = seeing ?? speaking[0] ?? ids[0];
    if (first !== undefined) return first;
    const { suggestedModel, suggestedEyes } = openaiCompatibleDefaults;
    throw unusable(
      this.#settings.seesPictures
        ? `it has no model loaded (load one that sees pictures, such as "${suggestedEyes.model}")`
        : `it has no model loaded (\`foundry model run ${suggestedModel}\` loads one)`,
    );
  }

  async #complete(
    client: OpenAI,
    question: ModelQuestion,
    exchange: Exchange,
  ): Promise<unknown> {
    let manner: Manner = question.isAfterFault ? "plain" : this.#manner;
    for (let { retries } = this.#settings;;) {
      try {
        const completion = await exchange.send(() => send(client, this.#model!, question, manner));
        this.#remember(manner, question);
        return completion;
      } catch (error) {
        if (!(error instanceof TroubleError)) throw error;
        const next = manners[manners.indexOf(manner) + 1];
        if (next !== undefined && hasStatus(error, [400, 415, 422, 501])) {
          manner = next;
          continue;
        }
        const { trouble } = error;
        if (!isRetriable(trouble) || retries-- === 0) throw error;
        if (!await exchange.pause(trouble.retryAfterMs)) throw error;
        if (trouble.status === 500) manner = "plain";
      }
    }
  }

  /** A fault may have had other reasons than the schema; twice in a row, it was the schema. */
  #remember(manner: Manner, { isAfterFault = false }: ModelQuestion) {
    this.#rescues = isAfterFault ? this.#rescues + 1 : 0;
    if (!isAfterFault || this.#rescues >= 2) this.#manner = manner;
  }

  #sentence(trouble: Trouble): string {
    const at = this.#server === undefined ? "" : ` at "${this.#server.url}"`;
    return `Cannot ask ${this.#settings.called}${at}: ${this.#words(trouble)}`;
  }

  #words(trouble: Trouble): string {
    const { keyVariable } = openaiCompatibleDefaults;
    if (trouble.type === "unreachable") {
      return this.#server?.isLoopback
        ? `nothing answers there (${this.#startWords()})`
        : 'nothing answers there (is "base_url" right, and the server running?)';
    }
    if (trouble.type !== "status") return troubleWords(trouble);
    switch (trouble.status) {
      case 401:
        return this.#key === undefined
          ? `it wants a key (HTTP 401; set ${keyVariable})`
          : `it does not accept the key in ${keyVariable} (HTTP 401)`;
      case 403:
        return `the key in ${keyVariable} may not use ${this.#modelWords()} (HTTP 403)`;
      case 404:
        return `it does not know its address or ${this.#modelWords()} (HTTP 404; ` +
          `base URLs end in "/v1"; \`foundry model list\` lists models)`;
      default:
        return troubleWords(trouble);
    }
  }

  #modelWords(): string {
    return this.#model === undefined ? "the model" : `the model "${this.#model}"`;
  }

  /** How a server is started, with a model that does what is wanted of it. */
  #startWords(): string {
    const { suggestedModel, suggestedEyes } = openaiCompatibleDefaults;
    if (this.#settings.seesPictures) {
      return "start a server with a model that sees pictures, such as Ollama at " +
        `${suggestedEyes.url} with \`ollama pull ${suggestedEyes.model}\``;
    }
    return "start Foundry Local: `foundry service start` (`foundry server start` from 0.10 on), " +
      `then \`foundry model run ${this.#settings.model ?? suggestedModel}\``;
  }
}

/**
 * The address in what `foundry service status` prints, as of a line `… is running on
 * http://127.0.0.1:55064/openai/status`; undefined when it names none.
 */
export function urlInStatus(printed: string): string | undefined {
  const found = /https?:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]):\d+/i.exec(printed)?.[0];
  return found === undefined ? undefined : `${found}/v1`;
}

/** Checks a base URL; one without a path gets `/v1`, where such servers have their API. */
function serverAt(text: string, from: string): Server {
  const url = URL.parse(text.trim());
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw unusable(`${from} is not an address (such as "http://127.0.0.1:5273/v1")`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "") {
    const { keyVariable } = openaiCompatibleDefaults;
    throw unusable(
      `${from} holds a name, a password or a query (a key belongs into ${keyVariable})`,
    );
  }
  const path = url.pathname.replace(/\/+$/, "");
  return {
    url: `${url.origin}${path === "" ? "/v1" : path}`,
    isLoopback: /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname),
  };
}

async function send(
  client: OpenAI,
  model: string,
  question: ModelQuestion,
  manner: Manner,
): Promise<unknown> {
  const messages = [
    { role: "system", content: question.system },
    { role: "user", content: contentOf(question) },
  ] as const;
  const { signal } = question;
  return await client.chat.completions.create({
    model,
    messages: [...messages],
    ...(manner === "plain" ? {} : { temperature: 0 }),
    ...formatOf(manner, question),
  }, { signal });
}

function contentOf({ user, image }: ModelQuestion) {
  if (image === undefined) return user;
  const url = `data:image/${image.format};base64,${image.bytes.toBase64()}`;
  return [
    { type: "image_url", image_url: { url } } as const,
    { type: "text", text: user } as const,
  ];
}

function formatOf(manner: Manner, { schema }: ModelQuestion) {
  if (manner === "plain") return {};
  if (manner === "json_object") return { response_format: { type: manner } } as const;
  const json_schema = { name: "answer", strict: true, schema: schema as Record<string, unknown> };
  return { response_format: { type: manner, json_schema } } as const;
}

/** What servers that call themselves compatible really send: anything may be missing. */
interface Completion {
  readonly model?: unknown;
  readonly usage?: { readonly prompt_tokens?: unknown; readonly completion_tokens?: unknown };
  readonly choices?: readonly {
    readonly finish_reason?: unknown;
    readonly message?: { readonly content?: unknown; readonly refusal?: unknown };
  }[];
}

function answerOf(completion: unknown, asked: string, exchange: Exchange): ModelAnswer {
  const { model, choices, usage } = completion as Completion;
  const choice = Array.isArray(choices) ? choices[0] as NonNullable<typeof choices>[0] : undefined;
  const { content, refusal } = choice?.message ?? {};
  if (typeof refusal === "string" && refusal !== "") {
    throw refused(`the model refuses: ${exchange.clean(refusal)}`);
  }
  if (choice?.finish_reason === "content_filter") {
    throw refused("a content filter held its answer back");
  }
  const text = contentText(content);
  if (text.trim() === "") throw other("its answer holds no text");
  const named = typeof model === "string" && model.trim() !== "" ? model : asked;
  return {
    text: exchange.withoutSecrets(text),
    model: exchange.clean(named),
    inputTokens: count(usage?.prompt_tokens),
    outputTokens: count(usage?.completion_tokens),
  };
}

function count(tokens: unknown): number | undefined {
  return typeof tokens === "number" ? tokens : undefined;
}

function troubleOf(error: unknown): Trouble {
  if (error instanceof TroubleError) return error.trouble;
  return { type: "other", words: error instanceof Error ? error.message : String(error) };
}

function refused(words: string): TroubleError {
  return new TroubleError({ type: "refused", words });
}

/** A message's text, which some servers send in parts. */
function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => {
    const text = (part as { readonly text?: unknown } | null)?.text;
    return typeof text === "string" ? text : "";
  }).join("");
}

function idsOf(list: unknown): readonly string[] {
  const { data } = list as { readonly data?: unknown };
  if (!Array.isArray(data)) return [];
  return data.flatMap((each) => {
    const id = (each as { readonly id?: unknown } | null)?.id;
    return typeof id === "string" && id !== "" ? [id] : [];
  });
}

function modelNamed(wanted: string, ids: readonly string[]): string {
  const start = wanted.toLowerCase();
  return ids.find((id) => id === wanted) ??
    ids.find((id) => id.toLowerCase().startsWith(start)) ?? wanted;
}

function hasStatus(error: unknown, statuses: readonly number[]): boolean {
  return error instanceof TroubleError && error.trouble.type === "status" &&
    statuses.includes(error.trouble.status);
}

function unusable(words: string): TroubleError {
  return new TroubleError({ type: "settings", words });
}

function other(words: string): TroubleError {
  return new TroubleError({ type: "other", words });
}
