import assert from "node:assert/strict";
import { packagesOfSteps } from "../../src/runtime/pack_packages.ts";
import { parseRecipe } from "../../src/runtime/recipe.ts";
import { SourceFile } from "../../src/runtime/source.ts";
import { Rig } from "../rig.ts";

const recipe = `
recipe: own
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  own: { use: ./steps/mark.ts, from: texts }
`;

/** What a pack of a recipe with this step file would lack. */
async function packagesOf(rig: Rig, files: Readonly<Record<string, string>>) {
  rig.write(files);
  const path = rig.path("own.yaml");
  const { recipe: parsed } = parseRecipe(new SourceFile(path, recipe));
  return await packagesOfSteps(parsed!, path);
}

Deno.test("what a step file imports from elsewhere is named, through its helpers too", async () => {
  await using rig = new Rig();
  const packages = await packagesOf(rig, {
    "steps/mark.ts": `import { defineStep } from "tintype"; import "./helper.ts";`,
    "steps/helper.ts": `import "http://127.0.0.1:1/far.ts";`,
  });
  assert.deepEqual(packages, ["http://127.0.0.1:1/far.ts"]);
});

Deno.test("what Tintype itself is made of is wherever it is, and not named", async () => {
  await using rig = new Rig();
  const packages = await packagesOf(rig, {
    "steps/mark.ts": `import { z } from "tintype"; import pLimit from "p-limit";`,
  });
  assert.deepEqual(packages, []);
});
