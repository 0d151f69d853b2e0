/** What went wrong between us and a server, before anybody words it. */
export type Trouble =
  | { readonly type: "unreachable" }
  | { readonly type: "late"; readonly timeoutS: number }
  | { readonly type: "stopped" }
  | { readonly type: "broken-off" }
  | { readonly type: "web-page" }
  | { readonly type: "not-json"; readonly characters: number }
  | { readonly type: "too-long" }
  | {
    readonly type: "status";
    readonly status: number;
    /** The server's own words: one line, shortened, without keys. */
    readonly said: string;
    /** What its body and headers call the error: "RESOURCE_EXHAUSTED", "ThrottlingException". */
    readonly codes: readonly string[];
    readonly retryAfterMs?: number;
    /** A quota of the day or the account has run out, so that waiting a minute does not help. */
    readonly isQuotaSpent: boolean;
  }
  | {
    /** The model would not answer this question. */
    readonly type: "refused";
    readonly words: string;
  }
  | {
    /** There is no key, or one that cannot be one. */
    readonly type: "key";
    readonly words: string;
  }
  | {
    /** With these settings nobody can be asked anything. */
    readonly type: "settings";
    readonly words: string;
  }
  /** Anything else, as the end of a sentence that began with the server. */
  | { readonly type: "other"; readonly words: string };

/** Carries a `Trouble` out of a client library. */
export class TroubleError extends Error {
  override readonly name = "TroubleError";

  constructor(readonly trouble: Trouble) {
    super(trouble.type);
  }
}

/** Lets requests begin when their turn has come. */
export interface Turns {
  /** Throws when the signal fires before that. */
  run<Value>(request: () => Promise<Value>, signal: AbortSignal): Promise<Value>;
}

export interface ExchangeOptions {
  /** Fires when the run is being given up. */
  readonly signal: AbortSignal;
  /** For everything that the exchange sends and waits for, retries included; turns do not count. */
  readonly timeoutS: number;
  /** Never shown: keys. */
  readonly secrets: readonly string[];
  /** At once when left out. */
  readonly turns?: Turns;
}

/** An answer of a chat model is a few kilobytes; a server that never ends is cut off here. */
const longestBytes = 1 << 20;

/** A wait without `Retry-After` before the only retry. */
const retryDelayMs = 500;

/** Longer than any timer holds (2³¹ − 1 ms); a longer limit is as good as this one. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * One question to a server, with everything that is sent for it: a time limit over all of it, and a
 * `fetch` for the client library that lets nothing through but JSON objects.
 */
export class Exchange implements Disposable {
  readonly #options: ExchangeOptions;
  readonly #secrets: string[];
  #leftMs: number;
  #endsAtMs = Infinity;
  #timer?: ReturnType<typeof setTimeout>;
  readonly #clock = new AbortController();
  /** Fires at the time limit, and when the run is being given up. */
  readonly signal: AbortSignal;
  #trouble?: Trouble;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#secrets = [...options.secrets];
    this.#leftMs = Math.min(options.timeoutS * 1000, longestTimerMs);
    this.#startClock();
    this.signal = AbortSignal.any([options.signal, this.#clock.signal]);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  /** For client libraries: what is not a JSON object with status 2xx throws a `TroubleError`. */
  readonly fetch = async (
    input: string | URL | Request,
    init: RequestInit = {},
  ): Promise<Response> => {
    this.#trouble = undefined;
    try {
      return await this.#fetchJson(input, init);
    } catch (error) {
      // Client libraries wrap what is thrown here, or rename it; so it is kept.
      this.#trouble = this.#troubleOf(error);
      throw new TroubleError(this.#trouble);
    }
  };

  /** Runs a call of a client library; whatever it throws becomes a `TroubleError`. */
  async run<Result>(call: () => Promise<Result>): Promise<Result> {
    this.#trouble = undefined;
    try {
      return await call();
    } catch (error) {
      throw new TroubleError(this.#trouble ?? this.#troubleOf(error));
    }
  }

  /**
   * Runs a call that sends one request, when its turn has come; until then the time limit stands
   * still. Whatever it throws becomes a `TroubleError`.
   */
  async send<Result>(call: () => Promise<Result>): Promise<Result> {
    const { turns, signal } = this.#options;
    if (turns === undefined) return await this.run(call);
    this.#stopClock();
    const inTurn = () => {
      this.#startClock();
      return call();
    };
    return await this.run(() => turns.run(inTurn, signal));
  }

  /** Never shows these either. */
  hide(...secrets: readonly string[]): void {
    this.#secrets.push(...secrets);
  }

  /**
   * Waits before a retry: as long as the server asked, else half a second. False, and no wait, where
   * that would pass the time limit.
   */
  async pause(retryAfterMs: number | undefined): Promise<boolean> {
    const waitMs = retryAfterMs ?? retryDelayMs;
    if (this.signal.aborted || performance.now() + waitMs >= this.#endsAtMs) return false;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      this.signal.addEventListener("abort", done);
    });
    return !this.signal.aborted;
  }

  /** Text from outside in one line, without keys and a full stop, at most so many characters. */
  clean(text: string, most = 200): string {
    const line = this.withoutSecrets(text).replace(/[\p{Cc}\s]+/gu, " ").trim()
      .replace(/\.$/, "");
    return line.length > most ? `${line.slice(0, most - 1)}…` : line;
  }

  withoutSecrets(text: string): string {
    return this.#secrets.filter((secret) => secret.length > 0)
      .flatMap((secret) => [secret, encodeURIComponent(secret)])
      .reduce((left, secret) => left.replaceAll(secret, "[key]"), text);
  }

  #startClock() {
    if (this.#timer !== undefined) return;
    this.#endsAtMs = performance.now() + this.#leftMs;
    this.#timer = setTimeout(() => this.#clock.abort(), this.#leftMs);
  }

  #stopClock() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#leftMs = Math.max(0, this.#endsAtMs - performance.now());
  }

  async #fetchJson(input: string | URL | Request, init: RequestInit): Promise<Response> {
    // A redirect would carry the key to wherever it points.
    const response = await fetch(input, { ...init, redirect: "manual", signal: this.signal });
    const text = await readText(response);
    if (!response.ok) throw new TroubleError(this.#statusTrouble(response, text));
    if (looksLikePage(text)) throw new TroubleError({ type: "web-page" });
    if (!isJsonObject(text)) throw new TroubleError({ type: "not-json", characters: text.length });
    return new Response(text, { headers: { "content-type": "application/json" } });
  }

  #statusTrouble({ status, headers }: Response, page: string): Trouble {
    const text = looksLikePage(page) ? "" : page;
    const codes = codesOf(headers, text).map((code) => this.clean(code, 100));
    const waitMs = retryAfterMs(headers, text);
    return {
      type: "status",
      status,
      said: this.clean(spokenPart(text)),
      codes,
      retryAfterMs: waitMs,
      isQuotaSpent: isQuotaSpent(status, { codes, text, waitMs }),
    };
  }

  #troubleOf(error: unknown): Trouble {
    if (this.#options.signal.aborted) return { type: "stopped" };
    if (this.#clock.signal.aborted) return { type: "late", timeoutS: this.#options.timeoutS };
    if (error instanceof TroubleError) return error.trouble;
    if (error instanceof TypeError && /error sending request|fetch/i.test(error.message)) {
      return { type: "unreachable" };
    }
    const words = this.clean(error instanceof Error ? error.message : String(error));
    return { type: "other", words: `cannot be asked: ${words}` };
  }
}

/** Whether the only retry may help: too many requests, or a fault of the server. */
export function isRetriable(trouble: Trouble): trouble is Trouble & { readonly type: "status" } {
  return trouble.type === "status" && !trouble.isQuotaSpent &&
    (trouble.status === 429 || trouble.status >= 500);
}

/** What a trouble is in words, as the end of a sentence that began with the server. */
export function troubleWords(trouble: Trouble): string {
  switch (trouble.type) {
    case "unreachable":
      return "nothing answers there";
    case "late":
      return `no answer came within ${trouble.timeoutS} s (raise "timeout_s", or take a smaller model)`;
    case "stopped":
      return "the run was given up";
    case "broken-off":
      return "it broke off in the middle of its answer";
    case "web-page":
      return 'it answers with a web page (JSON is wanted; is "base_url" the address of an API?)';
    case "not-json":
      return `its answer of ${trouble.characters.toLocaleString("en")} characters is not a whole ` +
        "JSON object";
    case "too-long":
      return "its answer does not end within a megabyte";
    case "status":
      return statusWords(trouble);
    case "refused":
    case "key":
    case "settings":
    case "other":
      return trouble.words;
  }
}

function statusWords(
  { status, said, retryAfterMs, isQuotaSpent }: Trouble & { readonly type: "status" },
): string {
  const spoken = said === "" ? "" : `: ${said}`;
  if (isQuotaSpent) {
    return `a quota of the day or the account is used up (HTTP ${status}; wait until it is ` +
      "renewed, or take another model or plan)";
  }
  if (status === 429) {
    const wait = retryAfterMs === undefined
      ? "try again later"
      : `it asks to wait ${Math.ceil(retryAfterMs / 1000)} s`;
    return `it has too much to do, or a quota is used up (HTTP 429; ${wait})`;
  }
  if (status >= 500) return `it fails with HTTP ${status} (its own log says why)`;
  if (status >= 300 && status < 400) {
    return `it points to another address with HTTP ${status} (give that address)`;
  }
  return `it answers HTTP ${status}${spoken}`;
}

/** How long a server asks to wait: `Retry-After` (RFC 9110, section 10.2.3), or Google's RetryInfo. */
export function retryAfterMs(headers: Headers, body = ""): number | undefined {
  const header = headers.get("retry-after")?.trim();
  if (header !== undefined && /^\d+(\.\d+)?$/.test(header)) return Number(header) * 1000;
  const date = header === undefined ? NaN : Date.parse(header);
  if (!Number.isNaN(date)) return Math.max(0, date - Date.now());
  const delay = /"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"/.exec(body)?.[1];
  return delay === undefined ? undefined : Number(delay) * 1000;
}

/** Longer than anybody would have a run stand still. */
export const longestPatienceMs = 600_000;

const spentCodes = /per_?day|insufficient_quota|billing|ServiceQuotaExceeded/i;
const spentWords =
  /\bper[ -]day\b|\bdaily\b|insufficient (?:quota|credits?|balance|funds)|\blimit: 0\b/i;

/**
 * Whether a quota has run out rather than a rate being too high. Google says "You exceeded your current
 * quota" to both, and tells them apart in the violated quotas' names ("GenerateRequestsPerDay…") or by
 * a wait.
 */
function isQuotaSpent(
  status: number,
  { codes, text, waitMs }: {
    readonly codes: readonly string[];
    readonly text: string;
    readonly waitMs: number | undefined;
  },
): boolean {
  if (status === 402) return true;
  const isNamed = codes.some((code) => spentCodes.test(code));
  if (status !== 429) return status === 400 && isNamed && !codes.some((code) => /key/i.test(code));
  if (isNamed || spentWords.test(text) || (waitMs ?? 0) > longestPatienceMs) return true;
  return waitMs === undefined && /exceeded your current quota/i.test(text) &&
    !codes.some((code) => /per_?minute/i.test(code));
}

const codeKeys = ["__type", "code", "type", "status", "reason", "quotaId", "quotaMetric"];

/** Every name of the error, as the providers of this folder give them: in a header, or in the body. */
function codesOf(headers: Headers, text: string): readonly string[] {
  const found = [headers.get("x-amzn-errortype") ?? ""];
  const gather = (value: unknown, depth: number) => {
    if (typeof value !== "object" || value === null || depth > 6) return;
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner === "string" && codeKeys.includes(key)) found.push(inner);
      else gather(inner, depth + 1);
    }
  };
  gather(parsed(text), 0);
  // AWS writes "namespace#Name" and "Name:address".
  const names = found.map((code) => code.replace(/^.*#/, "").replace(/:.*$/, ""));
  return [...new Set(names)].filter((code) => code !== "").slice(0, 20);
}

async function readText(response: Response): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body) {
      length += chunk.length;
      if (length > longestBytes) throw new TroubleError({ type: "too-long" });
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof TroubleError ? error : new TroubleError({ type: "broken-off" });
  }
  return await new Blob(chunks).text();
}

function looksLikePage(text: string): boolean {
  return /^\s*(<!doctype|<html|<head|<body|<\?xml)/i.test(text);
}

function isJsonObject(text: string): boolean {
  return jsonObject(text) !== undefined;
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  const value = parsed(text);
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The message in an error's body: `{ error: { message } }`, `{ error }`, `{ message }`, or the text. */
function spokenPart(text: string): string {
  const value = parsed(text);
  const body = (Array.isArray(value) ? value[0] : value) as
    | Readonly<Record<string, unknown>>
    | null
    | undefined;
  const error = body?.["error"] ?? body;
  const message = typeof error === "object" && error !== null
    ? (error as Record<string, unknown>)["message"]
    : error;
  return typeof message === "string" ? message : text;
}
