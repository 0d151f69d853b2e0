import assert from "node:assert/strict";
import { z } from "zod";
import { policyShape, recommendationShape } from "../../src/baseline/policy.ts";
import { policyByRules } from "../../src/baseline/rules.ts";
import { baselineShape } from "../../src/baseline/baseline.ts";
import type { CatalogDb } from "../../src/runtime/catalog_db.ts";
import { defineStep, one, produced } from "../../src/runtime/step.ts";
import { createServices } from "../../src/services/mod.ts";
import { baseline } from "../../src/steps/baseline/kinds.ts";
import { policyWords, recommend } from "../../src/steps/baseline/recommend.ts";
import { answerWith, canaryKey, exampleBaseline, goodText } from "../baseline/example.ts";
import { Rig } from "../rig.ts";
import {
  completion,
  deadOrigin,
  environment,
  generated,
  halfJson,
  models,
  ModelServer,
  never,
  page,
} from "../services/model_server.ts";
import { TimeLimit } from "../services/time_limit.ts";

const given = defineStep({
  name: "test.baseline",
  version: 1,
  doc: "Gives a baseline.",
  origin: "computed",
  inputs: {},
  params: z.object({ isEmpty: z.boolean().default(false) }),
  outputs: { baseline: one(baseline, "a baseline") },
  run: (_, { isEmpty }) => produced({ baseline: isEmpty ? emptyBaseline() : exampleBaseline() }),
});

function emptyBaseline() {
  const { images: _, ...rest } = exampleBaseline();
  const none = { images: 0, bytes: 0, pixels: 0, quantiles: {}, population: [], summary: [] };
  return baselineShape.parse({ ...rest, ...none });
}

const { policy: rules } = policyByRules(exampleBaseline());

type Variables = Readonly<Record<string, string>>;

/** A rig whose environment has the canary as each key. */
function rigWith(variables: Variables = {}): Rig {
  const rig = new Rig([given, recommend]);
  const keys = { OPENAI_API_KEY: canaryKey, GEMINI_API_KEY: canaryKey };
  rig.services = createServices(environment({ ...keys, ...variables }), {
    runCommand: () => Promise.resolve(undefined),
  });
  return rig;
}

function recipe(params: Readonly<Record<string, unknown>>, base = ""): string {
  return `recipe: r
steps:
  base: { use: test.baseline${base} }
  advised: { use: baseline.recommend, from: base, with: ${JSON.stringify(params)} }
`;
}

/** Runs the recipe, and reads what it made; nothing in the workspace has the canary. */
async function recommended(rig: Rig, params: Readonly<Record<string, unknown>>, base?: string) {
  const { status, events } = await rig.run(recipe(params, base));
  assert.equal(status, "complete");
  const settled = events.find((event) => event.type === "task-settled" && event.node === "advised");
  assert.ok(settled?.type === "task-settled");
  const warnings = events.flatMap((event) => event.type === "warning" ? event.message : []);
  const summaries = events.flatMap((event) => event.type === "summary" ? event.line : []);
  assertNoCanary(rig.folder);
  assert.ok(!JSON.stringify(events).includes(canaryKey));
  const catalog = await rig.session().openCatalog();
  try {
    const recommendation = recommendationShape.parse(await only(catalog, "recommendation"));
    const policy = policyShape.parse(await only(catalog, "policy"));
    return { outcome: settled.outcome, warnings, summaries, recommendation, policy };
  } finally {
    catalog.close();
  }
}

/** The one row of a table, without what every table has. */
async function only(catalog: CatalogDb, output: string) {
  const { rows } = await catalog.query(
    `SELECT * FROM "${output === "policy" ? "advised_policy" : "advised"}"`,
  );
  assert.equal(rows.length, 1);
  const shape = output === "policy" ? policyShape : recommendationShape;
  return Object.fromEntries(
    Object.keys(shape.shape).map((name) => {
      const value = rows[0]![name];
      const isJson = typeof value === "string" && /^[[{]/.test(value);
      return [name, isJson ? JSON.parse(value) : typeof value === "bigint" ? Number(value) : value];
    }),
  );
}

/** Looks through every file, also of the cache, for the key. */
function assertNoCanary(folder: string): void {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) assertNoCanary(path);
    else if (entry.isFile) {
      const text = new TextDecoder("latin1").decode(Deno.readFileSync(path));
      assert.ok(!text.includes(canaryKey), `${path} holds the key`);
    }
  }
}

Deno.test("without an advisor the rules' policy is recommended, nobody is asked, and it is cached", async () => {
  await using server = new ModelServer(() => completion(goodText));
  await using rig = rigWith({ OPENAI_BASE_URL: server.origin });
  const first = await recommended(rig, {});
  assert.deepEqual(first.policy, rules);
  assert.equal(first.recommendation.accepted, "rules");
  assert.equal(first.recommendation.advice.status, "none");
  assert.deepEqual([first.outcome, first.warnings], ["ran", []]);
  assert.equal(first.summaries.length, 1);
  assert.match(first.summaries[0]!, /^Policy by rules: .*; changes \d+ of 20 images/);
  assert.equal((await recommended(rig, {})).outcome, "cached");
  assert.equal(server.requests.length, 0);
});

Deno.test("a good model's advice stands beside the rules, and is cached", async () => {
  await using server = new ModelServer(({ path }) =>
    path.endsWith("/models") ? models("m") : completion(goodText)
  );
  await using rig = rigWith({ OPENAI_BASE_URL: server.origin });
  const params = { advisor: "openai_compatible" };
  const { recommendation, policy, outcome } = await recommended(rig, params);
  assert.deepEqual([outcome, policy], ["ran", rules]);
  const { advice } = recommendation;
  assert.deepEqual([advice.status, advice.model], ["given", "served-model-1"]);
  assert.equal(advice.policy!.long_side_px, 2048);
  const asked = server.requests.length;
  assert.equal((await recommended(rig, params)).outcome, "cached");
  assert.equal(server.requests.length, asked);
});

Deno.test("each answer of an advisor is a call in the journal, with its tokens", async () => {
  let answers = 0;
  await using server = new ModelServer(() => generated(++answers === 1 ? "useless" : goodText));
  await using rig = rigWith({ GEMINI_BASE_URL: server.origin });
  const { events } = await rig.run(recipe({ advisor: "gemini" }));
  const calls = events.filter((event) => event.type === "remote-called");
  assert.equal(calls.length, 2);
  const { node, provider, model, inputTokens, outputTokens } = calls[0]!;
  assert.deepEqual([node, provider, model], ["advised", "gemini", "gemini-served-1"]);
  assert.deepEqual([inputTokens, outputTokens], [1300, 75]);
});

Deno.test("with accept advisor the advice is applied, and the rules stay to be compared", async () => {
  await using server = new ModelServer(() => generated("```json\n" + goodText + "\n```"));
  await using rig = rigWith({ GEMINI_BASE_URL: server.origin });
  const made = await recommended(rig, { advisor: "gemini", accept: "advisor" });
  assert.equal(made.recommendation.accepted, "advisor");
  assert.deepEqual(made.policy, made.recommendation.advice.policy);
  assert.deepEqual(made.recommendation.rules, rules);
  assert.match(made.summaries[0]!, /^Policy by the advisor: long side at most 2048 px, /);
});

const badServers: readonly (readonly [string, () => Response | Promise<Response>, RegExp])[] = [
  ["hangs", never, /no answer came within 3000 s/],
  ["answers HTML", () => page(), /answers with a web page/],
  ["answers half a JSON", halfJson, /is not a whole JSON object/],
  ["breaks off inside its advice", () => completion(goodText.slice(0, 80)), /no whole JSON object/],
  ["rambles", () => completion("Well, it depends. ".repeat(2000)), /holds no JSON object/],
  ["refuses", () => completion(null, { refusal: "I cannot." }), /the model refuses: I cannot/],
  ["fails with 500", () => new Response("oops", { status: 500 }), /it fails with HTTP 500/],
];

for (const [does, answer, problem] of badServers) {
  Deno.test(`a server that ${does} leaves the rules' policy, and is asked again next time`, async () => {
    using limit = new TimeLimit();
    await using server = new ModelServer(({ path }) => {
      if (path.endsWith("/models")) return models("m");
      if (does === "hangs") limit.pass();
      return answer();
    });
    await using rig = rigWith({ OPENAI_BASE_URL: server.origin });
    const timeout_s = limit.seconds;
    const params = { advisor: "openai_compatible", accept: "advisor", timeout_s };
    await assertRulesStand(rig, params, problem);
    const asked = server.requests.length;
    await assertRulesStand(rig, params, problem);
    assert.equal(server.requests.length, 2 * asked, "the second run asked anew");
  });
}

Deno.test("a server that refuses connections leaves the rules' policy, and is asked again", async () => {
  await using rig = rigWith({ OPENAI_BASE_URL: deadOrigin() });
  const params = { advisor: "openai_compatible", accept: "advisor" };
  const problem = /nothing answers there \(start Foundry Local: `foundry service start`/;
  await assertRulesStand(rig, params, problem);
  await assertRulesStand(rig, params, problem);
});

async function assertRulesStand(
  rig: Rig,
  params: Readonly<Record<string, unknown>>,
  problem: RegExp,
) {
  const { recommendation, policy, outcome, warnings, summaries } = await recommended(rig, params);
  assert.deepEqual(policy, rules);
  assert.equal(recommendation.accepted, "rules");
  const { advice } = recommendation;
  assert.deepEqual([advice.status, advice.policy, outcome], ["failed", null, "ran"]);
  assert.match(advice.problem!, problem);
  assert.deepEqual(warnings, [`${advice.problem}; the rules' policy stands`]);
  assert.match(summaries[0]!, /^Policy by rules: /);
}

Deno.test("a server out of range is brought into it, and the recommendation says so", async () => {
  await using server = new ModelServer(({ path }) =>
    path.endsWith("/models") ? models("m") : completion(answerWith({ quality: 4000 }))
  );
  await using rig = rigWith({ OPENAI_BASE_URL: server.origin });
  const made = await recommended(rig, { advisor: "openai_compatible" });
  const { advice } = made.recommendation;
  assert.deepEqual(advice.clamped, [{
    setting: "quality",
    said: 4000,
    became: 94,
    because: "quality goes from 70 to 94 (max)",
  }]);
  assert.deepEqual(made.policy, rules);
});

Deno.test("a useless answer and then a good one is advice", async () => {
  await using server = new ModelServer(({ path, body }) => {
    if (path.endsWith("/models")) return models("m");
    const isRepair = body.messages[1].content.includes("That cannot be used");
    return completion(isRepair ? goodText : "It depends.");
  });
  await using rig = rigWith({ OPENAI_BASE_URL: server.origin });
  const made = await recommended(rig, { advisor: "openai_compatible" });
  assert.equal(made.recommendation.advice.status, "given");
  assert.equal(server.requests.length, 3);
});

Deno.test("nothing of the key is in the task key, and another key changes nothing", async () => {
  await using server = new ModelServer(({ path }) =>
    path.endsWith("/models") ? models("m") : completion(goodText)
  );
  await using rig = rigWith({ OPENAI_BASE_URL: server.origin });
  const params = { advisor: "openai_compatible", model: "m" };
  await recommended(rig, params);
  rig.services = createServices(environment({ OPENAI_API_KEY: "another", OPENAI_BASE_URL: "x" }));
  assert.equal((await recommended(rig, params)).outcome, "cached");
});

Deno.test("a recipe with a key in its address is wrong before anything runs", async () => {
  await using rig = rigWith();
  for (const url of [`http://u:${canaryKey}@h/v1`, `http://h/v1?key=${canaryKey}`, "h:1"]) {
    const params = { advisor: "openai_compatible", base_url: url };
    await assert.rejects(rig.graph(recipe(params)), /base_url/);
  }
  for (const url of ["http://127.0.0.1:5273/v1", "https://models.example.com"]) {
    await rig.graph(recipe({ advisor: "openai_compatible", base_url: url }));
  }
});

Deno.test("an empty set is no question for a model", async () => {
  await using server = new ModelServer(() => completion(goodText));
  await using rig = rigWith({ OPENAI_BASE_URL: server.origin });
  const made = await recommended(
    rig,
    { advisor: "openai_compatible" },
    ", with: { isEmpty: true }",
  );
  assert.equal(made.recommendation.advice.status, "none");
  assert.equal(server.requests.length, 0);
});

Deno.test("accept advisor without one is warned about", async () => {
  await using rig = rigWith();
  const { warnings, policy } = await recommended(rig, { accept: "advisor" });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /nobody is asked, so the rules' policy stands/);
  assert.deepEqual(policy, rules);
});

Deno.test("a session without services keeps the rules' policy", async () => {
  await using rig = rigWith();
  rig.services = new Map();
  await assertRulesStand(rig, { advisor: "gemini" }, /this session has not/);
});

Deno.test("a policy reads in plain words", () => {
  assert.deepEqual(
    policyWords({
      long_side_px: 2048,
      short_side_px: null,
      format: "webp",
      quality: 80,
      colour: "rgb",
      alpha: "flatten",
      background: "#ffffff",
      leave_out: { short_side_below_px: 400, sharpness_below: 12, clipped_above: 0.07 },
    }),
    [
      "long side at most 2048 px",
      "quality at most 80",
      "all as WebP",
      "all in RGB",
      "transparency put on #ffffff",
      "without short sides below 400 px",
      "without sharpness below 12",
      "without more than 7 % clipped pixels",
    ],
  );
});
