import assert from "node:assert/strict";
import { StepWorkers } from "../../src/runtime/step_workers.ts";
import type { CallMessage } from "../../src/runtime/step_messages.ts";
import type { RunEvent } from "../../src/runtime/event.ts";
import { Rig } from "../rig.ts";

/** A step that does what the text of an item says. */
const obedient = (more = "") =>
  `// @ts-nocheck: a user's file is not checked either
import { defineStep, each, failed, produced, rejected, text, waiting, z } from "tintype";
import process from "node:process";
import * as threads from "node:worker_threads";
const Asynchronous = (async () => {}).constructor;
export default defineStep({
  name: "own.obedient", version: 1, doc: "Does what it is told.", origin: "computed",
  inputs: { text: each(text, "what to do") },
  params: z.object({}),
  outputs: { text: each(text, "what came of it") },${more}
  async run({ text }, _, context) {
    const parts = { text, context, failed, produced, rejected, waiting, process, threads };
    return await new Asynchronous(...Object.keys(parts), await text.read())(...Object.values(parts));
  },
});
`;

const recipe = `
recipe: own
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  own: { use: ./own.ts, from: texts }
  joined: { use: test.join, from: own }
`;

/** What became of each item, by its name. */
async function told(
  rig: Rig,
  items: Readonly<Record<string, string>>,
  options: { readonly more?: string; readonly settings?: Parameters<Rig["run"]>[1] } = {},
) {
  rig.write({ "own.ts": obedient(options.more) });
  rig.write(Object.fromEntries(Object.entries(items).map(([name, code]) => [`in/${name}`, code])));
  const { events } = await rig.run(recipe, options.settings);
  return { events, outcomes: outcomesOf(events) };
}

function outcomesOf(events: readonly RunEvent[]): Record<string, string> {
  return Object.fromEntries(
    events.flatMap((event) =>
      event.type === "task-settled" && event.node === "own"
        ? [[
          event.item!,
          event.reason === undefined ? event.outcome : `${event.outcome}: ${event.reason}`,
        ]]
        : []
    ),
  );
}

Deno.test("a step without permissions reaches nothing, says what to declare, and others go on", async () => {
  await using rig = new Rig();
  const secret = rig.path("secret.txt");
  rig.write({ "secret.txt": "hush" });
  const { outcomes } = await told(rig, {
    env: 'return produced({ text: Deno.env.get("HOME") });',
    process_env: "return produced({ text: JSON.stringify(process.env) });",
    ffi: 'Deno.dlopen("./lib.so", {});',
    import: 'await import("https://example.com/x.ts");',
    net: 'await fetch("https://api.example.com/v1");',
    read: `Deno.readTextFileSync(${JSON.stringify(secret)});`,
    require: `const { createRequire } = await import("node:module");
      createRequire("/")(${JSON.stringify(secret.replace("txt", "json"))});`,
    run: 'new Deno.Command("ls").outputSync();',
    sys: "Deno.hostname();",
    write: `Deno.writeTextFileSync(${JSON.stringify(secret)}, "");`,
    disk: `context.disk.list(${JSON.stringify(rig.folder)});`,
    arguments: "return produced({ text: JSON.stringify(Deno.args) });",
    fine: 'return produced({ text: "fine" });',
  });
  const needs = (sort: string, thing: string, declared = thing) =>
    `failed: It needs ${sort} access to "${thing}", which it does not ask for ` +
    `(declare it in the step: permissions: { ${sort}: ["${declared}"] })`;
  const { process_env, ffi, require, ...others } = outcomes;
  assert.deepEqual(others, {
    env: needs("env", "HOME"),
    import: 'failed: It loads code from "example.com:443" while it runs, which no step may ' +
      "(save it beside the step and import it at the top)",
    net: needs("net", "api.example.com:443", "api.example.com"),
    read: needs("read", secret),
    run: needs("run", "ls"),
    sys: needs("sys", "hostname"),
    write: needs("write", secret),
    disk: needs("read", rig.folder),
    arguments: "ran",
    fine: "ran",
  });
  for (const [sort, outcome] of Object.entries({ env: process_env, ffi, read: require })) {
    assert.match(outcome!, new RegExp(`^failed: It needs ${sort} access`));
  }
  assert.equal(Deno.readTextFileSync(secret), "hush");
});

Deno.test("a step has what it declares, and nothing else of its sort", async () => {
  await using rig = new Rig();
  await using server = Deno.serve({ port: 0, onListen() {} }, () => new Response("answer"));
  const { port } = server.addr;
  Deno.env.set("TINTYPE_TEST_GIVEN", "given");
  rig.write({ "tables/own.txt": "table", "other.txt": "other" });
  const { outcomes } = await told(rig, {
    net: `const answer = await fetch("http://127.0.0.1:${port}/");
      return await answer.text() === "answer" ? produced({ text: "y" }) : failed("no answer");`,
    elsewhere: `await fetch("http://127.0.0.1:${port === 1024 ? 1025 : port - 1}/");`,
    env:
      `return Deno.env.get("TINTYPE_TEST_GIVEN") === "given" ? produced({ text: "y" }) : failed("no");`,
    other_env: 'Deno.env.get("PATH");',
    read: `return Deno.readTextFileSync(${JSON.stringify(rig.path("tables/own.txt"))}) === "table"
      ? produced({ text: "y" }) : failed("no");`,
    other_read: `Deno.readTextFileSync(${JSON.stringify(rig.path("other.txt"))});`,
    write: `Deno.writeTextFileSync(${JSON.stringify(rig.path("tables/made.txt"))}, "made");`,
  }, {
    more: `
  permissions: { net: ["127.0.0.1:${port}"], env: ["TINTYPE_TEST_GIVEN"], read: ["./tables"] },`,
    settings: { allowSteps: true },
  });
  const { net, env, read, ...refused } = outcomes;
  assert.deepEqual({ net, env, read }, { net: "ran", env: "ran", read: "ran" });
  assert.equal(Object.keys(refused).length, 4);
  for (const outcome of Object.values(refused)) {
    assert.match(outcome, /^failed: It needs \w+ access to /);
  }
});

Deno.test("a step that ends its worker or answers anything at all fails its own item, and no other", async () => {
  await using rig = new Rig();
  const { outcomes, events } = await told(rig, {
    exit: "Deno.exit(0);",
    process_exit: "process.exit(1);",
    abort: "process.abort();",
    really: "process.reallyExit(3);",
    thrown_text: 'throw "a text";',
    thrown_null: "throw null;",
    heedless: `Promise.reject(new Error("left alone"));
      await new Promise((resolve) => setTimeout(resolve, 200)); return produced({ text: "late" });`,
    nothing: "",
    number: "return 5;",
    odd_status: 'return { status: "done" };',
    other_kind: "return produced({ text: 5 });",
    function: "return produced({ text: () => 1 });",
    no_output: "return produced({});",
    garbage: `for (const type of ["done", "loaded", "ask", "note", "ending", "__proto__"]) {
        threads.parentPort.postMessage({ type, id: 1, ended: 1, how: "x", result: { type: "result" } });
      }
      return produced({ text: "garbage" });`,
    rejected: 'return rejected("it is small", { width: 3, odd: NaN });',
    waits: 'return waiting("somebody must look");',
    noted:
      'context.warn("careful"); context.summarize("a line"); return produced({ text: "noted" });',
    passed: "return produced({ text });",
  }, { settings: { jobs: 2 } });
  const { really, nothing, other_kind, function: uncloneable, no_output, ...others } = outcomes;
  assert.deepEqual(others, {
    exit: "failed: The step's worker ended: it called Deno.exit",
    process_exit: "failed: The step's worker ended: it called process.exit",
    abort: "failed: The step's worker ended: it called process.abort",
    thrown_text: "failed: a text",
    thrown_null: "failed: null",
    heedless:
      "failed: The step's worker ended: a promise that nobody waits for was rejected (left alone)",
    number: "failed: It returned number where its worker sends fields",
    odd_status: "failed: It returned nothing that a step can (produced({ … }) is wanted)",
    garbage: "ran",
    rejected: "rejected: it is small",
    waits: "waiting: somebody must look",
    noted: "ran",
    passed: "ran",
  });
  assert.match(really!, /^failed: The step's worker ended: /);
  for (const outcome of [nothing, other_kind, uncloneable, no_output]) {
    assert.match(outcome!, /^failed: /);
  }
  assert.ok(events.some((event) => event.type === "warning" && event.message === "careful"));
  assert.ok(events.some((event) => event.type === "summary" && event.line === "a line"));
});

Deno.test("a failure that may pass is tried again", async () => {
  await using rig = new Rig();
  // Kept outside the worker: on a busy machine the next try may come to another one.
  const tries = JSON.stringify(rig.path("tries"));
  rig.write({ tries: "" });
  const { outcomes, events } = await told(rig, {
    flaky: `Deno.writeTextFileSync(${tries}, "I", { append: true });
      return Deno.readTextFileSync(${tries}).length < 3
        ? failed("busy", { isRetriable: true })
        : produced({ text: "y" });`,
  }, {
    more: `\n  permissions: { read: ["./tries"], write: ["./tries"] },`,
    settings: { allowSteps: true },
  });
  assert.deepEqual(outcomes, { flaky: "ran" });
  assert.equal(events.filter((event) => event.type === "task-retried").length, 2);
});

/** Workers of a step file of the rig, and a call of its step. */
interface WorkersAsked {
  readonly graceMs?: number;
  readonly idleMs?: number;
  readonly heapMb?: number;
}

function workersOf(rig: Rig, code: string, options: WorkersAsked = {}) {
  rig.write({ "loose.ts": code });
  const path = rig.path("loose.ts");
  const workers = new StepWorkers(
    { url: `file://${path}`, isWhole: false, ...options, assertUnchanged() {} },
    { path, folder: rig.folder, permissions: {}, files: [path], importHosts: [], ...options },
  );
  const message: CallMessage = { method: "run", inputs: {}, params: {}, shared: ["text"] };
  return { workers, message };
}

const loose = (body: string) =>
  `// @ts-nocheck
import { defineStep, one, produced, text, z } from "tintype";
export default defineStep({
  name: "own.loose", version: 1, doc: "Loose.", origin: "computed",
  inputs: {}, params: z.object({}), outputs: { text: one(text, "something") },
  async run(_, __, context) { ${body} },
});
`;

Deno.test("a step in a loop is ended when the run is stopped, and its worker with it", async () => {
  await using rig = new Rig();
  const code = loose('context.warn("begins"); for (;;);');
  const { workers, message } = workersOf(rig, code, { graceMs: 10 });
  const stop = new AbortController();
  const call = { message, handles: [], onNote: () => stop.abort() };
  await assert.rejects(
    workers.call(call, stop.signal),
    /did not stop within 0.01 s of the run being/,
  );
  await workers.release(); // the process could not end beside a thread that goes on
});

Deno.test("a step that heeds the signal is let finish", async () => {
  await using rig = new Rig();
  const code = loose(`context.warn("begins");
    await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
    return produced({ text: "stopped in good time" });`);
  const { workers, message } = workersOf(rig, code, { graceMs: 60_000 });
  const stop = new AbortController();
  const call = { message, handles: [], onNote: () => stop.abort() };
  const answer = await workers.call(call, stop.signal);
  assert.deepEqual(answer, {
    type: "result",
    result: { status: "produced", outputs: { text: { made: "stopped in good time" } } },
  });
  await workers.release();
});

Deno.test("a step that runs out of memory fails its item, and the process lives on", async () => {
  await using rig = new Rig();
  const code = loose(
    "await null; const kept = []; for (;;) kept.push(Array.from({ length: 10_000 }, (_, i) => ({ i })));",
  );
  const { workers, message } = workersOf(rig, code, { heapMb: 32 });
  const call = { message, handles: [], onNote() {} };
  await assert.rejects(workers.call(call, undefined), /The step's worker ended: /);
  await workers.release();
});

Deno.test("of calls that a worker was at together, only the one that ended it fails", async () => {
  await using rig = new Rig();
  const code = loose(`
    globalThis.calls = (globalThis.calls ?? 0) + 1;
    if (context.owner === "ender") { await new Promise((r) => setTimeout(r, 100)); Deno.exit(0); }
    await new Promise((resolve) => setTimeout(resolve, 300));
    return produced({ text: context.owner });`);
  const { workers, message } = workersOf(rig, code, { idleMs: 1 });
  workers.size = 1;
  const context = { itemName: "", members: [], absent: [], isComplete: true, tools: {} };
  const answers = await Promise.allSettled(["a", "ender", "b"].map((owner) => {
    const call = { ...message, context: { ...context, owner } };
    return workers.call({ message: call, handles: [], onNote() {} }, undefined);
  }));
  assert.deepEqual(answers.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  await workers.release();
});

Deno.test("a call that waits to be tried once more is not when the run is stopped", async () => {
  await using rig = new Rig();
  const code = loose(`
    globalThis.calls = (globalThis.calls ?? 0) + 1;
    if (globalThis.calls === 2) Deno.exit(0);
    context.warn("begins");
    await new Promise((resolve) => setTimeout(resolve, 1e9));`);
  const { workers, message } = workersOf(rig, code, { graceMs: 10 });
  workers.size = 1;
  const stop = new AbortController();
  let begun = 0;
  const onNote = () => void (++begun === 2 && stop.abort()); // the first time together, then alone
  const call = { message, handles: [], onNote };
  const other = { message, handles: [], onNote: () => void workers.release() };
  const [first, second] = await Promise.allSettled([
    workers.call(call, stop.signal),
    workers.call(other, stop.signal),
  ]);
  assert.match(String((first as PromiseRejectedResult).reason), /did not stop within 0.01 s/);
  assert.match(String((second as PromiseRejectedResult).reason), /called Deno.exit/);
  await workers.release();
});

const batched = loose("").replace("{ defineStep", "{ defineStep, each").replace(
  "inputs: {}",
  'inputs: { text: each(text, "texts") }',
).replace('text: one(text, "something")', 'text: each(text, "something")').replace(
  /async run[^\n]*/,
  `batch: {
    size: 2,
    prepare: async () => globalThis.count = (globalThis.count ?? 0) + 1,
    run: async (all) => all.map((each) => produced({ text: String(each) })),
  },`,
);

/** Prepares an item, and gives what a call does with some that were prepared. */
function batches({ workers, message }: ReturnType<typeof workersOf>) {
  const made = (more: Partial<CallMessage>) =>
    workers.call({ message: { ...message, ...more }, handles: [], onNote() {} }, undefined);
  return {
    prepare: (number: number) => made({ method: "prepare", prepared: [number] }),
    run: (...prepared: number[]) => made({ method: "runBatch", prepared }),
  };
}

const produced = (made: string) => ({ status: "produced", outputs: { text: { made } } });

Deno.test("what was prepared stays until its call, however long that takes", async () => {
  await using rig = new Rig();
  const asked = workersOf(rig, batched, { idleMs: 0 });
  const { prepare, run } = batches(asked);
  await prepare(1);
  await new Promise((resolve) => setTimeout(resolve)); // after the timer for idle workers
  await prepare(2);
  await new Promise((resolve) => setTimeout(resolve));
  const answer = await run(2, 1);
  assert.deepEqual(answer, { type: "results", results: [produced("2"), produced("1")] });
  await asked.workers.release();
});

Deno.test("an item whose preparation is lost with its worker is tried again, and gets no other's result", async () => {
  await using rig = new Rig();
  const asked = workersOf(rig, batched);
  asked.workers.size = 1;
  const { prepare, run } = batches(asked);
  await prepare(1);
  await asked.workers.release();
  await prepare(2);
  const answer = await run(1, 2) as { readonly results: readonly Record<string, unknown>[] };
  assert.equal(answer.results[0]!["isRetriable"], true);
  assert.deepEqual(answer.results[1], produced("1"));
  await asked.workers.release();
});
