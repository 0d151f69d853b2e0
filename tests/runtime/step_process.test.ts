import assert from "node:assert/strict";
import { dirname } from "node:path";
import { processEnvironment } from "../../src/runtime/process_options.ts";
import { StepAsksTooMuch } from "../../src/runtime/step_approval.ts";
import type { CallMessage } from "../../src/runtime/step_messages.ts";
import { StepProcess } from "../../src/runtime/step_process.ts";
import { StepWorker } from "../../src/runtime/step_worker.ts";
import { StepWorkers } from "../../src/runtime/step_workers.ts";
import { Rig } from "../rig.ts";

/** A step that does what the text of an item says. */
const obedient = (more = "") =>
  `// @ts-nocheck: a user's file is not checked either
import { defineStep, each, failed, produced, text, z } from "tintype";
import * as fs from "node:fs";
import process from "node:process";
import * as threads from "node:worker_threads";
const Asynchronous = (async () => {}).constructor;
export default defineStep({
  name: "own.obedient", version: 1, doc: "Does what it is told.", origin: "computed",
  inputs: { text: each(text, "what to do") },
  params: z.object({}),
  outputs: { text: each(text, "what came of it") },${more}
  async run({ text }, _, context) {
    const parts = { text, context, failed, produced, fs, process, threads };
    return await new Asynchronous(...Object.keys(parts), await text.read())(...Object.values(parts));
  },
});
`;

const recipe = (use = "./own.ts") => `
recipe: own
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  own: { use: "${use}", from: texts }
  joined: { use: test.join, from: own }
`;

/** What became of each item, by its name, and what was warned of. */
async function told(
  rig: Rig,
  items: Readonly<Record<string, string>>,
  options: { readonly more?: string; readonly settings?: Parameters<Rig["run"]>[1] } = {},
) {
  rig.write({ "own.ts": obedient(options.more) });
  rig.write(Object.fromEntries(Object.entries(items).map(([name, code]) => [`in/${name}`, code])));
  const { events, status } = await rig.run(recipe(), options.settings);
  const settled = events.flatMap((event) =>
    event.type === "task-settled" && event.node === "own"
      ? [[event.item!, event.reason === undefined ? event.outcome : event.reason]]
      : []
  );
  const warnings = events.flatMap((event) => event.type === "warning" ? [event.message] : []);
  return { outcomes: Object.fromEntries(settled) as Record<string, string>, warnings, status };
}

Deno.test("a step that ends its process by force fails its own item, and no other", async () => {
  await using rig = new Rig();
  const { outcomes } = await told(rig, {
    kill: 'Deno.kill(Deno.pid, "SIGKILL"); await new Promise(() => {});',
    crash: 'for (;;) process.kill(process.pid, "SIGSEGV");',
    "kill from a worker of its own":
      `new Worker("data:text/javascript,Deno.kill(Deno.pid,'SIGKILL')",
        { type: "module" });
      await new Promise(() => {});`,
    prints: 'fs.writeSync(1, "a progress bar"); return produced({ text: "y" });',
    "shuts its output": "fs.closeSync(1); return produced({ text: 'said' });",
    fine: 'return produced({ text: "fine" });',
    slow: 'await new Promise((r) => setTimeout(r, 300)); return produced({ text: "slow" });',
  }, { settings: { jobs: 3 } });
  const { kill, crash, prints, fine, slow, ...others } = outcomes;
  assert.equal(kill, "The step's worker ended: its process got SIGKILL");
  assert.equal(crash, "The step's worker ended: its process got SIGSEGV");
  assert.equal(prints, "The step's worker ended: it wrote to its standard output by itself");
  assert.deepEqual({ fine, slow }, { fine: "ran", slow: "ran" });
  assert.match(others["kill from a worker of its own"]!, /its process got SIGKILL/);
});

Deno.test("what a step changes in its process is not changed in this one", async () => {
  await using rig = new Rig();
  const before = { folder: Deno.cwd(), mask: Deno.umask() };
  Deno.env.set("TINTYPE_TEST_SET", "before");
  const { outcomes } = await told(rig, {
    folder: `Deno.chdir(${JSON.stringify(rig.path("in"))}); return produced({ text: "y" });`,
    env: 'Deno.env.set("TINTYPE_TEST_SET", "after"); return produced({ text: "y" });',
    signals: 'Deno.addSignalListener("SIGINT", () => {}); return produced({ text: "y" });',
  }, {
    more: `
  permissions: { env: ["TINTYPE_TEST_SET"], read: ["./in"] },`,
    settings: { allowSteps: true },
  });
  assert.deepEqual(outcomes, { folder: "ran", env: "ran", signals: "ran" });
  assert.deepEqual({ folder: Deno.cwd(), mask: Deno.umask() }, before);
  assert.equal(Deno.env.get("TINTYPE_TEST_SET"), "before");
});

Deno.test("what a step prints is shown as its warning, without what steers a terminal, to a bound", async () => {
  await using rig = new Rig();
  const { outcomes, warnings } = await told(rig, {
    console: `console.log("a %s", "line", { deep: 1 }); console.table([1]);
      return produced({ text: "y" });`,
    streams:
      `process.stdout.write("node's"); Deno.stdout.writeSync(new TextEncoder().encode("deno's"));
      return produced({ text: "y" });`,
    steers: 'console.error("\\x1b[8mhidden\\x1b[0m"); return produced({ text: "y" });',
    zz_floods: 'for (let i = 0; i < 5000; i++) console.log(i); return produced({ text: "y" });',
  }, { settings: { jobs: 1 } });
  assert.deepEqual(Object.values(outcomes), ["ran", "ran", "ran", "ran"]);
  for (const line of ["a line { deep: 1 }", "[ 1 ]", "node's", "deno's", "hidden"]) {
    assert.ok(warnings.includes(`It printed: ${line}`), line);
  }
  assert.equal(warnings.length, 50);
  assert.equal(warnings.at(-1), "It printed more, which is not shown");
});

Deno.test("the environment of a step's process holds what it declares, and no key beside it", async () => {
  await using rig = new Rig();
  Deno.env.set("TINTYPE_TEST_KEY", "canary");
  Deno.env.set("TINTYPE_TEST_GIVEN", "given");
  Deno.env.set("HTTPS_PROXY", "http://proxy.example");
  try {
    const { outcomes } = await told(rig, {
      names: `const { stdout } = new Deno.Command("env").outputSync();
        const lines = new TextDecoder().decode(stdout).trim().split("\\n");
        return failed(lines.map((line) => line.slice(0, line.indexOf("="))).join());`,
    }, {
      more: `
  permissions: { run: ["env"], env: ["TINTYPE_TEST_GIVEN"] },`,
      settings: { allowSteps: true },
    });
    const names = outcomes["names"]!.split(",");
    assert.ok(names.includes("TINTYPE_TEST_GIVEN"));
    assert.ok(!names.includes("TINTYPE_TEST_KEY") && !names.includes("HTTPS_PROXY"));
    assert.equal(processEnvironment({ net: true })["HTTPS_PROXY"], "http://proxy.example");
  } finally {
    for (const name of ["KEY", "GIVEN"]) Deno.env.delete(`TINTYPE_TEST_${name}`);
    Deno.env.delete("HTTPS_PROXY");
  }
});

Deno.test("a step's process has the cache and registry of this one, wherever it is started", () => {
  const names = ["DENO_DIR", "NPM_CONFIG_REGISTRY"];
  const before = names.map((name) => Deno.env.get(name));
  Deno.env.set("DENO_DIR", "cache/of deno");
  Deno.env.set("NPM_CONFIG_REGISTRY", "https://npm.example/");
  try {
    for (const asked of [{}, { env: true as const }, { env: ["DENO_DIR"] }]) {
      const given = processEnvironment(asked);
      assert.equal(given["DENO_DIR"], `${Deno.cwd()}/cache/of deno`);
      assert.equal(given["NPM_CONFIG_REGISTRY"], "https://npm.example/");
    }
  } finally {
    for (const [index, name] of names.entries()) {
      if (before[index] === undefined) Deno.env.delete(name);
      else Deno.env.set(name, before[index]);
    }
  }
});

const loose = (body: string, more = "") =>
  `// @ts-nocheck
import { defineStep, one, produced, text, z } from "tintype";
export default defineStep({
  name: "own.loose", version: 1, doc: "Loose.", origin: "computed",
  inputs: {}, params: z.object({})${more}, outputs: { text: one(text, "something") },
  async run(_, __, context) { ${body} },
});
`;

const call = {
  message: { method: "run", inputs: {}, params: {}, shared: ["text"] } satisfies CallMessage,
  handles: [],
  onNote() {},
};

/** What the process of a step file of the rig is started with. */
function processOf(rig: Rig, code: string, options: { readonly processMb?: number } = {}) {
  rig.write({ "loose.ts": code });
  const path = rig.path("loose.ts");
  const module = { url: `file://${path}`, isWhole: false };
  const process = { path, folder: rig.folder, permissions: {}, files: [path], importHosts: [] };
  return { module, process: { ...process, ...options } };
}

Deno.test("a step whose own workers fill the memory of its process ends that process alone", async () => {
  await using rig = new Rig();
  const filling = `const kept = [];
    setInterval(() => kept.push(new Uint8Array(32_000_000).fill(1)), 10);`;
  const code = loose(
    `new Worker("data:text/javascript," + ${
      JSON.stringify(encodeURIComponent(filling))
    }, { type: "module" });
    await new Promise(() => {});`,
  );
  const { module, process } = processOf(rig, code, { processMb: 400 });
  const workers = new StepWorkers({ ...module, assertUnchanged() {} }, process);
  await assert.rejects(
    workers.call(call, undefined),
    /it ran out of memory \(its process took more than 400 MB\)/,
  );
  await workers.release();
});

Deno.test("a schema that never answers is given up on", async () => {
  await using rig = new Rig();
  const { module, process } = processOf(rig, loose("", ".refine(() => { for (;;); })"));
  const own = new StepProcess(process);
  const worker = new StepWorker(own.start(module));
  await worker.loaded;
  await assert.rejects(worker.parse({}, 50), /its schema takes longer than 0.05 s to read them/);
  await assert.rejects(worker.parse({}, 50), /its schema takes longer/);
  await own.end();
});

Deno.test("a step that is asked for its tools hears that the run was stopped", async () => {
  await using rig = new Rig();
  const more = `
  async tools(_, { signal }) {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return {};
  },`;
  const stop = AbortSignal.abort();
  const { status } = await told(rig, { a: "" }, { more, settings: { signal: stop } });
  assert.equal(status, "interrupted");
});

Deno.test("a process ends with the one that started it, whatever its threads are in", async () => {
  await using rig = new Rig();
  const code = loose("context.warn(String(Deno.pid)); for (;;);");
  const { module, process } = processOf(rig, code);
  const script = `
    const { StepWorkers } = await import(${
    JSON.stringify(import.meta.resolve("../../src/runtime/step_workers.ts"))
  });
    const [module, process, call] = ${JSON.stringify([module, process, call])};
    const workers = new StepWorkers({ ...module, assertUnchanged() {} }, process);
    await workers.call({ ...call, onNote: (note) => console.log(note.text) }, undefined);`;
  const config = decodeURIComponent(new URL("../../deno.json", import.meta.url).pathname);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--config", config, script],
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const pid = Number((await lines.read()).value);
  assert.equal(await isThere(pid), true);
  child.kill("SIGKILL");
  await child.status;
  await lines.cancel();
  while (await isThere(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
});

Deno.test("a run ends while a program goes on that a step started and left", async () => {
  await using rig = new Rig();
  // The shell's own child: Deno may end those that it started itself when it ends.
  const leaves = `
    const args = ["-c", "sleep 600 > /dev/null & echo $!"];
    const shell = new Deno.Command("sh", { args, stderr: "inherit" });
    return failed(new TextDecoder().decode((await shell.output()).stdout));`;
  const { outcomes } = await told(rig, { leaves }, {
    more: '\n  permissions: { run: ["sh"] },',
    settings: { allowSteps: true },
  });
  const pid = Number(outcomes["leaves"]);
  assert.equal(await isThere(pid), true, String(outcomes["leaves"]));
  Deno.kill(pid, "SIGKILL");
});

async function isThere(pid: number): Promise<boolean> {
  const { success } = await new Deno.Command("kill", { args: ["-0", String(pid)], stderr: "null" })
    .output();
  return success;
}

Deno.test("the name of a package that a step makes up is not asked for", async () => {
  await using rig = new Rig();
  const { outcomes } = await told(rig, { a: 'await import("npm:" + "secret-" + "words@1.0.0");' });
  assert.match(outcomes["a"]!, /npm package not found in cache: "secret-words", --cached-only/);
});

Deno.test("a step in a folder with a comma in its name runs", async () => {
  await using rig = new Rig();
  rig.write({
    "2024, May/own.ts": obedient(),
    "2024, May/in/a": 'return produced({ text: "y" });',
  });
  const source = {
    path: rig.path("2024, May/test.yaml"),
    text: recipe().replace("./in", '"./2024, May/in"'),
  };
  const { graph, diagnostics } = await rig.session().check(source, { needsValues: true });
  assert.deepEqual(diagnostics, []);
  assert.equal((await rig.session().run(graph!)).status, "complete");
});

Deno.test("a step may not ask to write over the workspace, step files or Tintype", async () => {
  await using rig = new Rig();
  rig.write({ "elsewhere/.keep": "" });
  Deno.symlinkSync(rig.folder, rig.path("elsewhere/link"));
  const own = dirname(new URL("../../src/mod.ts", import.meta.url).pathname);
  const refusals: Readonly<Record<string, RegExp>> = {
    "true": /Cannot run \.\/own\.ts: it asks to write every file, the workspace and itself too \(/,
    '["."]': /it asks to write ".", with which goes ".*\.tintype" \(folders for what it makes/,
    '["./.tintype/store"]': /asks to write "\.\/\.tintype\/store", which belongs to ".*\.tintype"/,
    '["./own.ts"]': /with which goes ".*own\.ts"/,
    '["./elsewhere/link"]': /with which goes ".*\.tintype"/,
    [JSON.stringify([`${own}/steps`])]: /which belongs to ".*src/,
  };
  for (const [write, reason] of Object.entries(refusals)) {
    const more = `\n  permissions: { write: ${write} },`;
    const asked = told(rig, {}, { more, settings: { allowSteps: true } });
    await assert.rejects(
      asked,
      (error) => error instanceof StepAsksTooMuch && reason.test(error.message),
    );
  }
  const more = '\n  permissions: { write: ["./out"] },';
  const item = { a: 'return produced({ text: "y" });' };
  const { outcomes } = await told(rig, item, { more, settings: { allowSteps: true } });
  assert.deepEqual(outcomes, { a: "ran" });
});

Deno.test("a row or wait that is too large is refused, and the other items go on", async () => {
  await using rig = new Rig();
  const { outcomes } = await told(rig, {
    text: "return produced({ text: 'x'.repeat(70_000_000) });",
    fine: "return produced({ text: 'x'.repeat(5_000_000) });",
  });
  assert.match(
    outcomes["text"]!,
    /^What it returned cannot leave its worker \(its rows and texts take/,
  );
  assert.equal(outcomes["fine"], "ran");
});
