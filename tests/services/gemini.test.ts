import assert from "node:assert/strict";
import { geminiDefaults, GeminiModel } from "../../src/services/gemini.ts";
import type { ModelSettings } from "../../src/services/json_model.ts";
import { canaryKey } from "../baseline/example.ts";
import {
  deadOrigin,
  environment,
  generated,
  halfJson,
  ModelServer,
  never,
  page,
} from "./model_server.ts";

const schema = {
  type: "object",
  properties: { quality: { type: "number" } },
  required: ["quality"],
  additionalProperties: false,
};

interface Given extends Partial<ModelSettings> {
  readonly env?: Readonly<Record<string, string>>;
}

function advisorAt(origin: string, { env, ...settings }: Given = {}) {
  return new GeminiModel(
    { timeout_s: 10, retries: 1, called: "the advisor", ...settings },
    environment({ GEMINI_BASE_URL: origin, ...env ?? { GEMINI_API_KEY: canaryKey } }),
  );
}

function question(signal = new AbortController().signal) {
  return { system: "You advise.", user: "What quality?", schema, signal };
}

async function problemOf(origin: string, given: Given = {}): Promise<string> {
  const error = await advisorAt(origin, given).ask(question()).then(
    () => assert.fail("it answered"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof Error);
  assert.ok(!Deno.inspect(error, { depth: 20 }).includes(canaryKey), error.message);
  assert.ok(!error.message.includes("\n"));
  return error.message;
}

Deno.test("the question goes out with a JSON schema, and the text of the answer comes back", async () => {
  await using server = new ModelServer(() => generated('{"quality":85}'));
  const answer = await advisorAt(server.origin, { model: "gemini-test" }).ask(question());
  assert.deepEqual(answer, {
    text: '{"quality":85}',
    model: "gemini-served-1",
    inputTokens: 1300,
    outputTokens: 75,
  });
  assert.deepEqual(server.paths, ["POST /v1beta/models/gemini-test:generateContent"]);
  const { headers, body } = server.requests[0]!;
  assert.equal(headers.get("x-goog-api-key"), canaryKey);
  assert.equal(body.contents[0].parts[0].text, "What quality?");
  assert.equal(body.systemInstruction.parts[0].text, "You advise.");
  assert.deepEqual(body.generationConfig.responseJsonSchema, schema);
  assert.equal(body.generationConfig.responseMimeType, "application/json");
});

Deno.test("the model and the key have defaults and a second name", async () => {
  await using server = new ModelServer(() => generated("{}"));
  await advisorAt(server.origin, { env: { GOOGLE_API_KEY: canaryKey } }).ask(question());
  assert.equal(server.paths[0], `POST /v1beta/models/${geminiDefaults.model}:generateContent`);
  assert.equal(server.requests[0]!.headers.get("x-goog-api-key"), canaryKey);
});

Deno.test("variables for Vertex AI and another address do not lead the key elsewhere", async () => {
  await using server = new ModelServer(() => generated("{}"));
  const variables = {
    GOOGLE_GENAI_USE_VERTEXAI: "true",
    GOOGLE_CLOUD_PROJECT: "other",
    GOOGLE_CLOUD_LOCATION: "us-central1",
    GOOGLE_GEMINI_BASE_URL: deadOrigin(),
  };
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  try {
    assert.equal((await advisorAt(server.origin).ask(question())).text, "{}");
  } finally {
    for (const name of Object.keys(variables)) Deno.env.delete(name);
  }
});

Deno.test("what the model thought on the way is no part of the answer", async () => {
  const parts = [{ text: "Let me think {", thought: true }, { text: '{"a":' }, { text: "1}" }];
  await using server = new ModelServer(() => generated("", { content: { role: "model", parts } }));
  assert.equal((await advisorAt(server.origin).ask(question())).text, '{"a":1}');
});

Deno.test("a schema that is refused is left out, and remembered to be", async () => {
  await using server = new ModelServer(({ body }) =>
    body.generationConfig.responseJsonSchema === undefined
      ? generated("{}")
      : Response.json({ error: { code: 400, message: "Unknown name" } }, { status: 400 })
  );
  const advisor = advisorAt(server.origin);
  await advisor.ask(question());
  await advisor.ask(question());
  assert.equal(server.requests.length, 3);
});

Deno.test("it asks once more after 503, when the wait that Google names has passed", async () => {
  const details = [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "0.001s" }];
  await using server = new ModelServer((_, count) =>
    count === 1
      ? Response.json({ error: { code: 503, message: "overloaded", details } }, { status: 503 })
      : generated("{}")
  );
  await advisorAt(server.origin).ask(question());
  assert.equal(server.requests.length, 2);
});

Deno.test("each bad answer is said in one sentence, and without the key", async () => {
  const error = (code: number, message: string) =>
    Response.json({ error: { code, message: `${message} ${canaryKey}` } }, {
      status: code,
      headers: { "retry-after": "0" },
    });
  const cases: readonly (readonly [string, () => Response | Promise<Response>, RegExp, number?])[] =
    [
      ["a web page", () => page(), /answers with a web page/],
      ["half a JSON", halfJson, /is not a whole JSON object$/],
      [
        "a bad key",
        () => error(400, "API key not valid."),
        /does not accept the key in GEMINI_API_KEY/,
      ],
      [
        "401",
        () => error(401, "no"),
        /does not accept the key in GEMINI_API_KEY or GOOGLE_API_KEY$/,
      ],
      ["403", () => error(403, "no"), /may not use this model \(HTTP 403\)$/],
      ["404", () => error(404, "no"), /there is no such model \(HTTP 404; "model" takes the names/],
      ["400", () => error(400, "Too long:"), /it answers HTTP 400: Too long: \[key\]$/],
      [
        "429",
        () => error(429, "quota"),
        /too much to do, or a quota is used up \(HTTP 429; it asks/,
      ],
      ["500", () => error(500, "internal"), /it fails with HTTP 500/],
      ["silence", never, /no answer came within 0\.3 s/, 0.3],
      [
        "a blocked question",
        () => Response.json({ promptFeedback: { blockReason: "SAFETY" } }),
        /the model refuses \(SAFETY\)$/,
      ],
      ["a refusal", () => generated("no", { finishReason: "SAFETY" }), /refuses \(SAFETY\)$/],
      ["nothing", () => Response.json({}), /its answer holds no text$/],
    ];
  for (const [name, answer, wanted, timeout_s = 10] of cases) {
    await using server = new ModelServer(answer);
    const problem = await problemOf(server.origin, { timeout_s });
    assert.match(problem, wanted, name);
    assert.ok(problem.startsWith('Cannot ask Gemini ("gemini-flash-latest"): '), problem);
  }
});

Deno.test("no network, no key and an unusable address are said so, and nothing is sent", async () => {
  const origin = deadOrigin();
  assert.match(
    await problemOf(origin),
    /nothing answers at "http:\/\/127\.0\.0\.1:\d+" \(is there/,
  );
  await using server = new ModelServer(() => generated("{}"));
  const noKey = await problemOf(server.origin, { env: {} });
  assert.match(noKey, /there is no key \(set GEMINI_API_KEY or GOOGLE_API_KEY\)$/);
  const withKey = `http://user:${canaryKey}@127.0.0.1/`;
  assert.match(
    await problemOf(withKey),
    /GEMINI_BASE_URL is not an address without name and query$/,
  );
  assert.equal(server.requests.length, 0);
});
