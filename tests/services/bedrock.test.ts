import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { join } from "node:path";
import { BedrockModel, type BedrockSettings } from "../../src/services/bedrock.ts";
import { ModelError } from "../../src/services/json_model.ts";
import { canaryKey } from "../baseline/example.ts";
import {
  awsError,
  conversed,
  deadOrigin,
  environment,
  halfJson,
  ModelServer,
  never,
  page,
  type SeenRequest,
} from "./model_server.ts";

const schema = {
  type: "object",
  properties: { viewpoint: { type: "string" } },
  required: ["viewpoint"],
  additionalProperties: false,
};

const keys = {
  AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
  AWS_SECRET_ACCESS_KEY: canaryKey,
  AWS_REGION: "eu-north-1",
};

const model = "us.amazon.nova-2-lite-v1:0";
const converse = "POST /model/us.amazon.nova-2-lite-v1%3A0/converse";

interface Given extends Partial<BedrockSettings> {
  readonly env?: Readonly<Record<string, string>>;
}

function modelAt(base_url: string, { env = keys, ...settings }: Given = {}): BedrockModel {
  const given = { model, base_url, timeout_s: 10, retries: 0, called: "the model", ...settings };
  return new BedrockModel(given, environment(env));
}

const bytes = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1, 2, 3);

function question(signal = new AbortController().signal) {
  const image = { bytes, format: "jpeg", width: 1195, height: 896 } as const;
  return { system: "You describe.", user: "What is there?", schema, image, signal };
}

/** How asking goes wrong; no key is in it. */
async function troubleOf(base_url: string, given: Given = {}): Promise<ModelError> {
  const error = await modelAt(base_url, given).ask(question()).then(
    () => assert.fail("it answered"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ModelError, Deno.inspect(error));
  assert.ok(!Deno.inspect(error, { depth: 20 }).includes(canaryKey), error.message);
  assert.ok(!error.message.includes("\n"));
  assert.ok(!error.message.endsWith("."));
  return error;
}

/** Runs with these variables of the process, as AWS's own library reads them, and none of a real key. */
async function inProcess(variables: Readonly<Record<string, string>>, work: () => Promise<void>) {
  const without = Object.keys(Deno.env.toObject()).filter((name) => name.startsWith("AWS_"));
  const before = Object.fromEntries(without.map((name) => [name, Deno.env.get(name)!]));
  const nowhere = {
    AWS_SHARED_CREDENTIALS_FILE: "/nonexistent/credentials",
    AWS_CONFIG_FILE: "/nonexistent/config",
  };
  without.forEach((name) => Deno.env.delete(name));
  const set = { ...nowhere, ...variables };
  Object.entries(set).forEach(([name, value]) => Deno.env.set(name, value));
  try {
    await work();
  } finally {
    Object.keys(set).forEach((name) => Deno.env.delete(name));
    Object.entries(before).forEach(([name, value]) => Deno.env.set(name, value));
  }
}

Deno.test("the picture goes out with the question and a tool, whose input is the answer", async () => {
  await using server = new ModelServer(() => conversed({ viewpoint: "wide view" }));
  const answer = await modelAt(server.origin).ask(question());
  assert.deepEqual(answer, {
    text: '{"viewpoint":"wide view"}',
    model,
    inputTokens: 480,
    outputTokens: 31,
  });
  assert.deepEqual(server.paths, [converse]);
  const { headers, body } = server.requests[0]!;
  assert.deepEqual(body.system, [{ text: "You describe." }]);
  assert.deepEqual(body.messages, [{
    role: "user",
    content: [
      { image: { format: "jpeg", source: { bytes: bytes.toBase64() } } },
      { text: "What is there?" },
    ],
  }]);
  const { tools, toolChoice } = body.toolConfig;
  assert.deepEqual(tools[0].toolSpec.inputSchema, { json: schema });
  assert.deepEqual(toolChoice, { tool: { name: tools[0].toolSpec.name } });
  assert.equal(headers.get("content-type"), "application/json");
  assert.match(
    headers.get("authorization")!,
    /^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\/\d{8}\/eu-north-1\/bedrock\/aws4_request, /,
  );
  assert.ok(!JSON.stringify([[...headers], body]).includes(canaryKey));
});

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** The signature that AWS would work out: Signature Version 4, "Create a signed request", steps 1 to 4. */
function signatureOf({ method, path, headers, body }: SeenRequest, secret: string): string {
  const authorization = headers.get("authorization")!;
  const scope = /Credential=[^/]+\/([^,]+),/.exec(authorization)![1]!;
  const signed = /SignedHeaders=([^,]+),/.exec(authorization)![1]!;
  const canonical = [
    method,
    path.split("/").map(encodeURIComponent).join("/"),
    "",
    ...signed.split(";").map((name) => `${name}:${headers.get(name)!.trim()}`),
    "",
    signed,
    sha256(JSON.stringify(body)),
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", headers.get("x-amz-date"), scope, sha256(canonical)];
  const key = scope.split("/").reduce<string | Uint8Array>(
    (key, part) => createHmac("sha256", key).update(part).digest(),
    `AWS4${secret}`,
  );
  return createHmac("sha256", key).update(toSign.join("\n")).digest("hex");
}

Deno.test("what arrives bears the signature that AWS works out itself", async () => {
  await using server = new ModelServer(() => conversed({}));
  await modelAt(server.origin, { env: { ...keys, AWS_SESSION_TOKEN: "session-1" } })
    .ask(question());
  const [request] = server.requests;
  const authorization = request!.headers.get("authorization")!;
  assert.match(authorization, /SignedHeaders=[^,]*\bhost;/);
  assert.equal(/Signature=(\w+)$/.exec(authorization)![1], signatureOf(request!, canaryKey));
});

Deno.test("the region of the recipe, a session's token and a bearer token are used", async () => {
  await using server = new ModelServer(() => conversed({}));
  const env = { ...keys, AWS_SESSION_TOKEN: "session-1" };
  await modelAt(server.origin, { env, region: "us-west-2" }).ask(question());
  const bearer = { AWS_BEARER_TOKEN_BEDROCK: canaryKey, AWS_DEFAULT_REGION: "eu-west-1" };
  await modelAt(server.origin, { env: bearer }).ask(question());
  const [first, second] = server.requests.map(({ headers }) => headers);
  assert.match(first!.get("authorization")!, /\/us-west-2\/bedrock\//);
  assert.equal(first!.get("x-amz-security-token"), "session-1");
  assert.equal(second!.get("authorization"), `Bearer ${canaryKey}`);
});

Deno.test("without variables of ours, key and region come from the profile", async () => {
  await using server = new ModelServer(() => conversed({}));
  const folder = Deno.makeTempDirSync({ prefix: "tintype-aws-" });
  const [shared, config] = [join(folder, "credentials"), join(folder, "config")];
  Deno.writeTextFileSync(
    shared,
    `[studio]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = ${canaryKey}\n`,
  );
  Deno.writeTextFileSync(config, "[profile studio]\nregion = ca-central-1\n");
  try {
    const files = { AWS_SHARED_CREDENTIALS_FILE: shared, AWS_CONFIG_FILE: config };
    await inProcess(files, async () => {
      const env = { AWS_PROFILE: "studio" };
      await modelAt(server.origin, { env }).ask(question());
      const denied = () => awsError(403, "AccessDeniedException", `not with ${canaryKey}`);
      await using refusing = new ModelServer(denied);
      assert.match((await troubleOf(refusing.origin, { env })).message, /not with \[key\]\)$/);
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  assert.match(
    server.requests[0]!.headers.get("authorization")!,
    /Credential=AKIAPROFILE\/\d{8}\/ca-central-1\/bedrock\//,
  );
});

Deno.test("no key is said at once, also where a metadata service is silent, and nothing is sent", async () => {
  await using server = new ModelServer(() => conversed({}));
  await using silent = new ModelServer(never);
  const env = { AWS_REGION: "eu-north-1" };
  for (const endpoint of [silent.origin, deadOrigin()]) {
    await inProcess({ AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint }, async () => {
      const started = performance.now();
      const { message, trouble } = await troubleOf(server.origin, { env });
      assert.equal(
        message,
        `Cannot ask Bedrock ("${model}"): there is no key (set AWS_ACCESS_KEY_ID and ` +
          "AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or AWS_BEARER_TOKEN_BEDROCK)",
      );
      assert.equal(trouble.type, "key");
      assert.ok(performance.now() - started < 5000);
    });
  }
  assert.equal(server.requests.length, 0);
});

Deno.test("no region is said with the way out, and nothing is sent", async () => {
  await using server = new ModelServer(() => conversed({}));
  const { AWS_REGION: _, ...env } = keys;
  await inProcess({}, async () => {
    const { message } = await troubleOf(server.origin, { env });
    assert.match(message, /: no region is known \(set AWS_REGION, or give "region"\)$/);
  });
  assert.equal(server.requests.length, 0);
});

Deno.test("a model that takes no choice of tools, or no tools, is asked the next way, and remembered", async () => {
  for (const plainest of [false, true]) {
    await using server = new ModelServer(({ body }) => {
      const isRefused = plainest ? body.toolConfig : body.toolConfig?.toolChoice;
      const said = "This model doesn't support the toolConfig.toolChoice.tool field.";
      if (isRefused !== undefined) return awsError(400, "ValidationException", said);
      return plainest ? conversed('{"viewpoint":"x"}') : conversed({ viewpoint: "x" });
    });
    const asked = modelAt(server.origin);
    assert.equal((await asked.ask(question())).text, '{"viewpoint":"x"}');
    assert.equal(server.requests.length, plainest ? 3 : 2);
    await asked.ask(question());
    assert.equal(server.requests.length, plainest ? 4 : 3);
    if (plainest) assert.match(server.requests[3]!.body.messages[0].content[1].text, /JSON Schema/);
  }
});

Deno.test("a picture that is refused in every way does not change how the next one is asked", async () => {
  let isBad = true;
  await using server = new ModelServer(() =>
    isBad ? awsError(400, "ValidationException", "Image is too small") : conversed({})
  );
  const asked = modelAt(server.origin);
  await assert.rejects(asked.ask(question()), /HTTP 400: Image is too small$/);
  isBad = false;
  await asked.ask(question());
  assert.ok(server.requests.at(-1)!.body.toolConfig.toolChoice !== undefined);
});

Deno.test("how long AWS asks to wait is kept, and a quota of the day is known from a rate", async () => {
  const throttled = (said: string, headers: HeadersInit = {}) => () =>
    awsError(429, "ThrottlingException", said, headers);
  const cases = [
    [throttled("Too many requests, please wait"), undefined, false],
    [throttled("Too many requests", { "retry-after": "7" }), 7000, false],
    [throttled("Too many tokens per day, please wait before trying again."), undefined, true],
    [() => awsError(400, "ServiceQuotaExceededException", "Over quota"), undefined, true],
    [() => awsError(503, "ServiceUnavailableException", "Busy"), undefined, false],
  ] as const;
  for (const [answer, retryAfterMs, isQuotaSpent] of cases) {
    await using server = new ModelServer(answer);
    const { trouble } = await troubleOf(server.origin);
    assert.ok(trouble.type === "status");
    assert.deepEqual([trouble.retryAfterMs, trouble.isQuotaSpent], [retryAfterMs, isQuotaSpent]);
    assert.equal(server.requests.length, 1);
  }
});

Deno.test("each bad answer is said in one sentence with the way out, and without the key", async () => {
  const said = `no with ${canaryKey}`;
  const cases: readonly (readonly [string, () => Response | Promise<Response>, RegExp, number?])[] =
    [
      ["a web page", () => page(), /answers with a web page/],
      ["half a JSON", halfJson, /is not a whole JSON object$/],
      ["nothing", () => Response.json({}), /its answer holds no text$/],
      ["empty text", () => conversed(" "), /its answer holds no text$/],
      ["odd content", () => Response.json({ output: { message: { content: [] } } }), /no text$/],
      ["filtered", () => conversed("no", "content_filtered"), /refuses \(content_filtered\)$/],
      ["a guardrail", () => conversed("no", "guardrail_intervened"), /the model refuses/],
      [
        "an unknown key",
        () => awsError(403, "UnrecognizedClientException", said),
        /AWS does not accept the key \(HTTP 403, UnrecognizedClientException; set AWS_ACCESS/,
      ],
      [
        "a wrong secret",
        () => awsError(403, "InvalidSignatureException", said),
        /does not accept the key/,
      ],
      ["an old session", () => awsError(403, "ExpiredTokenException", said), /not accept the key/],
      [
        "no access",
        () => awsError(403, "AccessDeniedException", said),
        /the key may not use this model \(HTTP 403: no with \[key\]\)$/,
      ],
      [
        "an unknown model",
        () => awsError(400, "ValidationException", "The provided model identifier is invalid."),
        /there is no such model here \(HTTP 400: The provided model identifier is invalid\)$/,
      ],
      [
        "404",
        () => awsError(404, "ResourceNotFoundException", "Could not resolve the model"),
        /there is no such model here \(HTTP 404/,
      ],
      ["500", () => awsError(500, "InternalServerException", said), /it fails with HTTP 500/],
      ["429", () => awsError(429, "ThrottlingException", said), /too much to do/],
      ["silence", never, /no answer came within 0\.3 s \(raise "timeout_s"/, 0.3],
    ];
  for (const [name, answer, wanted, timeout_s = 10] of cases) {
    await using server = new ModelServer(answer);
    const { message } = await troubleOf(server.origin, { timeout_s });
    assert.match(message, wanted, name);
    assert.ok(message.startsWith(`Cannot ask Bedrock ("${model}"): `), message);
  }
});

Deno.test("where nothing answers, or no such host is known, it says so", async () => {
  for (const origin of [deadOrigin(), "http://no-such-host.invalid"]) {
    const { message, trouble } = await troubleOf(origin);
    assert.match(message, /nothing answers \(is there a network, and is the region right\?\)$/);
    assert.equal(trouble.type, "unreachable");
  }
});

Deno.test("a connection that breaks in the middle of an answer is said to", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr as Deno.NetAddr;
  const answering = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(4096));
    const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
    await connection.write(new TextEncoder().encode(`${head}{"output":`));
  })();
  const { trouble } = await troubleOf(`http://127.0.0.1:${port}`);
  assert.equal(trouble.type, "broken-off");
  await answering;
});

Deno.test("a run that is given up ends the question at once", async () => {
  const controller = new AbortController();
  await using server = new ModelServer(() => {
    controller.abort();
    return never();
  });
  await assert.rejects(
    modelAt(server.origin).ask(question(controller.signal)),
    /the run was given up$/,
  );
});
