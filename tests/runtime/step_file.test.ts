import assert from "node:assert/strict";
import { cpSync, existsSync } from "node:fs";
import * as vocabulary from "../../src/guest/vocabulary.ts";
import * as tintype from "../../src/mod.ts";
import { StepsNotAllowed } from "../../src/runtime/step_approval.ts";
import { outcomes, photo, PictureRig } from "../picture_rig.ts";
import { Rig } from "../rig.ts";

Deno.test("what a step file imports in its worker is what the library exports under that name", () => {
  for (const [name, value] of Object.entries(vocabulary)) {
    assert.equal((tintype as Readonly<Record<string, unknown>>)[name], value, name);
  }
});

Deno.test("a step file sees a picture's header, pixels and bytes as the process does, and may pass it on", async () => {
  await using rig = new PictureRig();
  const code = `// @ts-nocheck: a user's file is not checked either
import { each, defineStep, image, produced, rowKind, z } from "tintype";
const seen = rowKind("seen", "what it saw", z.object({
  width: z.int(), format: z.string(), bytes: z.int(), whole: z.string(), small: z.string(),
}));
const hex = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
export default defineStep({
  name: "own.look", version: 1, doc: "Looks.", origin: "computed", isResult: true,
  inputs: { image: each(image, "pictures") },
  params: z.object({}),
  outputs: { seen: each(seen, "what it saw"), image: each(image, "the same") },
  async run({ image }) {
    const opened = await image.read();
    const { width, format } = await opened.header();
    const whole = await hex((await opened.raster({ size: "full" })).pixels);
    const small = await hex((await opened.raster({ short_side_px: 20 })).pixels);
    const bytes = (await opened.bytes()).length;
    return produced({ seen: { width, format, bytes, whole, small }, image });
  },
});
`;
  const inside = code.replace("own.look", "test.look");
  rig.write({ "look.ts": code, "inside.ts": inside });
  for (const format of ["jpeg", "png", "webp"] as const) {
    rig.write({ [`photos/a_${format}.${format}`]: await photo(90, 60, { format }) });
  }
  rig.write({ "photos/broken.jpg": (await photo(90, 60)).subarray(0, 900) });
  const recipe = (use: string) => `
recipe: look
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  looked: { use: ${use}, from: photos }
  proxies: { use: image.proxy, from: looked.image, with: { short_side_px: 16 } }
  files: { use: publish.files, from: proxies, with: { folder: ./out } }
`;
  const { events } = await rig.run(recipe("./look.ts"));
  const rows = "SELECT item, COLUMNS('seen_.*'), reason FROM looked ORDER BY item";
  const afar = await rig.query(rows);
  assert.deepEqual(outcomes(events, "files"), { "": "ran" });
  assert.equal(afar.filter((row) => row["seen_whole"] !== null).length, 3);
  assert.equal(
    [...Deno.readDirSync(rig.path("out"))].filter(({ isFile }) => isFile).length >= 3,
    true,
  );
  const { default: step } = await import(`file://${rig.path("inside.ts")}`);
  await using own = new PictureRig({
    catalog: (await tintype.catalog.load()).with([step]),
  });
  cpSync(rig.path("photos"), own.path("photos"), { recursive: true });
  await own.run(recipe("test.look"));
  assert.deepEqual(await own.query(rows), afar);
});

Deno.test("a step file makes pictures, and one that is none fails its item", async () => {
  await using rig = new PictureRig();
  rig.write({
    "photos/a.jpg": await photo(40, 30),
    "photos/b.jpg": await photo(40, 31),
    "copy.ts": `// @ts-nocheck
import { defineStep, each, image, produced, z } from "tintype";
export default defineStep({
  name: "own.copy", version: 1, doc: "Copies.", origin: "computed", usesItemName: true,
  inputs: { image: each(image, "pictures") }, params: z.object({}),
  outputs: { image: each(image, "copies") },
  async run({ image }, _, { itemName }) {
    if (itemName === "b.jpg") return produced({ image: { bytes: "none", format: "jpeg" } as never });
    return produced({ image: { bytes: await image.bytes(), format: "jpeg", width: 40, height: 30 } });
  },
});`,
  });
  const { events } = await rig.run(`
recipe: copy
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  copies: { use: ./copy.ts, from: photos }
  headers: { use: inspect.metadata, from: copies }
`);
  assert.deepEqual(outcomes(events, "copies"), { "a.jpg": "ran", "b.jpg": "failed" });
});

const files = {
  "gather.ts": `// @ts-nocheck
import { all, defineStep, each, failed, one, produced, rejected, rowKind, text, z } from "tintype";
const line = rowKind("line", "a line", z.object({ place: z.int() }));
export default defineStep({
  name: "own.gather", version: 1, doc: "Gathers.", origin: "computed", usesItemName: true,
  inputs: { texts: all(text, "texts"), again: all(text, "the same", { isOptional: true }) },
  params: z.object({ left_out: z.string().default("b") }),
  outputs: { line: each(line, "places"), same: each(text, "passed on"), text: one(text, "all") },
  unusedPorts: ({ left_out }) => left_out === "none" ? ["again"] : [],
  tools: async ({ left_out }) => ({ rule: "1." + left_out.length }),
  async run({ texts, again }, { left_out }, { members, isComplete, absent }) {
    const lines = new Map(), same = new Map(), read = [];
    for (const { member, name } of members) {
      const own = texts.get(member);
      read.push(name + "=" + await own.read());
      lines.set(member, name === left_out ? rejected("left out", { member }) : { place: member });
      same.set(member, name === "c" ? failed("not this one") : own);
    }
    const about = [again === undefined ? "once" : "twice", isComplete, absent.length];
    return produced({ line: lines, same, text: [...read, ...about].join(" ") });
  },
});`,
  "prepared.ts": `// @ts-nocheck
import { defineStep, each, produced, text, z } from "tintype";
export default defineStep({
  name: "own.prepared", version: 1, doc: "In batches.", origin: "computed",
  inputs: { text: each(text, "texts") }, params: z.object({}), outputs: { text: each(text, "texts") },
  batch: {
    size: 3,
    prepare: async ({ text }) => ({ read: await text.read(), late: () => "!" }),
    run: async (all) => all.map(({ read, late }) => produced({ text: read + late() + all.length })),
  },
});`,
};

Deno.test("gathered inputs, members, verdicts, tools, unused ports and batches pass through the worker", async () => {
  await using rig = new Rig();
  rig.write({ ...files, "in/a": "one", "in/b": "two", "in/c": "three" });
  const recipe = (more: string) => `
recipe: own
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  batched: { use: ./prepared.ts, from: texts }
  own: { use: ./gather.ts, from: { texts: batched, again: texts }${more} }
  joined: { use: test.join, from: own.same }
`;
  const { events } = await rig.run(recipe(""));
  const settled = events.flatMap((event) =>
    event.type === "task-settled" && event.node === "own" && event.item === undefined ? [event] : []
  );
  assert.deepEqual(settled.map(({ outcome }) => outcome), ["ran"]);
  const catalog = await rig.session().openCatalog();
  const { rows } = await catalog.query(
    "SELECT item, line_place, status, reason FROM own ORDER BY item",
  );
  catalog.close();
  assert.deepEqual(rows.map((row) => [row["item"], row["line_place"] === null, row["reason"]]), [
    ["a", false, null],
    ["b", true, null],
    ["c", false, "not this one"],
  ]);
  const nodes = (await rig.graph(recipe(', with: { left_out: "none" }'))).nodes;
  assert.deepEqual(Object.keys(nodes.find(({ id }) => id === "own")!.wires), ["texts"]);
});

const asking = (permissions: string, name = "own.asking") =>
  `// @ts-nocheck
import { defineStep, each, produced, text, z } from "tintype";
export default defineStep({
  name: "${name}", version: 1, doc: "Asks.", origin: "computed", permissions: ${permissions},
  inputs: { text: each(text, "texts") }, params: z.object({}), outputs: { text: each(text, "texts") },
  run: async ({ text }) => produced({ text: await text.read() }),
});`;

function exists(rig: Rig, name: string): boolean {
  return existsSync(rig.path(name));
}

const askingRecipe = `
recipe: own
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  own: { use: ./asking.ts, from: texts }
  joined: { use: test.join, from: own }
`;

Deno.test("what a step asks for is allowed once, and asked about again when it changes or comes from elsewhere", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one", "asking.ts": asking('{ env: ["NAME"] }') });
  await assert.rejects(rig.run(askingRecipe), StepsNotAllowed);
  await assert.rejects(rig.run(askingRecipe, { allowSteps: () => false }), StepsNotAllowed);
  const asked: string[] = [];
  const allowSteps: Parameters<Rig["run"]>[1] = {
    allowSteps: (steps) => {
      asked.push(...steps.map(({ use, permissions }) => `${use} ${JSON.stringify(permissions)}`));
      return true;
    },
  };
  assert.equal((await rig.run(askingRecipe, allowSteps)).status, "complete");
  rig.write({ "asking.ts": asking('{ env: ["NAME"] }').replace("Asks.", "Asks as before.") });
  assert.equal((await rig.run(askingRecipe)).status, "complete");
  rig.write({ "asking.ts": asking('{ env: ["NAME", "OTHER"] }') });
  await assert.rejects(rig.run(askingRecipe), StepsNotAllowed);
  await rig.run(askingRecipe, allowSteps);
  assert.deepEqual(asked, ['./asking.ts {"env":["NAME"]}', './asking.ts {"env":["NAME","OTHER"]}']);
  Deno.renameSync(rig.workspace, `${rig.workspace}.away`);
  cpSync(`${rig.workspace}.away`, rig.workspace, { recursive: true });
  await assert.rejects(rig.run(askingRecipe), StepsNotAllowed);
});

Deno.test("a plan runs nothing of a step that was not allowed", async () => {
  await using rig = new Rig();
  rig.write({
    "in/a": "one",
    "asking.ts": asking('{ write: ["./trace"] }').replace(
      "run: async",
      `tools: async () => { Deno.writeTextFileSync("${rig.path("trace")}", ""); return {}; },
  run: async`,
    ),
  });
  const groups = await rig.session().plan(await rig.graph(askingRecipe));
  assert.equal(groups.find(({ node }) => node === "own")?.verdict, "run");
  assert.ok(!exists(rig, "trace"));
  await rig.run(askingRecipe, { allowSteps: true });
  assert.ok(exists(rig, "trace"));
});

Deno.test("a step cannot have a file read for it: not as a new item, nor as an import", async () => {
  await using rig = new Rig();
  const secret = Deno.makeTempFileSync();
  Deno.writeTextFileSync(secret, '"hush"');
  rig.write({
    "in/a": "one",
    "find.ts": `// @ts-nocheck
import { defineStep, many, produced, text, z } from "tintype";
export default defineStep({
  name: "own.find", version: 1, doc: "Finds.", origin: "computed", world: "reads",
  inputs: {}, params: z.object({}), outputs: { texts: many(text, "texts") },
  run: () => produced({ texts: [{ name: "x", file: { path: ${
      JSON.stringify(secret)
    }, size: 6, mtimeMs: 0, inode: 1 } }] }),
});`,
    "asking.ts":
      `// @ts-nocheck\nimport told from ${JSON.stringify(secret)} with { type: "text" };\n` +
      asking("{}").replace("await text.read()", "told"),
  });
  const { events } = await rig.run(`
recipe: find
steps:
  found: { use: ./find.ts }
  joined: { use: test.join, from: found }
`);
  const [failure] = events.flatMap((event) =>
    event.type === "task-settled" && event.node === "found" ? [event] : []
  );
  assert.equal(failure?.outcome, "failed");
  assert.match(
    failure.reason!,
    /which it may not read \(declare it in the step: permissions: { read:/,
  );
  await assert.rejects(rig.graph(askingRecipe), /Import of data .* from elsewhere/);
  Deno.removeSync(secret);
});

Deno.test("a step file that changes while a run goes on fails what is left, under no wrong key", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one", "asking.ts": asking("{}") });
  const { events } = await rig.run(askingRecipe, {
    listener: (event) => {
      if (event.type !== "run-started") return;
      rig.write({ "asking.ts": asking("{}").replace("await text.read()", '"other"') });
    },
  });
  const reasons = events.flatMap((event) =>
    event.type === "task-settled" && event.node === "own" ? [event.reason] : []
  );
  assert.deepEqual(reasons, ['"./asking.ts" was changed while the run was under way; run again']);
  assert.equal((await rig.run(askingRecipe)).status, "complete");
});

Deno.test("a name that steps are not defined with is found in all of Tintype", async () => {
  await using rig = new Rig();
  rig.write({
    "in/a": "one",
    "asking.ts": asking("{}").replace("import {", "import { catalog,")
      .replace("await text.read()", "String(catalog.names().length)"),
  });
  assert.equal((await rig.run(askingRecipe)).status, "complete");
});
