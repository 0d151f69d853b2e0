import assert from "node:assert/strict";
import { z } from "zod";
import { text } from "../../src/runtime/artifact.ts";
import {
  all,
  type AnyStep,
  defineStep,
  one,
  produced,
  serviceKey,
} from "../../src/runtime/step.ts";
import { Rig } from "../rig.ts";

const oracle = serviceKey<() => string | undefined>("oracle");

/** Asks the oracle; without an answer it makes do, for now. */
const asking = defineStep({
  name: "test.ask",
  version: 1,
  doc: "Asks.",
  origin: "remote",
  isResult: true,
  inputs: { text: one(text, "the question") },
  params: z.object({}),
  outputs: { text: one(text, "the answer") },
  run(_, __, context) {
    const answer = context.service(oracle)();
    return produced({ text: answer ?? "perhaps" }, { isProvisional: answer === undefined });
  },
});

const missing = defineStep({
  name: "test.missing",
  version: 1,
  doc: "Lists what is missing.",
  origin: "computed",
  isResult: true,
  usesItemName: true,
  usesAbsent: true,
  inputs: { text: all(text, "the texts") },
  params: z.object({}),
  outputs: { list: one(text, "what is missing") },
  run: (_, __, { absent }) =>
    produced({
      list: absent.map(({ name, node, status, reason }) =>
        `${name} ${status} at ${node}: ${reason}`
      )
        .join("; "),
    }),
});

const texts = `
recipe: services
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  upper: { use: test.upper, from: texts }
`;

async function valueOf(rig: Rig, table: string): Promise<unknown> {
  const catalog = await rig.session().openCatalog();
  try {
    return (await catalog.query(`SELECT text FROM ${table}`)).rows[0]!["text"];
  } finally {
    catalog.close();
  }
}

Deno.test("a provisional result is used, and asked for again in the next run", async () => {
  const answers: (string | undefined)[] = [undefined, "yes"];
  const steps: AnyStep[] = [asking];
  await using rig = new Rig(steps);
  const services = new Map<string, unknown>([[oracle.name, () => answers.shift()]]);
  rig.services = services;
  rig.write({ "in/a": "may I" });
  const recipe =
    `${texts}  joined: { use: test.join, from: upper }\n  answer: { use: test.ask, from: joined }\n`;
  assert.equal((await rig.run(recipe)).status, "complete");
  assert.equal(await valueOf(rig, "answer"), "perhaps");
  assert.equal((await rig.run(recipe)).counts.ran, 1);
  assert.equal(await valueOf(rig, "answer"), "yes");
  assert.equal((await rig.run(recipe)).counts.ran, 0);
});

Deno.test("a service that the session has not is named", async () => {
  await using rig = new Rig([asking]);
  rig.write({ "in/a": "may I" });
  const { events, status } = await rig.run(
    `${texts}  joined: { use: test.join, from: upper }\n  answer: { use: test.ask, from: joined }\n`,
  );
  assert.equal(status, "failed");
  assert.match(
    JSON.stringify(events),
    /test\.ask\\" wants \\"oracle\\", which this session has not/,
  );
});

Deno.test("a step may see which items are missing, where they ended and why", async () => {
  await using rig = new Rig([missing]);
  rig.write({ "in/a": "fine", "in/b": "reject me", "in/c": "fail" });
  const recipe = `${texts}  list: { use: test.missing, from: upper }\n`;
  await rig.run(recipe);
  const first = "b rejected at upper: it says so; c failed at upper: it broke";
  assert.equal(await valueOf(rig, "list"), first);
  const again = await rig.run(recipe);
  assert.equal(again.counts.ran, 0);
  rig.write({ "in/d": "reject too" });
  await rig.run(recipe);
  assert.equal(await valueOf(rig, "list"), `${first}; d rejected at upper: it says so`);
});
