import assert from "node:assert/strict";
import { z } from "zod";
import { rowKind, text } from "../../src/runtime/artifact.ts";
import { checkedEncoded, checkedResult } from "../../src/runtime/foreign_result.ts";
import { defineStep, many, produced } from "../../src/runtime/step.ts";
import { Rig } from "../rig.ts";

const step = defineStep({
  name: "test.find",
  version: 1,
  doc: "Finds.",
  origin: "computed",
  world: "reads",
  inputs: {},
  params: z.object({}),
  outputs: { texts: many(text, "texts") },
  run: () => produced({ texts: [] }),
});
const given = { step, handles: [], permissions: {}, realPath: (path: string) => path };

Deno.test("a failed step waits an hour at most before it is tried again", () => {
  const failure = { status: "failed", reason: "busy", isRetriable: true };
  const waits = [1e15, Infinity, 5, -1, NaN, "5"].map((retryAfterMs) => {
    const result = checkedResult({ ...failure, retryAfterMs }, given);
    return result.status === "failed" ? result.retryAfterMs : "?";
  });
  assert.deepEqual(waits, [3_600_000, 3_600_000, 5, undefined, undefined, undefined]);
});

Deno.test("a row has an end, as have facts", () => {
  const row = rowKind("caption", "a caption", z.object({ words: z.string() }));
  const encoded = (letters: number) => row.encode({ words: "x".repeat(letters) });
  assert.equal(checkedEncoded(encoded(10), row).bytes.length, 22);
  assert.throws(
    () => checkedEncoded(encoded(4_000_000), row),
    /It made a caption of 5 MB \(a row has at most 4 MB\)/,
  );
  const facts = { width: 1, note: "x".repeat(64_000) };
  const bytes = new Uint8Array();
  assert.throws(
    () => checkedEncoded({ bytes, facts }, text),
    /facts are longer than 64000 letters/,
  );
  assert.equal(checkedEncoded({ bytes: new Uint8Array(5_000_000) }, text).bytes.length, 5_000_000);
});

Deno.test("a link in a folder that a step may read does not lead it elsewhere", async () => {
  await using rig = new Rig();
  rig.write({ "words/own.txt": "own", "secret.txt": "hush" });
  Deno.symlinkSync(rig.path("secret.txt"), rig.path("words/link.txt"));
  const result = (name: string) => {
    const file = { path: rig.path(`words/${name}`), size: 3, mtimeMs: 0, inode: 0 };
    return checkedResult({ status: "produced", outputs: { texts: [{ name, file }] } }, {
      ...given,
      permissions: { read: [rig.path("words")] },
      realPath: Deno.realPathSync,
    });
  };
  assert.equal(result("own.txt").status, "produced");
  assert.throws(() => result("link.txt"), /It names file ".*link\.txt", which it may not read/);
});

Deno.test("a step file that was changed is another, whatever its time and size say", async () => {
  await using rig = new Rig();
  const code = (word: string) =>
    `// @ts-nocheck
import { defineStep, each, produced, text, z } from "tintype";
export default defineStep({
  name: "own.say", version: 1, doc: "Says.", origin: "computed", isResult: true,
  inputs: { text: each(text, "x") }, params: z.object({}), outputs: { text: each(text, "y") },
  run: () => produced({ text: "${word}" }),
});
`;
  const recipe = `
recipe: own
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  own: { use: ./own.ts, from: texts }
`;
  rig.write({ "in/a": "one", "own.ts": code("before") });
  const path = rig.path("own.ts");
  const { mtime } = Deno.statSync(path);
  assert.equal((await rig.run(recipe)).counts.ran, 2);
  assert.equal((await rig.run(recipe)).counts.ran, 0);
  Deno.writeTextFileSync(path, code("behind"));
  Deno.utimeSync(path, mtime!, mtime!);
  assert.equal((await rig.run(recipe)).counts.ran, 1);
});
