import assert from "node:assert/strict";
import { openaiCompatibleDefaults } from "../../src/services/openai_compatible.ts";
import { priceOf, providerFacts, tokensOfImage } from "../../src/services/provider_facts.ts";
import { visionProviders, type VisionSettings } from "../../src/services/vision.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { deadOrigin } from "./model_server.ts";
import { remoteVision } from "./vision_rig.ts";

const proxy = { width: 1195, height: 896 };

const pace = { requests_per_minute: 60, concurrency: 4, min_delay_s: 0, timeout_s: 60 };

async function forecast(settings: Pick<VisionSettings, "provider" | "model" | "base_url">) {
  const model = await remoteVision({ env: {} }).connect({ ...settings, ...pace });
  return model.forecast(proxy, 1600);
}

Deno.test("each provider's facts have a day, a source, and a price for its own model", async () => {
  for (const provider of visionProviders) {
    const facts = await providerFacts(provider);
    assert.match(facts.as_of, /^20\d\d-\d\d-\d\d$/);
    if (provider === "openai_compatible") continue;
    assert.match(facts.source, /^https:\/\//);
    assert.ok(priceOf(facts, facts.model) !== undefined, facts.model);
    for (const { model, input, output } of facts.prices) {
      assert.ok(input > 0 && output > input, model);
      assert.equal(priceOf(facts, model)!.model, model, "no entry hides another");
    }
  }
});

Deno.test("a proxy's tokens follow each model's own rule", async () => {
  const gemini = await providerFacts("gemini");
  const bedrock = await providerFacts("bedrock");
  const cases = [
    [gemini, "gemini-flash-latest", proxy, 1120],
    // Two by two tiles of 768 px, 258 tokens each.
    [gemini, "gemini-2.5-flash", proxy, 1032],
    [gemini, "gemini-2.5-flash", { width: 384, height: 300 }, 258],
    [gemini, "gemini-2.5-flash", { width: 385, height: 300 }, 258],
    [gemini, "gemini-2.5-flash", { width: 1600, height: 768 }, 774],
    [bedrock, "us.amazon.nova-2-lite-v1:0", proxy, 230],
    [bedrock, "amazon.nova-lite-v1:0", proxy, 1600],
    // 1195 · 896 / 750 = 1427.6
    [bedrock, "eu.anthropic.claude-haiku-4-5-20251001-v1:0", proxy, 1428],
    // Shrunk to 1568 × 1176: 2458.6
    [bedrock, "anthropic.claude-sonnet-4-6", { width: 4000, height: 3000 }, 2459],
  ] as const;
  for (const [facts, model, size, tokens] of cases) {
    assert.equal(tokensOfImage(facts, model, size), tokens, model);
  }
});

Deno.test("a model is found by its name, wherever it runs and however it is addressed", async () => {
  const bedrock = await providerFacts("bedrock");
  const inputs = {
    "amazon.nova-lite-v1:0": 0.06,
    "us.amazon.nova-lite-v1:0": 0.06,
    "global.amazon.nova-2-lite-v1:0": 0.3,
    "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0": 3,
    "arn:aws:bedrock:eu-north-1:123456789012:inference-profile/eu.amazon.nova-pro-v1:0": 0.8,
    "anthropic.claude-opus-4-1-20250805-v1:0": 15,
    "anthropic.claude-opus-4-20250514-v1:0": 15,
    "anthropic.claude-opus-4-6-v1": 5,
    "meta.llama3-2-11b-instruct-v1:0": undefined,
  };
  for (const [model, input] of Object.entries(inputs)) {
    assert.equal(priceOf(bedrock, model)?.input, input, model);
  }
  const gemini = await providerFacts("gemini");
  assert.equal(priceOf(gemini, "models/gemini-2.5-flash-lite")?.input, 0.1);
  assert.equal(priceOf(gemini, "gemini-9-unheard-of"), undefined);
});

Deno.test("the largest picture fits into each provider's request once it is base64", async () => {
  const limits = {
    "gemini-flash-latest": [14_000_000, 20e6],
    "us.amazon.nova-2-lite-v1:0": [18_000_000, 25e6],
    "us.anthropic.claude-sonnet-4-6": [5_000_000, 25e6],
  } as const;
  for (const [name, [maxBytes, request]] of Object.entries(limits)) {
    const provider = name.startsWith("gemini") ? "gemini" : "bedrock";
    const { limits } = await remoteVision().connect({ provider, model: name, ...pace });
    assert.equal(limits.maxBytes, maxBytes);
    assert.ok(maxBytes * 4 / 3 + 50_000 < request);
  }
});

Deno.test("a forecast adds picture, words and answer, and multiplies them by the prices", async () => {
  const nova = await forecast({ provider: "bedrock" });
  // 230 for the picture, and 1,600 characters at four a token; 120 for the answer.
  assert.deepEqual(nova, {
    model: "us.amazon.nova-2-lite-v1:0",
    inputTokens: 630,
    outputTokens: 120,
    cost: (630 * 0.3 + 120 * 2.5) / 1e6,
  });
  const flash = await forecast({ provider: "gemini" });
  assert.equal(flash.inputTokens, 1520);
  assert.equal(flash.cost, (1520 * 0.75 + flash.outputTokens * 3.75) / 1e6);
  const unheardOf = await forecast({ provider: "gemini", model: "gemini-9-unheard-of" });
  assert.equal(unheardOf.cost, undefined);
});

Deno.test("a server on this machine is free of charge before it was ever asked; another's price is unknown", async () => {
  const provider = "openai_compatible" as const;
  const costs = await Promise.all(
    [undefined, deadOrigin(), "http://localhost:11434/v1", "https://api.example.com/v1"]
      .map(async (base_url) => (await forecast({ provider, base_url })).cost),
  );
  assert.deepEqual(costs, [0, 0, 0, undefined]);
  const env = { TINTYPE_OPENAI_BASE_URL: "https://api.example.com/v1" };
  const remote = await remoteVision({ env }).connect({ provider, ...pace });
  assert.equal(remote.forecast(proxy, 1600).cost, undefined);
});

Deno.test("the plan of the shipped recipe says calls and cost, asking nobody and without a key", async () => {
  await using rig = new PictureRig();
  for (let seed = 1; seed <= 3; seed++) {
    rig.write({ [`photos/IMG_${seed}.jpg`]: await photo(120, 90, { seed }) });
  }
  const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
  const pipeline = new URL("../../pipelines/caption.yaml", import.meta.url).pathname;
  const variables = ["GEMINI_API_KEY", "GOOGLE_API_KEY", ...openaiCompatibleDefaults.urlVariables];
  const unset = Object.fromEntries(variables.map((name) => [name, ""]));
  const proxies = { HTTP_PROXY: deadOrigin(), HTTPS_PROXY: deadOrigin() };
  const said = async (provider: string) => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        main,
        "plan",
        pipeline,
        "--set",
        `provider=${provider}`,
        "--set",
        "source=photos",
      ],
      cwd: rig.folder,
      env: { ...proxies, ...unset, NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    return /captions .* — (.*)/.exec(text)?.[1] ?? text;
  };
  const [gemini, nova, local] = await Promise.all(visionProviders.map(said));
  const counted = (name: string, price: string) =>
    new RegExp(`^3 calls to ${name}, about [\\d,]+ tokens, ${price}$`);
  assert.match(gemini!, counted("gemini-flash-latest", "about \\$0\\.\\d+"));
  assert.match(nova!, counted("us\\.amazon\\.nova-2-lite-v1:0", "about \\$0\\.\\d+"));
  assert.match(local!, counted("openai_compatible", "free of charge"));
});
