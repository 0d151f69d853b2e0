import assert from "node:assert/strict";
import { z } from "zod";
import { text } from "../../src/runtime/artifact.ts";
import type { RunEvent } from "../../src/runtime/event.ts";
import { defineStep, each, failed, produced, serviceKey } from "../../src/runtime/step.ts";
import { Rig } from "../rig.ts";

const model = serviceKey<(text: string) => string>("model");

/** Asks a model about each text; without a key there is no answer for anybody. */
const ask = defineStep({
  name: "test.ask_each",
  version: 1,
  doc: "Asks.",
  origin: "remote",
  pool: "remote",
  isResult: true,
  inputs: {
    text: each(text, "the questions"),
    draft: each(text, "what to begin with", { isOptional: true }),
  },
  params: z.object({ with_draft: z.boolean().default(false) }),
  outputs: { text: each(text, "the answers") },
  tools: (_, context) => Promise.resolve({ model: context.service(model)("which") }),
  unusedPorts: ({ with_draft }) => with_draft ? [] : ["draft"],
  forecast: (count) => Promise.resolve(`${count} calls`),
  async run({ text, draft }, _, context) {
    const question = await text.read();
    try {
      const answer = context.service(model)(question + (draft ? await draft.read() : ""));
      context.remoteCalled({ provider: "test", model: "m-1", inputTokens: question.length });
      return produced({ text: answer });
    } catch (error) {
      return failed((error as Error).message, { stopsNode: true });
    }
  },
});

const recipe = `
recipe: remote
steps:
  texts:   { use: test.scan, with: { folder: ./in } }
  upper:   { use: test.upper, from: texts }
  drafts:  { use: test.named, from: upper }
  answers: { use: test.ask_each, from: { text: upper, draft: drafts } }
`;

function rigWith(answer: (text: string) => string): Rig {
  const rig = new Rig([ask]);
  rig.services = new Map([[model.name, answer]]);
  rig.write({ "in/a": "a", "in/b": "b", "in/c": "c", "in/d": "d" });
  return rig;
}

function settled(events: readonly RunEvent[], node: string) {
  return events.flatMap((event) =>
    event.type === "task-settled" && event.node === node ? [event] : []
  );
}

Deno.test("what would fail for everybody fails once, and holds up the others with its reason", async () => {
  await using rig = rigWith((question) => {
    if (question === "which") return "1";
    throw new Error("no key is set (set MODEL_KEY)");
  });
  const { events, status } = await rig.run(recipe);
  assert.equal(status, "failed");
  const ends = settled(events, "answers");
  assert.deepEqual(
    ends.map(({ outcome }) => outcome).toSorted(),
    ["failed", "skipped", "skipped", "skipped"],
  );
  const why = 'held up at "answers": no key is set (set MODEL_KEY)';
  assert.ok(
    ends.filter(({ outcome }) => outcome === "skipped").every(({ reason }) => reason === why),
  );
});

Deno.test("what was held up is tried by the next run", async () => {
  let isBroken = true;
  await using rig = rigWith((question) => {
    if (question !== "which" && isBroken) throw new Error("no key");
    return `${question}!`;
  });
  await rig.run(recipe);
  isBroken = false;
  const { events, status } = await rig.run(recipe);
  assert.equal(status, "complete");
  assert.deepEqual(settled(events, "answers").map(({ outcome }) => outcome), Array(4).fill("ran"));
});

Deno.test("calls of a remote model are in the journal", async () => {
  await using rig = rigWith((question) => question);
  const { events } = await rig.run(recipe);
  const calls = events.filter((event) => event.type === "remote-called");
  assert.deepEqual(calls.map(({ item }) => item).toSorted(), ["a", "b", "c", "d"]);
  const { node, provider, model: called, inputTokens } = calls[0]!;
  assert.deepEqual([node, provider, called, inputTokens], ["answers", "test", "m-1", 1]);
});

Deno.test("a port that the parameters leave unused is not in the key, and what only it needs does not run", async () => {
  await using rig = rigWith((question) => question);
  const { events } = await rig.run(recipe);
  assert.deepEqual(settled(events, "drafts"), []);
  const withDraft = recipe.replace(
    "draft: drafts } }",
    "draft: drafts }, with: { with_draft: true } }",
  );
  const second = await rig.run(withDraft);
  assert.equal(settled(second.events, "drafts").length, 4);
  assert.equal(
    settled(second.events, "answers").filter(({ outcome }) => outcome === "ran").length,
    4,
  );
  const third = await rig.run(recipe);
  assert.ok(settled(third.events, "answers").every(({ outcome }) => outcome === "cached"));
});

Deno.test("what the tools of a step say of a service is part of its key", async () => {
  let version = "1";
  await using rig = rigWith((question) => question === "which" ? version : question);
  await rig.run(recipe);
  version = "2";
  const { events } = await rig.run(recipe);
  assert.ok(settled(events, "answers").every(({ outcome }) => outcome === "ran"));
});

Deno.test("force with items does only theirs again", async () => {
  await using rig = rigWith((question) => question);
  await rig.run(recipe);
  const { events } = await rig.run(recipe, { force: ["answers:[bc]"] });
  const ran = settled(events, "answers").filter(({ outcome }) => outcome === "ran");
  assert.deepEqual(ran.map(({ item }) => item).toSorted(), ["b", "c"]);
});

Deno.test("a plan says what a node's tasks would cost, and asks nobody", async () => {
  const asked: string[] = [];
  await using rig = rigWith((question) => {
    asked.push(question);
    return question;
  });
  const graph = await rig.graph(recipe);
  const groups = await rig.session().plan(graph);
  assert.equal(groups.find(({ node }) => node === "answers")?.forecast, "4 calls");
  assert.deepEqual(asked, ["which"]);
});

Deno.test("services let go of what they hold when a run ends, also one that failed", async () => {
  await using rig = rigWith((question) => question);
  const released: string[] = [];
  rig.services = new Map<string, unknown>([
    [model.name, () => {
      throw new Error("none");
    }],
    ["other", { release: () => Promise.resolve(void released.push("other")) }],
  ]);
  await assert.rejects(rig.run(recipe), /none/);
  assert.deepEqual(released, ["other"]);
});
