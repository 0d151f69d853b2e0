import assert from "node:assert/strict";
import { type Advisors, advisors } from "../../src/services/advisor.ts";
import type { ModelSettings } from "../../src/services/json_model.ts";
import { createServices } from "../../src/services/mod.ts";
import { OpenAICompatibleModel, urlInStatus } from "../../src/services/openai_compatible.ts";
import { canaryKey } from "../baseline/example.ts";
import {
  completion,
  deadOrigin,
  environment,
  halfJson,
  models,
  ModelServer,
  never,
  page,
} from "./model_server.ts";

const schema = { type: "object", properties: { quality: { type: "number" } } };

interface Given extends Partial<ModelSettings> {
  readonly env?: Readonly<Record<string, string>>;
  /** What `foundry <args>` prints; without it there is no such command. */
  readonly foundry?: (args: string) => string;
}

function advisorFor({ env = {}, foundry, ...settings }: Given) {
  return new OpenAICompatibleModel(
    { timeout_s: 10, retries: 1, called: "the advisor", ...settings },
    {
      env: environment({ OPENAI_API_KEY: canaryKey, ...env }),
      runCommand: (command, args) => {
        assert.equal(command, "foundry");
        return Promise.resolve(foundry?.(args.join(" ")));
      },
    },
  );
}

function question(signal = new AbortController().signal) {
  return { system: "You advise.", user: "What quality?", schema, signal };
}

/** The message of the error that asking ends with; it never has the key. */
async function problemOf(given: Given): Promise<string> {
  const error = await advisorFor(given).ask(question()).then(
    () => assert.fail("it answered"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof Error);
  assert.ok(!Deno.inspect(error, { depth: 20 }).includes(canaryKey), error.message);
  assert.ok(!error.message.includes("\n"));
  assert.ok(!error.message.endsWith("."));
  return error.message;
}

const chat = "POST /v1/chat/completions";

Deno.test("the question goes out as a chat with a JSON schema, and the answer comes back", async () => {
  await using server = new ModelServer(({ path }) =>
    path.endsWith("/models") ? models("phi-4-mini") : completion('{"quality":85}')
  );
  const advisor = advisorFor({ base_url: `${server.origin}/v1`, model: "phi-4-mini" });
  const answer = await advisor.ask(question());
  assert.deepEqual(answer, {
    text: '{"quality":85}',
    model: "served-model-1",
    inputTokens: 1200,
    outputTokens: 60,
  });
  const { headers, body } = server.requests.at(-1)!;
  assert.equal(headers.get("authorization"), `Bearer ${canaryKey}`);
  assert.equal(body.model, "phi-4-mini");
  assert.deepEqual(body.messages.map(({ role }: { role: string }) => role), ["system", "user"]);
  assert.deepEqual(body.response_format, {
    type: "json_schema",
    json_schema: { name: "answer", strict: true, schema },
  });
});

Deno.test("without a key a placeholder is sent, and nothing else of the environment", async () => {
  await using server = new ModelServer(({ path }) =>
    path.endsWith("/models") ? models("m") : completion("{}")
  );
  const secrets = ["OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"];
  for (const name of secrets) Deno.env.set(name, canaryKey);
  try {
    await advisorFor({ base_url: server.origin, env: { OPENAI_API_KEY: "" } }).ask(question());
  } finally {
    for (const name of secrets) Deno.env.delete(name);
  }
  assert.deepEqual(server.paths, ["GET /v1/models", chat]);
  for (const { headers, body } of server.requests) {
    assert.equal(headers.get("authorization"), "Bearer none");
    assert.ok(!JSON.stringify([[...headers], body]).includes(canaryKey));
  }
});

Deno.test("without a model the first that writes text is taken, and asked for once", async () => {
  await using server = new ModelServer(({ path }) =>
    path.endsWith("/models")
      ? models("text-embedding-3", "Phi-4-mini-instruct-generic-cpu:5", "qwen")
      : completion("{}")
  );
  const advisor = advisorFor({ base_url: server.origin });
  await advisor.ask(question());
  await advisor.ask(question());
  assert.deepEqual(server.paths, ["GET /v1/models", chat, chat]);
  assert.equal(server.requests[1]!.body.model, "Phi-4-mini-instruct-generic-cpu:5");
});

Deno.test("an alias stands for the local model whose id begins with it", async () => {
  await using server = new ModelServer(({ path }) =>
    path.endsWith("/models")
      ? models("qwen2.5-0.5b", "Phi-4-mini-instruct-generic-cpu:5")
      : completion("{}")
  );
  await advisorFor({ base_url: server.origin, model: "phi-4-mini" }).ask(question());
  assert.equal(server.requests[1]!.body.model, "Phi-4-mini-instruct-generic-cpu:5");
});

Deno.test("a server that lists no models is asked for the one that was named", async () => {
  await using server = new ModelServer(({ path }) =>
    path.endsWith("/models") ? new Response("", { status: 404 }) : completion("{}")
  );
  await advisorFor({ base_url: server.origin, model: "mine" }).ask(question());
  assert.equal(server.requests[1]!.body.model, "mine");
});

Deno.test("a server that refuses a format is asked more plainly, and remembered to want that", async () => {
  for (const taken of ["json_object", undefined]) {
    await using server = new ModelServer(({ path, body }) => {
      if (path.endsWith("/models")) return models("m");
      return body.response_format?.type === taken
        ? completion("{}")
        : Response.json({ error: { message: "response_format is not supported" } }, {
          status: 400,
        });
    });
    const advisor = advisorFor({ base_url: server.origin });
    await advisor.ask(question());
    const formats = () => server.requests.slice(1).map(({ body }) => body.response_format?.type);
    const tried = taken === undefined
      ? ["json_schema", "json_object", undefined]
      : ["json_schema", "json_object"];
    assert.deepEqual(formats(), tried);
    await advisor.ask(question());
    assert.deepEqual(formats(), [...tried, taken]);
  }
});

Deno.test("a server that breaks on a schema with 500 is asked once more without any format", async () => {
  await using server = new ModelServer(({ path, body }) => {
    if (path.endsWith("/models")) return models("m");
    return body.response_format === undefined
      ? completion("{}")
      : new Response("", { status: 500, headers: { "retry-after": "0" } });
  });
  await advisorFor({ base_url: server.origin }).ask(question());
  assert.deepEqual(server.paths, ["GET /v1/models", chat, chat]);
});

Deno.test("after 429 it asks once more when Retry-After has passed, and never a third time", async () => {
  let isBusyForEver = false;
  await using server = new ModelServer(({ path }, count) => {
    if (path.endsWith("/models")) return models("m");
    return count === 2 || isBusyForEver
      ? new Response("", { status: 429, headers: { "retry-after": "0" } })
      : completion("{}");
  });
  await advisorFor({ base_url: server.origin }).ask(question());
  assert.deepEqual(server.paths, ["GET /v1/models", chat, chat]);
  isBusyForEver = true;
  server.requests.length = 0;
  await assert.rejects(advisorFor({ base_url: server.origin }).ask(question()), /HTTP 429/);
  assert.deepEqual(server.paths, ["GET /v1/models", chat, chat]);
});

Deno.test("a wait longer than the time limit is not begun", async () => {
  await using server = new ModelServer(({ path }) =>
    path.endsWith("/models")
      ? models("m")
      : new Response("", { status: 429, headers: { "retry-after": "120" } })
  );
  const started = performance.now();
  const problem = await problemOf({ base_url: server.origin });
  assert.match(problem, /too much to do.*\(HTTP 429; it asks to wait 120 s\)$/);
  assert.ok(performance.now() - started < 5000);
  assert.deepEqual(server.paths, ["GET /v1/models", chat]);
});

const echo = `the key ${canaryKey} is not good`;

Deno.test("each bad server is said in one sentence with the way out, and without the key", async () => {
  const soon = { "retry-after": "0" };
  const cases: readonly (readonly [string, () => Response | Promise<Response>, RegExp, number?])[] =
    [
      ["a web page", () => page(), /answers with a web page \(JSON is wanted; is "base_url"/],
      ["half a JSON", halfJson, /its answer of \d\d characters is not a whole JSON object$/],
      ["a list", () => Response.json([1]), /is not a whole JSON object$/],
      [
        "500",
        () => new Response(echo, { status: 500, headers: soon }),
        /it fails with HTTP 500 \(its/,
      ],
      ["503", () => new Response(echo, { status: 503, headers: soon }), /it fails with HTTP 503/],
      [
        "401",
        () => new Response(echo, { status: 401 }),
        /does not accept the key in OPENAI_API_KEY/,
      ],
      ["403", () => new Response(echo, { status: 403 }), /may not use the model "m" \(HTTP 403\)/],
      [
        "404",
        () => new Response(echo, { status: 404 }),
        /its address or the model "m" \(HTTP 404;/,
      ],
      ["418", () => new Response(echo, { status: 418 }), /HTTP 418: the key \[key\] is not good$/],
      [
        "a redirect",
        () => new Response("", { status: 302, headers: { location: "https://example.com" } }),
        /points to another address with HTTP 302/,
      ],
      ["silence", never, /no answer came within 0\.3 s \(raise "timeout_s"/, 0.3],
      ["no choices", () => Response.json({ choices: [] }), /its answer holds no text$/],
      ["null", () => completion(null), /its answer holds no text$/],
      [
        "a refusal",
        () => completion(null, { refusal: `I will not.\nNot with ${canaryKey}` }),
        /the model refuses: I will not\. Not with \[key\]$/,
      ],
      ["endless text", () => endless(), /its answer does not end within a megabyte$/],
    ];
  for (const [name, answer, wanted, timeout_s = 10] of cases) {
    await using server = new ModelServer(({ path }) =>
      path.endsWith("/models") ? models("m") : answer()
    );
    const problem = await problemOf({ base_url: server.origin, timeout_s });
    assert.match(problem, wanted, name);
    assert.ok(problem.startsWith(`Cannot ask the advisor at "${server.origin}/v1": `), problem);
  }
});

function endless(): Response {
  const chunk = new TextEncoder().encode('{"more":'.repeat(10_000));
  return new Response(
    new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }),
  );
}

Deno.test("a connection that breaks in the middle of an answer is said to", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr as Deno.NetAddr;
  const answering = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(4096));
    const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
    await connection.write(new TextEncoder().encode(`${head}{"data":`));
  })();
  const problem = await problemOf({ base_url: `http://127.0.0.1:${port}` });
  assert.match(problem, /it broke off in the middle of its answer$/);
  await answering;
});

Deno.test("where nothing answers, the commands that start Foundry Local are said", async () => {
  const origin = deadOrigin();
  const problem = await problemOf({ base_url: origin, model: "qwen2.5-0.5b" });
  assert.equal(
    problem,
    `Cannot ask the advisor at "${origin}/v1": nothing answers there (start Foundry Local: ` +
      "`foundry service start` (`foundry server start` from 0.10 on), then " +
      "`foundry model run qwen2.5-0.5b`)",
  );
});

Deno.test("a server without a model says which command loads one", async () => {
  await using server = new ModelServer(() => models());
  const problem = await problemOf({ base_url: server.origin });
  assert.match(problem, /has no model loaded \(`foundry model run phi-4-mini` loads one\)/);
});

Deno.test("the address comes from the recipe, else the environment in its order, else from Foundry", async () => {
  await using server = new ModelServer(({ path }) =>
    path.endsWith("/models") ? models("m") : completion("{}")
  );
  const dead = deadOrigin();
  const { port } = new URL(server.origin);
  const status = `🟢 Model management service is running on http://127.0.0.1:${port}/openai/status`;
  const unset = () => assert.fail("Foundry Local was asked, though the address is known");
  const cases: readonly Given[] = [
    { base_url: server.origin, env: { TINTYPE_OPENAI_BASE_URL: dead }, foundry: unset },
    {
      env: { TINTYPE_OPENAI_BASE_URL: `${server.origin}/v1/`, FOUNDRY_LOCAL_ENDPOINT: dead },
      foundry: unset,
    },
    { env: { FOUNDRY_LOCAL_ENDPOINT: server.origin, OPENAI_BASE_URL: dead }, foundry: unset },
    { env: { OPENAI_BASE_URL: `${server.origin}/v1` }, foundry: unset },
    { foundry: (args) => args === "service status" ? status : assert.fail(args) },
    {
      foundry: (args) =>
        args === "server status"
          ? `State     Ready\nWeb URLs  http://127.0.0.1:${port}`
          : "Unrecognized command or argument 'service'.",
    },
  ];
  for (const given of cases) {
    assert.equal((await advisorFor(given).ask(question())).text, "{}");
  }
  assert.ok(server.paths.every((path) => path.includes(" /v1/")));
});

Deno.test("without any address the sentence says how to give one", async () => {
  for (const foundry of [undefined, () => "🔴 Model management service is not running!"]) {
    const problem = await problemOf({ foundry });
    assert.match(
      problem,
      /^Cannot ask the advisor: no address of a server is known \(start Foundry/,
    );
    assert.match(problem, /or give "base_url" or TINTYPE_OPENAI_BASE_URL\)$/);
  }
});

Deno.test("an address with a key in it is refused without showing it", async () => {
  for (const url of [`http://user:${canaryKey}@127.0.0.1:9/v1`, `http://h/v1?key=${canaryKey}`]) {
    const problem = await problemOf({ env: { TINTYPE_OPENAI_BASE_URL: url } });
    assert.match(problem, /TINTYPE_OPENAI_BASE_URL holds a name, a password or a query/);
  }
  const problem = await problemOf({ env: { OPENAI_BASE_URL: `not an address ${canaryKey}` } });
  assert.match(problem, /OPENAI_BASE_URL is not an address \(such as/);
});

Deno.test("a key that no header can carry is refused without showing it", async () => {
  const broken = `${canaryKey}\n${canaryKey}é`;
  const problem = await problemOf({ base_url: deadOrigin(), env: { OPENAI_API_KEY: broken } });
  assert.match(problem, /OPENAI_API_KEY holds characters that no key has \(set it anew\)$/);
});

Deno.test("a key that the model repeats is taken out of its answer", async () => {
  await using server = new ModelServer(({ path }) =>
    path.endsWith("/models") ? models("m") : completion(`{"rationale":"${canaryKey}"}`)
  );
  const { text } = await advisorFor({ base_url: server.origin }).ask(question());
  assert.equal(text, '{"rationale":"[key]"}');
});

Deno.test("a run that is given up ends the question at once", async () => {
  const controller = new AbortController();
  await using server = new ModelServer(({ path }) => {
    if (path.endsWith("/models")) return models("m");
    controller.abort();
    return never();
  });
  const asking = advisorFor({ base_url: server.origin }).ask(question(controller.signal));
  await assert.rejects(asking, /the run was given up$/);
});

Deno.test("the address is read from what Foundry Local's commands print", () => {
  const printed: readonly (readonly [string, string | undefined])[] = [
    [
      "🟢 Model management service is running on http://127.0.0.1:55064/openai/status\n" +
      "EP autoregistration status: Successfully downloaded",
      "http://127.0.0.1:55064/v1",
    ],
    ["State    Ready\nWeb URLs http://localhost:56294", "http://localhost:56294/v1"],
    ['{"running":true,"webUrls":["http://127.0.0.1:58082"]}', "http://127.0.0.1:58082/v1"],
    ["service is not running; see https://aka.ms/foundry-local", undefined],
    ["", undefined],
  ];
  for (const [text, url] of printed) assert.equal(urlInStatus(text), url);
});

Deno.test({
  name: "a foundry command on the path is asked where Foundry Local is",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using server = new ModelServer(({ path }) =>
      path.endsWith("/models") ? models("m") : completion("{}")
    );
    const folder = Deno.makeTempDirSync({ prefix: "tintype-foundry-" });
    const path = Deno.env.get("PATH")!;
    const line = `Model management service is running on ${server.origin}/openai/status`;
    const script = `#!/bin/sh\n[ "$1 $2" = "service status" ] && echo "${line}"\n`;
    Deno.writeTextFileSync(`${folder}/foundry`, script, { mode: 0o755 });
    Deno.env.set("PATH", `${folder}:${path}`);
    try {
      const connect = createServices(environment()).get(advisors.name) as Advisors;
      const advisor = connect({ provider: "openai_compatible", timeout_s: 10 });
      assert.equal((await advisor.ask(question())).model, "served-model-1");
    } finally {
      Deno.env.set("PATH", path);
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

Deno.test("where there is no foundry command, nothing breaks", async () => {
  const path = Deno.env.get("PATH")!;
  Deno.env.set("PATH", "/nonexistent");
  try {
    const connect = createServices(environment()).get(advisors.name) as Advisors;
    const advisor = connect({ provider: "openai_compatible", timeout_s: 10 });
    await assert.rejects(advisor.ask(question()), /no address of a server is known/);
  } finally {
    Deno.env.set("PATH", path);
  }
});

Deno.test("a foundry command that hangs is waited for no longer than a server", async () => {
  const advisor = new OpenAICompatibleModel(
    { timeout_s: 0.2, retries: 1, called: "the advisor" },
    {
      env: environment(),
      runCommand: (_, __, signal) =>
        new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined))),
    },
  );
  await assert.rejects(advisor.ask(question()), /no answer came within 0\.2 s/);
});
