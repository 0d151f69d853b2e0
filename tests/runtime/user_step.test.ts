import assert from "node:assert/strict";
import { Rig } from "../rig.ts";

const recipe = `
recipe: own
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  own: { use: ./steps/mark.ts, from: texts, with: { mark: "!" } }
  upper: { use: test.upper, from: own }
  joined: { use: test.join, from: upper }
`;

const step = `
import { defineStep, each, produced, text, z } from "tintype";
import { put } from "./helper.ts";

export default defineStep({
  name: "own.mark",
  version: 1,
  doc: "Puts a mark behind a text.",
  origin: "computed",
  inputs: { text: each(text, "the texts") },
  params: z.object({ mark: z.string() }),
  outputs: { text: each(text, "marked") },
  run: async ({ text }, { mark }) => produced({ text: put(await text.read(), mark) }),
});
`;

/**
 * Runs the recipe in a process of its own, as a user does: modules are loaded once a process. Gives
 * the nodes with the tasks that ran.
 */
async function ranNodes(rig: Rig): Promise<Record<string, number>> {
  const script = `
    import { Rig } from ${JSON.stringify(new URL("../rig.ts", import.meta.url).href)};
    const rig = new Rig();
    const { Session } = await import(${
    JSON.stringify(new URL("../../src/runtime/session.ts", import.meta.url).href)
  });
    const session = new Session({ catalog: rig.catalog, cwd: Deno.args[0], workspace: Deno.args[0] + "/.tintype" });
    const { graph, diagnostics } = await session.checkFile("own.yaml");
    if (graph === undefined) throw new Error(diagnostics.map((each) => each.message).join("; "));
    const ran = {};
    await session.run(graph, { listener: (event) => {
      if (event.type === "task-settled" && event.outcome === "ran") ran[event.node] = (ran[event.node] ?? 0) + 1;
    } });
    console.log(JSON.stringify(ran));
    await rig[Symbol.asyncDispose]();
  `;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  rig.write({ "run.ts": script });
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--config", config, rig.path("run.ts"), rig.folder],
    env: { NO_COLOR: "1" },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("a user's own step runs, and editing its helper reruns it and what follows", async () => {
  await using rig = new Rig();
  rig.write({
    "in/a": "one",
    "in/b": "two",
    "own.yaml": recipe,
    "steps/mark.ts": step,
    "steps/helper.ts": "export const put = (text: string, mark: string) => text + mark;\n",
  });
  assert.deepEqual(await ranNodes(rig), { texts: 2, own: 2, upper: 2, joined: 1 });
  assert.deepEqual(await ranNodes(rig), {});
  rig.write({
    "steps/helper.ts": "export const put = (text: string, mark: string) => mark + text;\n",
  });
  assert.deepEqual(await ranNodes(rig), { own: 2, upper: 2, joined: 1 });
  // Other code, the same results: only the step itself runs.
  rig.write({
    "steps/helper.ts": "export const put = (text: string, mark: string) => `${mark}${text}`;\n",
  });
  assert.deepEqual(await ranNodes(rig), { own: 2 });
});
