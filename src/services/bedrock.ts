import type { BedrockRuntimeClient, ConverseCommandInput } from "@aws-sdk/client-bedrock-runtime";
import { Exchange, type Trouble, TroubleError, troubleWords } from "./exchange.ts";
import {
  type JsonModel,
  type ModelAnswer,
  ModelError,
  type ModelQuestion,
  type ModelSettings,
} from "./json_model.ts";
import type { Environment } from "./openai_compatible.ts";

/** The tool whose input is the answer: Converse's way to JSON of a schema. */
const toolName = "answer";

/**
 * The ways to ask for JSON, the strictest first; a model that refuses one is asked the next, which is
 * kept if it works. Not all take a choice of tools (Llama), and not all take tools or a temperature.
 */
const manners = ["chosen-tool", "tool", "plain"] as const;
type Manner = (typeof manners)[number];

const regionVariables = ["AWS_REGION", "AWS_DEFAULT_REGION"] as const;
const keyVariables = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] as const;
const bearerVariable = "AWS_BEARER_TOKEN_BEDROCK";
const keyWays = `AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or ${bearerVariable}`;

export interface BedrockSettings extends ModelSettings {
  readonly model: string;
  /** AWS_REGION or AWS_DEFAULT_REGION when left out, else the profile's. */
  readonly region?: string;
}

/**
 * A model of Amazon Bedrock through Converse. Keys come from the environment, else in the other ways
 * that AWS's own library knows: profiles, single sign-on, the machine's role.
 */
export class BedrockModel implements JsonModel {
  readonly #settings: BedrockSettings;
  readonly #env: Environment;
  /** Each exchange by its signal, which is all that the library hands on. */
  readonly #exchanges = new WeakMap<object, Exchange>();
  #client?: BedrockRuntimeClient;
  #manner: Manner = "chosen-tool";

  constructor(settings: BedrockSettings, env: Environment) {
    this.#settings = settings;
    this.#env = env;
  }

  async ask(question: ModelQuestion): Promise<ModelAnswer> {
    using exchange = new Exchange({
      signal: question.signal,
      timeoutS: this.#settings.timeout_s,
      secrets: [...keyVariables, bearerVariable].flatMap((name) => this.#variable(name) ?? []),
      turns: this.#settings.turns,
    });
    this.#exchanges.set(exchange.signal, exchange);
    const { model } = this.#settings;
    try {
      const client = await this.#connect(exchange);
      return answerOf(await this.#converse(client, question, exchange), model, exchange);
    } catch (error) {
      const trouble: Trouble = error instanceof TroubleError
        ? error.trouble
        : { type: "other", words: error instanceof Error ? error.message : String(error) };
      const sentence = `Cannot ask Bedrock ("${model}"): ${this.#words(trouble)}`;
      throw new ModelError(exchange.withoutSecrets(sentence), trouble);
    }
  }

  async #converse(
    client: BedrockRuntimeClient,
    question: ModelQuestion,
    exchange: Exchange,
  ): Promise<unknown> {
    const { ConverseCommand } = await import("@aws-sdk/client-bedrock-runtime");
    for (let manner = this.#manner;;) {
      try {
        const command = new ConverseCommand(inputOf(this.#settings.model, question, manner));
        const abortSignal = exchange.signal;
        const output = await exchange.send(() => client.send(command, { abortSignal }));
        this.#manner = manner;
        return output;
      } catch (error) {
        const next = manners[manners.indexOf(manner) + 1];
        if (next === undefined || !isAboutManner(error)) throw error;
        manner = next;
      }
    }
  }

  async #connect(exchange: Exchange): Promise<BedrockRuntimeClient> {
    const { BedrockRuntimeClient: Client } = await import("@aws-sdk/client-bedrock-runtime");
    const { region, base_url } = this.#settings;
    const [id, secret, session] = keyVariables.map((name) => this.#variable(name));
    const bearer = this.#variable(bearerVariable);
    this.#client ??= new Client({
      region: region ?? regionVariables.flatMap((name) => this.#variable(name) ?? [])[0],
      endpoint: base_url,
      profile: this.#variable("AWS_PROFILE"),
      maxAttempts: 1,
      requestHandler: this.#handler,
      ...(bearer !== undefined
        ? { token: { token: bearer }, authSchemePreference: ["httpBearerAuth"] }
        : id !== undefined && secret !== undefined
        ? { credentials: { accessKeyId: id, secretAccessKey: secret, sessionToken: session } }
        : {}),
    });
    await this.#requireRegion(this.#client, exchange);
    if (bearer === undefined) await this.#requireKey(this.#client, exchange);
    return this.#client;
  }

  /**
   * Sends by the exchange's `fetch` in place of the library's own HTTP/2 client: the same checks of
   * every answer for every provider, and no connection that stays open.
   */
  readonly #handler = {
    // Says which headers are signed; `fetch` may still speak HTTP/2.
    metadata: { handlerProtocol: "http/1.1" },
    handle: async (request: SignedRequest, options: { readonly abortSignal?: object } = {}) => {
      const exchange = this.#exchanges.get(options.abortSignal!)!;
      const response = await exchange.fetch(...fetchOf(request));
      const headers = Object.fromEntries(response.headers);
      const body = await response.bytes();
      return { response: { statusCode: response.status, headers, body } };
    },
  };

  async #requireRegion({ config }: BedrockRuntimeClient, exchange: Exchange) {
    await orTrouble(exchange, config.region, () => {
      const way = `set ${regionVariables[0]}, or give "region"`;
      return { type: "settings", words: `no region is known (${way})` };
    });
  }

  /** Finds the key before anybody's turn is taken, so that its absence is known at once. */
  async #requireKey({ config }: BedrockRuntimeClient, exchange: Exchange) {
    const key = await orTrouble(exchange, config.credentials, (said) => {
      // The last link of the library's chain says nothing that is not said here.
      const why = /any providers/.test(said) ? "" : `: ${said}`;
      return { type: "key", words: `there is no key${why} (set ${keyWays})` };
    });
    exchange.hide(key.secretAccessKey, key.sessionToken ?? "");
  }

  #variable(name: string): string | undefined {
    const value = this.#env.get(name)?.trim();
    return value === "" ? undefined : value;
  }

  #words(trouble: Trouble): string {
    switch (trouble.type) {
      case "unreachable":
        return "nothing answers (is there a network, and is the region right?)";
      case "status":
        return statusWords(trouble);
      default:
        return troubleWords(trouble);
    }
  }
}

/** Looks something up, for no longer than the exchange lasts; what goes wrong becomes a trouble. */
async function orTrouble<Value>(
  exchange: Exchange,
  lookUp: () => Promise<Value>,
  troubleOf: (said: string) => Trouble,
): Promise<Value> {
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = () => reject(exchange.signal.reason);
  exchange.signal.addEventListener("abort", end, { once: true });
  try {
    return await exchange.run(() =>
      Promise.race([lookUp(), ended]).catch((error) => {
        const said = exchange.clean(error instanceof Error ? error.message : String(error));
        throw new TroubleError(troubleOf(said));
      })
    );
  } finally {
    exchange.signal.removeEventListener("abort", end);
  }
}

/** The request that the library has signed. */
interface SignedRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
}

function fetchOf(
  { protocol, hostname, port, path, method, headers, body }: SignedRequest,
): [string, RequestInit] {
  const host = port === undefined ? hostname : `${hostname}:${port}`;
  // `fetch` writes the header "host" itself.
  const { host: _, ...rest } = headers;
  return [`${protocol}//${host}${path}`, { method, headers: rest, body }];
}

function statusWords(trouble: Trouble & { readonly type: "status" }): string {
  const { status, said, codes } = trouble;
  const spoken = said === "" ? "" : `: ${said}`;
  if (isAboutModel(trouble)) return `there is no such model here (HTTP ${status}${spoken})`;
  if (codes.includes("AccessDeniedException")) {
    return `the key may not use this model (HTTP ${status}${spoken})`;
  }
  if (status === 401 || status === 403) {
    const name = codes[0] === undefined ? "" : `, ${codes[0]}`;
    return `AWS does not accept the key (HTTP ${status}${name}; set ${keyWays} anew)`;
  }
  return troubleWords(trouble);
}

function isAboutModel({ status, said, codes }: Trouble & { readonly type: "status" }): boolean {
  return status === 404 || codes.includes("ResourceNotFoundException") ||
    (status === 400 && /model identifier|on-demand throughput|inference profile/i.test(said));
}

function isAboutManner(error: unknown): boolean {
  if (!(error instanceof TroubleError) || error.trouble.type !== "status") return false;
  const { status, codes, isQuotaSpent } = error.trouble;
  return status === 400 && codes.includes("ValidationException") && !isQuotaSpent &&
    !isAboutModel(error.trouble);
}

function inputOf(
  modelId: string,
  { system, user, image, schema }: ModelQuestion,
  manner: Manner,
): ConverseCommandInput {
  const pictures = image === undefined
    ? []
    : [{ image: { format: image.format, source: { bytes: image.bytes } } }];
  const closing = manner === "plain"
    ? `\nThe JSON Schema of the answer: ${JSON.stringify(schema)}`
    : "";
  return {
    modelId,
    system: [{ text: system }],
    messages: [{ role: "user", content: [...pictures, { text: user + closing }] }],
    inferenceConfig: { maxTokens: 1000, ...(manner === "plain" ? {} : { temperature: 0 }) },
    ...(manner === "plain" ? {} : {
      toolConfig: {
        tools: [{
          toolSpec: {
            name: toolName,
            description: "Takes the answer.",
            inputSchema: { json: schema as never },
          },
        }],
        ...(manner === "chosen-tool" ? { toolChoice: { tool: { name: toolName } } } : {}),
      },
    }),
  };
}

/** What Converse answers; anything may be missing. */
interface Output {
  readonly stopReason?: unknown;
  readonly usage?: { readonly inputTokens?: unknown; readonly outputTokens?: unknown };
  readonly output?: { readonly message?: { readonly content?: unknown } };
}

interface Block {
  readonly text?: unknown;
  readonly toolUse?: { readonly input?: unknown };
}

const refusals = ["content_filtered", "guardrail_intervened"];

function answerOf(answer: unknown, model: string, exchange: Exchange): ModelAnswer {
  const { stopReason, usage, output } = answer as Output;
  if (refusals.includes(String(stopReason))) {
    throw new TroubleError({ type: "refused", words: `the model refuses (${stopReason})` });
  }
  const content = output?.message?.content;
  const blocks = (Array.isArray(content) ? content : []) as readonly Block[];
  const input = blocks.find(({ toolUse }) => toolUse !== undefined)?.toolUse?.input;
  const text = input === undefined
    ? blocks.map(({ text }) => typeof text === "string" ? text : "").join("")
    : JSON.stringify(input);
  if (text.trim() === "") {
    throw new TroubleError({ type: "other", words: "its answer holds no text" });
  }
  return {
    text: exchange.withoutSecrets(text),
    model,
    inputTokens: count(usage?.inputTokens),
    outputTokens: count(usage?.outputTokens),
  };
}

function count(tokens: unknown): number | undefined {
  return typeof tokens === "number" ? tokens : undefined;
}
