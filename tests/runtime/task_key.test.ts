import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalJson, type Json, sha256 } from "../../src/runtime/hash.ts";
import {
  changedParts,
  type KeyParts,
  nodeKeyer,
  reasonText,
  taskKey,
} from "../../src/runtime/task_key.ts";

const names = fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { maxKeys: 4 });
const partsOf = fc.record({
  step: fc.string({ minLength: 1 }),
  version: fc.oneof(fc.integer({ min: 1, max: 99 }), fc.string()),
  params: fc.dictionary(fc.string(), fc.jsonValue() as fc.Arbitrary<Json>, { maxKeys: 4 }),
  inputs: names,
  tools: names,
});

Deno.test("a task key is sha256 of canonical JSON of its parts", () => {
  fc.assert(fc.property(partsOf, fc.option(fc.string(), { nil: undefined }), (parts, itemName) => {
    const { step, version, params, inputs, tools } = parts;
    const list: Json[] = ["task/1", step, version, params, inputs, tools];
    if (itemName !== undefined) list.push(itemName);
    assert.equal(taskKey({ ...parts, itemName }), sha256(canonicalJson(list)));
    assert.equal(nodeKeyer(parts)(inputs, itemName), taskKey({ ...parts, itemName }));
  }));
});

Deno.test("the order in which parameters are written does not count", () => {
  fc.assert(fc.property(partsOf, (parts) => {
    const reversed = Object.fromEntries(Object.entries(parts.params).reverse());
    assert.equal(taskKey({ ...parts, params: reversed }), taskKey(parts));
  }));
});

Deno.test("keys are equal exactly when no part changed", () => {
  fc.assert(fc.property(partsOf, partsOf, (before, after) => {
    assert.equal(changedParts(before, before).length, 0);
    assert.equal(changedParts(before, after).length === 0, taskKey(before) === taskKey(after));
  }));
});

Deno.test("a reason names the parts of the key that changed", () => {
  const before: KeyParts = {
    step: "image.proxy",
    version: 1,
    params: { quality: 80, short_side_px: 768 },
    inputs: { image: "a" },
    tools: { libvips: "8.18.7" },
  };
  const after = {
    ...before,
    version: 2,
    params: { quality: 80, short_side_px: 896 },
    inputs: { image: "b" },
    tools: { libvips: "8.19.0" },
    itemName: "a.jpg",
  };
  assert.equal(
    reasonText({ type: "changed", changes: changedParts(before, after) }),
    "version: 1 → 2; param short_side_px: 768 → 896; tool libvips: 8.18.7 → 8.19.0; " +
      'input image changed; name: none → "a.jpg"',
  );
});

Deno.test("canonical JSON refuses what JSON cannot hold", () => {
  assert.throws(() => canonicalJson(Number.NaN), /Cannot write NaN as JSON/);
  assert.equal(canonicalJson({ b: 1, a: undefined, A: [null, "é"] }), '{"A":[null,"é"],"b":1}');
});
