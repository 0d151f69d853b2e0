import assert from "node:assert/strict";
import { join } from "node:path";
import { SourceFile } from "../../src/runtime/source.ts";
import { ModelProblem } from "../../src/services/inference.ts";
import {
  loadModels,
  modelNamed,
  parseModels,
  RegistryProblem,
  shippedRegistryPath,
} from "../../src/services/model_registry.ts";
import { ModelRig } from "./model_rig.ts";

/** Faults of a registry file as "line: message / help". */
function faultsOf(text: string): readonly string[] {
  return parseModels(new SourceFile("models.yaml", text)).diagnostics.map(
    ({ span, message, help }) =>
      `${span.file.position(span.start).line}: ${message}${help === undefined ? "" : ` / ${help}`}`,
  );
}

const digest = "a".repeat(64);

const good = `m:
  task: tokenizer
  about: a test
  licence: MIT
  source: { url: https://example.com/m }
  file: m.json
  sha256: ${digest}
  bytes: 5
`;

Deno.test("the shipped registry has no fault, and says of each model what is needed", async () => {
  const text = Deno.readTextFileSync(shippedRegistryPath);
  assert.deepEqual(faultsOf(text), []);
  const models = await loadModels(join(Deno.makeTempDirSync(), "none", "models.yaml"));
  assert.equal(models.size, 10);
  for (const { name, licence, source, inputs, preprocess, companions } of models.values()) {
    assert.match(licence, /^(MIT|Apache-2\.0)$/);
    if ("url" in source) assert.match(source.url, /^https:\/\//);
    if (preprocess !== undefined) assert.equal(inputs[0]!.dims.length, 4, name);
    for (const companion of Object.values(companions)) assert.ok(models.has(companion));
  }
  assert.equal(
    modelNamed(models, "clip-vit-b32").companions["tokenizer"],
    "clip-vit-b32-tokenizer",
  );
});

Deno.test("every fault of a registry file is told, with its line", () => {
  const faults = faultsOf(`Bad Name:
  task: image-embeding
  licence: MIT
  source: { url: nonsense }
  file: ../x.onnx
  sha256: ABC
  bytes: 0
  lisence: 3
  inputs:
    - { nam: x, dims: [0] }
second: 5
`);
  assert.deepEqual(faults, [
    '1: "Bad Name" cannot name a model (small letters, digits, dots, underscores and hyphens)',
    '1: Model "Bad Name".about is missing (wanted: text)',
    '2: Model "Bad Name".task is text "image-embeding" (wanted: one of "image-embedding", ' +
    '"text-embedding", "tokenizer", "object-detection", "face-detection")',
    '4: Model "Bad Name".source.url is text "nonsense" (wanted: an address)',
    '5: Model "Bad Name".file is text "../x.onnx" (wanted: a path below the folder of models ' +
    'such as "clip/vision.onnx")',
    '6: Model "Bad Name".sha256 is text "ABC" (wanted: 64 hexadecimal digits in small letters)',
    '7: Model "Bad Name".bytes is 0 (wanted: a whole number, at least 1)',
    '8: There is no model "Bad Name".lisence / Did you mean "licence"?',
    '10: Model "Bad Name".inputs.0.name is missing (wanted: text)',
    '10: There is no model "Bad Name".inputs.0.nam / Did you mean "name"?',
    '10: Model "Bad Name".inputs.0.dims.0 is 0 (wanted: a whole number, at least 1 or text)',
    '11: Model "second" is a map, not 5',
  ]);
});

Deno.test("a file path stays below the folder of models", () => {
  for (
    const file of ["../m", "/m", "a/../m", "a//m", ".hidden", "a/.part", "a\\\\m", "C:/m", "a/"]
  ) {
    const faults = faultsOf(good.replace("m.json", JSON.stringify(file)));
    assert.equal(faults.length, 1, file);
    assert.match(faults[0]!, /^6: Model "m"\.file is text/);
  }
});

Deno.test("a picture model says how pictures come in and what comes out", () => {
  const picture = good.replace("tokenizer", "object-detection");
  assert.deepEqual(faultsOf(picture), [
    '1: Model "m" of task "object-detection" has no "inputs"',
    '1: Model "m" of task "object-detection" has no "outputs"',
    '1: Model "m" of task "object-detection" has no "decode"',
    '1: Model "m" of task "object-detection" has no "preprocess"',
  ]);
  const whole = `${picture}  inputs: [{ name: x, dims: [1, 3, 416, 416] }]
  outputs: [{ name: y, dims: [1, 9] }]
  preprocess: { fit: stretch, size: { width: 416, height: 320 }, channels: rgb }
  decode: { as: vector }
`;
  assert.deepEqual(faultsOf(whole), [
    '1: Model "m" of task "object-detection" is decoded as "vector" (wanted: "yolox" or "detr")',
    '1: Model "m" makes pictures of 416 × 320 for an input of 416 × 416',
  ]);
  const right = whole.replace("320", "416").replace("as: vector", "as: yolox, classes: coco80");
  assert.deepEqual(faultsOf(right), []);
});

Deno.test("two models cannot have one file with two digests", () => {
  const other = good.replace("m:", "n:").replace(digest, "b".repeat(64));
  assert.deepEqual(faultsOf(good + other), [
    '9: Models "m" and "n" have the same file "m.json" and different sha256',
  ]);
  assert.deepEqual(faultsOf(good + good.replace("m:", "n:")), []);
});

Deno.test("a registry file that is no map, or no YAML, is told so", () => {
  assert.deepEqual(faultsOf(""), []);
  assert.deepEqual(faultsOf("# nothing yet\n"), []);
  assert.match(faultsOf("- a\n")[0]!, /^1: Models are a map by name, not a list$/);
  assert.ok(faultsOf("a: {\n").length > 0);
  assert.ok(faultsOf(good + good).some((fault) => fault.startsWith("9: ")), "a name stands twice");
});

Deno.test("a person's own registry adds models and replaces shipped ones", async () => {
  using rig = new ModelRig();
  rig.add("mine", { companions: { text: "clip-vit-b32-text" } });
  rig.add("yolox-nano", { about: "ours" });
  const models = await loadModels(join(rig.folder, "models.yaml"));
  assert.equal(models.size, 11);
  assert.equal(modelNamed(models, "mine").about, "a test");
  assert.equal(modelNamed(models, "yolox-nano").about, "ours");
  assert.equal(modelNamed(models, "yolox-nano").task, "tokenizer");
});

Deno.test("a companion that no registry has is told with its line", async () => {
  using rig = new ModelRig();
  rig.write("models.yaml", `${good}  companions: { text: clip-vit-b32-txt }\n`);
  await assert.rejects(loadModels(join(rig.folder, "models.yaml")), (error: Error) => {
    assert.ok(error instanceof RegistryProblem);
    assert.match(error.message, /: line 9: Model "m" has the companion "clip-vit-b32-txt", which/);
    assert.match(error.message, /Did you mean "clip-vit-b32-text"\?/);
    return true;
  });
});

Deno.test("a wrong registry of one's own is one problem with all faults", async () => {
  using rig = new ModelRig();
  rig.write("models.yaml", good.replace("bytes: 5", "bytes: no").replace("MIT", "7"));
  await assert.rejects(loadModels(join(rig.folder, "models.yaml")), (error: Error) => {
    assert.ok(error instanceof ModelProblem);
    assert.match(error.message, /^Cannot read models ".+models\.yaml": line 4: .+; line 8: .+$/);
    return true;
  });
});

Deno.test("the entry that models/README.md shows is right", () => {
  const readme = Deno.readTextFileSync(new URL("../../models/README.md", import.meta.url));
  const example = /```yaml\n([\s\S]+?)```/.exec(readme)![1]!;
  const { models, diagnostics } = parseModels(new SourceFile("README.md", example));
  assert.deepEqual(diagnostics, []);
  assert.deepEqual([...models.keys()], ["my-embedding"]);
});
