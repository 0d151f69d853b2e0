import assert from "node:assert/strict";
import { join } from "node:path";
import { deadOrigin, ModelServer } from "../services/model_server.ts";
import { ModelRig } from "../services/model_rig.ts";
import type { Answer } from "./rig.ts";

const corpus = Deno.env.get("TINTYPE_CORPUS");
const root = new URL("../../", import.meta.url);
const weights = new TextEncoder().encode("weights");

/** Runs a function of the command in a process of its own, over a folder of models. */
async function models(
  folder: string,
  command: "list" | "pull" | "verify",
  argument: unknown = command === "list" ? {} : [],
): Promise<Answer> {
  const script = `
    const { ${command} } = await import(${JSON.stringify(new URL("src/cli/models.ts", root).href)});
    try {
      Deno.exit(await ${command}(${JSON.stringify(argument)}));
    } catch (error) {
      if (error.name !== "UsageError") throw error;
      console.error(error.message);
      Deno.exit(2);
    }`;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--config", new URL("deno.json", root).pathname, script],
    cwd: folder, // in the project's own a hint would name the task that runs these tests
    env: { NO_COLOR: "1", TINTYPE_MODELS: folder },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("list shows each model, its licence and whether it is here", async () => {
  using rig = new ModelRig();
  rig.add("here", {}, weights);
  rig.add("away", {});
  rig.add("cut", {}, weights);
  rig.write("cut.onnx", "we");
  const { code, stdout, stderr } = await models(rig.folder, "list");
  assert.equal(stderr, "");
  assert.equal(code, 0);
  const lines = stdout.trimEnd().split("\n");
  assert.match(lines[0]!, /^name +task +size +licence +here$/);
  assert.ok(lines.some((line) => /^here +tokenizer +7 bytes +MIT +yes$/.test(line)), stdout);
  assert.ok(lines.some((line) => /^away +tokenizer +4 bytes +MIT +no$/.test(line)), stdout);
  assert.ok(lines.some((line) => /^cut +.+ +not whole$/.test(line)), stdout);
  assert.ok(
    lines.some((line) => /^clip-vit-b32 +image-emb.+ 351\.7 MB +MIT +no$/.test(line)),
    stdout,
  );
  assert.equal(lines.at(-1), `Their folder is "${rig.folder}"`);
  const asJson = JSON.parse((await models(rig.folder, "list", { json: true })).stdout);
  assert.equal(
    asJson.models.find(({ name }: { name: string }) => name === "cut").status,
    "wrong-size",
  );
});

Deno.test("verify reads what is here, and fails for what is wrong or was named and is missing", async () => {
  using rig = new ModelRig();
  rig.add("here", {}, weights);
  rig.add("away", {});
  const right = await models(rig.folder, "verify");
  assert.deepEqual([right.code, right.stderr], [0, ""]);
  assert.equal(right.stdout, "here: right (7 bytes)\n");
  const missing = await models(rig.folder, "verify", ["away"]);
  assert.equal(missing.code, 1);
  assert.equal(missing.stderr, "away: its file is not there (run: tintype models pull away)\n");
  rig.write("here.onnx", "weighty");
  const damaged = await models(rig.folder, "verify");
  assert.equal(damaged.code, 1);
  assert.match(
    damaged.stderr,
    /^here: its file is damaged or another one: it has sha256 [0-9a-f]+/,
  );
  const unknown = await models(rig.folder, "verify", ["heer"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /^Cannot find model "heer": .+Did you mean "here"/);
});

Deno.test("pull brings a model and those that it works with", async () => {
  await using server = new ModelServer(() => new Response(weights));
  const source = { url: `${server.origin}/weights` };
  using rig = new ModelRig();
  rig.add("words", { source }, weights);
  rig.add("other", { source });
  rig.add("picture", { source, companions: { tokenizer: "words" } }, weights);
  for (const name of ["words", "picture"]) Deno.removeSync(join(rig.folder, `${name}.onnx`));
  const { code, stdout, stderr } = await models(rig.folder, "pull", ["picture"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(
    stdout,
    `2 files, 14 bytes, into "${rig.folder}"
picture: 7 bytes from ${source.url}
picture: downloaded and checked
words: 7 bytes from ${source.url}
words: downloaded and checked
`,
  );
  assert.equal(rig.read("words.onnx"), "weights");
  const again = await models(rig.folder, "pull", ["picture"]);
  assert.equal(again.stdout, "picture: is here\nwords: is here\n");
  assert.equal(server.requests.length, 2);
});

Deno.test("without a network pull is one error, with what to put where for each model", async () => {
  const source = { url: `${deadOrigin()}/weights` };
  using rig = new ModelRig();
  rig.add("words", { source });
  rig.add("picture", { source, companions: { tokenizer: "words" } });
  const { code, stderr } = await models(rig.folder, "pull", ["picture"]);
  assert.equal(code, 1);
  assert.equal(stderr.match(/error:/g)?.length, 1, stderr);
  assert.match(
    stderr,
    /^error: Cannot download model "picture": nothing answers at .+picture\.onnx/,
  );
  assert.match(
    stderr,
    /\n {2}words: put the file "words\.onnx" into the folder ".+": 4 bytes, sha256/,
  );
});

Deno.test("what is wrong with one's own registry is shown with its lines", async () => {
  using rig = new ModelRig();
  rig.write("models.yaml", "mine:\n  task: tokeniser\n  bytes: -1\n");
  const { code, stderr } = await models(rig.folder, "list");
  assert.equal(code, 2);
  assert.match(
    stderr,
    /models\.yaml:2:9 error\[bad-model\] Model "mine"\.task is text "tokeniser"/,
  );
  assert.match(stderr, /models\.yaml:3:10 error\[bad-model\] Model "mine"\.bytes is -1/);
});

Deno.test({
  name: "the models of the corpus are right as they lie there" +
    (corpus === undefined ? " (skipped: TINTYPE_CORPUS is not set)" : ""),
  ignore: corpus === undefined,
  fn: async () => {
    const names = ["squeezenet", "yolox-nano", "yunet-640", "clip-vit-b32-tokenizer"];
    const { code, stderr, stdout } = await models(join(corpus!, "models"), "verify", names);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(stdout.trim().split("\n").length, names.length);
  },
});
