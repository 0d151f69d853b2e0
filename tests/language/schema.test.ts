import assert from "node:assert/strict";
import { Ajv } from "ajv";
import { parse } from "yaml";
import type { Catalog } from "../../src/runtime/catalog.ts";
import { recipeSchema } from "../../src/runtime/recipe_schema.ts";
import { catalog as shipped } from "../../src/steps/mod.ts";
import { afterScan, painted, shrunk } from "./broken/case.ts";
import { testCatalog } from "./steps.ts";

const root = new URL("../../", import.meta.url);

/** Says what an editor would say of a recipe, without what only a whole check can know. */
function validator(steps: Catalog): (recipe: string) => readonly string[] {
  // "defaultSnippets" is the editors' own keyword.
  const ajv = new Ajv({
    strict: true,
    allErrors: true,
    allowUnionTypes: true,
    strictRequired: false,
  });
  ajv.addKeyword("defaultSnippets");
  ajv.opts.strictTypes = false;
  const validate = ajv.compile(recipeSchema(steps));
  return (recipe) => {
    validate(parse(recipe));
    return (validate.errors ?? []).map(({ instancePath, keyword }) => `${instancePath} ${keyword}`);
  };
}

const catalog = await shipped.load();
const problems = validator(await testCatalog.load());

Deno.test("schemas/recipe.json is what the catalogue says (deno task schema renews it)", () => {
  const kept = JSON.parse(Deno.readTextFileSync(new URL("schemas/recipe.json", root)));
  assert.deepEqual(kept, JSON.parse(JSON.stringify(recipeSchema(catalog))));
});

Deno.test("the shipped recipes fit the schema", () => {
  const fits = validator(catalog);
  for (const { name } of Deno.readDirSync(new URL("pipelines/", root))) {
    if (!name.endsWith(".yaml")) continue;
    assert.deepEqual(fits(Deno.readTextFileSync(new URL(`pipelines/${name}`, root))), [], name);
  }
});

Deno.test("right recipes fit the schema, references and step files too", () => {
  const params = "  q: { type: integer, default: 80 }\n  f: { type: choice, choices: [png] }";
  const right = [
    afterScan(""),
    shrunk("{ quality: $q, format: $f, short_side_px: 64 }", params),
    shrunk("{}"),
    afterScan("  own: { use: ./own.ts, from: photos, with: { anything: [1, { a: b }] } }"),
    afterScan("  s: { use: report.savings, from: { originals: photos.images, proxies: photos } }"),
    painted("{ colour: { red: $q, green: 0, blue: 0 }, stops: [{ at: 0, ink: red }, $q] }", params),
    painted(
      "{ mode: { type: fit, width_px: $q }, size: small, spots: [1, 2], pair: [1, $q] }",
      params,
    ),
    painted('{ weights: { any: 0.5 }, label: "${f}", spots: "${f}" }', params),
    "recipe: r\nparams:\nsteps: { photos: { use: ingest.scan, with: { folder: $a } } }\n",
  ];
  for (const recipe of right) assert.deepEqual(problems(recipe), [], recipe);
});

Deno.test("broken recipes do not fit the schema", () => {
  const wrong = [
    afterScan("  m: { use: inspect.metdata, from: photos }"),
    afterScan("  m: { use: inspect.metadata }"),
    afterScan("  m: { use: inspect.metadata, form: photos }"),
    afterScan("  m: { use: inspect.metadata, from: { picture: photos } }"),
    afterScan("  m: { use: inspect.metadata, from: photos, with: { deep: true } }"),
    afterScan("  s: { use: report.savings, from: photos }"),
    afterScan("  s: { use: report.savings, from: { originals: photos } }"),
    afterScan("  s: { use: ingest.scan, from: photos, with: { folder: a } }"),
    afterScan("  s: { use: ingest.scan }"),
    afterScan("  items: { use: inspect.metadata, from: photos }"),
    afterScan("  My-Node: { use: inspect.metadata, from: photos }"),
    shrunk("{ qualty: 3 }"),
    shrunk("{ quality: 101 }"),
    shrunk('{ quality: "85" }'),
    shrunk("{ quality: 0.5 }"),
    shrunk("{ format: jpg }"),
    shrunk("{ quality: $q }", "  q: { type: integer, default: high }"),
    shrunk("{ quality: $q }", "  q: { type: int }"),
    shrunk("{ format: $f }", "  f: { type: choice }"),
    shrunk("{ format: $f }", "  f: { type: string, minimum: 3 }"),
    painted("{ colour: { red: 300, green: 0, blue: 0 } }"),
    painted("{ colour: { red: 0, green: 0 } }"),
    painted("{ colour: { red: 0, green: 0, blue: 0, gamma: 2 } }"),
    painted("{ stops: [{ at: 0, ink: red }] }"),
    painted("{ stops: [{ at: 0, ink: red }, { at: 2, ink: red }] }"),
    painted("{ mode: { type: fill, ink: rde } }"),
    painted("{ weights: { any: -1 } }"),
    painted("{ label: ab }"),
    "steps: { a: { use: inspect.metadata, from: a } }\n",
    "recipe: r\n",
    "recipe: r\nsteps: {}\n",
    `${afterScan("")}owner: me\n`,
  ];
  for (const recipe of wrong) assert.notDeepEqual(problems(recipe), [], recipe);
});

/** Goldens whose mistake an editor shows as well. */
const shownInEditors = [
  "unknown_step",
  "unknown_step_nothing_near",
  "unknown_parameter",
  "unknown_parameter_nested",
  "mistyped_choice",
  "mistyped_parameter",
  "mistyped_parameter_nested",
  "out_of_range",
  "out_of_range_nested",
  "missing_parameter",
  "missing_input",
  "unknown_input",
  "unknown_top_key",
  "node_misspelt_key",
  "parameter_unknown_type",
];

Deno.test("right goldens fit the schema, and the plainest mistakes of the broken ones do not", () => {
  for (const { name } of Deno.readDirSync(new URL("tests/recipes/", root))) {
    const recipe = Deno.readTextFileSync(new URL(`tests/recipes/${name}/recipe.yaml`, root));
    if (name.startsWith("right_")) assert.deepEqual(problems(recipe), [], name);
    else if (shownInEditors.includes(name)) assert.notDeepEqual(problems(recipe), [], name);
  }
});

Deno.test("the schema names every step, input and parameter with its doc", () => {
  const schema = JSON.stringify(recipeSchema(catalog));
  for (const step of catalog.steps()) {
    assert.ok(schema.includes(JSON.stringify({ const: step.name, description: step.doc })));
  }
  assert.ok(schema.includes(
    '"description":"the short side\'s length; pictures are never enlarged (whole pixels, 16 to 16384, default 896)","default":896',
  ));
  assert.ok(schema.includes('"description":"the pictures before"'));
});
