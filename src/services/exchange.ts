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
    readonly retryAfterMs?: number;
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

export interface ExchangeOptions {
  /** Fires when the run is being given up. */
  readonly signal: AbortSignal;
  /** For everything that the exchange sends and waits for, retries included. */
  readonly timeoutS: number;
  /** Never shown: keys. */
  readonly secrets: readonly string[];
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
  readonly #endsAtMs: number;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #clock = new AbortController();
  /** Fires at the time limit, and when the run is being given up. */
  readonly signal: AbortSignal;
  #trouble?: Trouble;

  constructor(options: ExchangeOptions) {
    const timeoutMs = Math.min(options.timeoutS * 1000, longestTimerMs);
    this.#options = options;
    this.#endsAtMs = performance.now() + timeoutMs;
    this.#timer = setTimeout(() => this.#clock.abort(), timeoutMs);
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

  /** Text from outside in one line, without keys, at most so many characters. */
  clean(text: string, most = 200): string {
    const line = this.withoutSecrets(text).replace(/[\p{Cc}\s]+/gu, " ").trim();
    return line.length > most ? `${line.slice(0, most - 1)}…` : line;
  }

  withoutSecrets(text: string): string {
    return this.#options.secrets.filter((secret) => secret.length > 0)
      .flatMap((secret) => [secret, encodeURIComponent(secret)])
      .reduce((left, secret) => left.replaceAll(secret, "[key]"), text);
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

  #statusTrouble(response: Response, text: string): Trouble {
    return {
      type: "status",
      status: response.status,
      said: this.clean(looksLikePage(text) ? "" : spokenPart(text)),
      retryAfterMs: retryAfterMs(response.headers, text),
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
  return trouble.type === "status" && (trouble.status === 429 || trouble.status >= 500);
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
      return statusWords(trouble.status, trouble.said, trouble.retryAfterMs);
    case "other":
      return trouble.words;
  }
}

function statusWords(status: number, said: string, retryAfterMs: number | undefined): string {
  const spoken = said === "" ? "" : `: ${said}`;
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
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
}

/** The message in an error's body: `{ error: { message } }`, `{ error }`, `{ message }`, or the text. */
function spokenPart(text: string): string {
  const body = jsonObject(text);
  const error = body?.["error"] ?? body;
  const message = typeof error === "object" && error !== null
    ? (error as Record<string, unknown>)["message"]
    : error;
  return typeof message === "string" ? message : text;
}
