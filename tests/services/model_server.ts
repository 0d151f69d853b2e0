import { freePort } from "../free_port.ts";

/** A request that a server got. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
}

type Answer = (request: SeenRequest, count: number) => Response | Promise<Response>;

/** A server on a free port of this machine that keeps what it was sent. */
export class ModelServer implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  readonly #controller = new AbortController();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(answer: Answer) {
    const { signal } = this.#controller;
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", signal, onListen: () => {} },
      async (request) => {
        const { pathname } = new URL(request.url);
        const text = await request.text();
        const body = text === "" ? undefined : JSON.parse(text);
        const seen = { method: request.method, path: pathname, headers: request.headers, body };
        this.requests.push(seen);
        return await answer(seen, this.requests.length);
      },
    );
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** The paths that were asked, in their order. */
  get paths(): readonly string[] {
    return this.requests.map(({ method, path }) => `${method} ${path}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#controller.abort();
    await this.#server.finished;
  }
}

/** A chat completion as OpenAI's protocol has it. */
export function completion(content: unknown, message: object = {}): Response {
  return Response.json({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "served-model-1",
    choices: [{
      index: 0,
      finish_reason: "stop",
      message: { role: "assistant", content, ...message },
    }],
    usage: { prompt_tokens: 1200, completion_tokens: 60, total_tokens: 1260 },
  });
}

/** An answer of Gemini's `generateContent`. */
export function generated(text: string, candidate: object = {}): Response {
  return Response.json({
    candidates: [{
      content: { role: "model", parts: [{ text }] },
      finishReason: "STOP",
      ...candidate,
    }],
    modelVersion: "gemini-served-1",
    usageMetadata: { promptTokenCount: 1300, candidatesTokenCount: 70, thoughtsTokenCount: 5 },
  });
}

/** A list of models as OpenAI's protocol has it. */
export function models(...ids: readonly string[]): Response {
  return Response.json({ object: "list", data: ids.map((id) => ({ id, object: "model" })) });
}

export function page(status = 200): Response {
  const headers = { "content-type": "text/html" };
  return new Response("<!DOCTYPE html><html><body>Welcome</body></html>", { status, headers });
}

/** A good answer that ends in the middle. */
export function halfJson(): Response {
  const text = '{"id":"x","choices":[{"message":{"content":"{\\"settings\\":{\\"qua';
  return new Response(text, { headers: { "content-type": "application/json" } });
}

/** Never answers; ends when the client goes away or the server stops. */
export function never(): Promise<Response> {
  return new Promise(() => {});
}

/** An address where nobody listens. */
export function deadOrigin(): string {
  return `http://127.0.0.1:${freePort()}`;
}

/** An environment with these variables and no others. */
export function environment(variables: Readonly<Record<string, string>> = {}) {
  return { get: (name: string) => variables[name] };
}

/** An answer of Bedrock's Converse: the input of the tool it was given, or text. */
export function conversed(answer: object | string, stopReason = "tool_use"): Response {
  const toolUse = { toolUseId: "tool-1", name: "answer", input: answer };
  const content = typeof answer === "string" ? [{ text: answer }] : [{ toolUse }];
  return Response.json({
    output: { message: { role: "assistant", content } },
    stopReason,
    usage: { inputTokens: 480, outputTokens: 31, totalTokens: 511 },
    metrics: { latencyMs: 900 },
  });
}

/** An error as AWS's JSON protocol has it. */
export function awsError(
  status: number,
  name: string,
  message: string,
  headers: HeadersInit = {},
): Response {
  const type = { "x-amzn-errortype": `${name}:http://internal.amazon.com/coral/` };
  return Response.json({ message }, { status, headers: { ...type, ...headers } });
}
