import assert from "node:assert/strict";
import { parseRecipe } from "../../src/runtime/recipe.ts";
import { resolveParams } from "../../src/runtime/settings.ts";
import { SourceFile } from "../../src/runtime/source.ts";

/** The value that a setting gives a parameter, or what is wrong with it. */
function given(declaration: string, setting: unknown): unknown {
  const text = `recipe: r\nparams: { p: ${declaration} }\nsteps: { a: { use: b.c } }\n`;
  const { recipe } = parseRecipe(new SourceFile("r.yaml", text));
  const { params, diagnostics } = resolveParams(recipe!, { p: setting });
  return diagnostics.length > 0 ? diagnostics[0]!.message : params.get("p")!.value;
}

Deno.test("the text of a setting is read by the parameter's type", () => {
  assert.equal(given("{ type: integer }", "85"), 85);
  assert.equal(given("{ type: integer }", " -3 "), -3);
  assert.equal(given("{ type: number }", "1e-3"), 0.001);
  assert.equal(given("{ type: number }", ".5"), 0.5);
  assert.equal(given("{ type: boolean }", "true"), true);
  assert.equal(given("{ type: boolean }", "false"), false);
  assert.equal(given("{ type: string }", "85"), "85");
  assert.equal(given("{ type: string }", ""), "");
  assert.equal(given("{ type: folder }", "./a=b"), "./a=b");
  assert.deepEqual(given("{ type: list }", "a, b"), ["a", "b"]);
  assert.deepEqual(given("{ type: list }", ""), []);
  assert.deepEqual(given("{ type: list }", "1:1,"), ["1:1", ""]);
  assert.deepEqual(given("{ type: list }", '["1:1", "3:2"]'), ["1:1", "3:2"]);
  assert.deepEqual(given("{ type: list }", " [a, 2, { b: c }]"), ["a", 2, { b: "c" }]);
  assert.equal(given("{ type: choice, choices: [a, b] }", "b"), "b");
  assert.equal(given("{ type: choice, choices: [80, 85] }", "85"), 85);
});

Deno.test("a setting from code is taken as it is", () => {
  assert.equal(given("{ type: integer }", 85), 85);
  assert.deepEqual(given("{ type: list }", [1, "b"]), [1, "b"]);
  assert.equal(
    given("{ type: string }", 85),
    'The setting of parameter "p" is 85 (text is wanted)',
  );
});

Deno.test("a setting that does not fit is refused with what is wanted", () => {
  const wrong = (declaration: string, setting: string, problem: string) =>
    assert.equal(given(declaration, setting), `The setting of parameter "p" is ${problem}`);
  wrong("{ type: integer }", "0.5", "0.5 (a whole number is wanted)");
  wrong("{ type: integer }", "", 'text "" (a whole number is wanted)');
  wrong("{ type: integer }", "0x10", 'text "0x10" (a whole number is wanted)');
  wrong("{ type: number }", "1e999", "Infinity (a number is wanted)");
  wrong("{ type: boolean }", "yes", 'text "yes" (true or false is wanted)');
  wrong("{ type: folder }", "", 'text "" (the path of a folder is wanted)');
  wrong("{ type: integer, minimum: 1, maximum: 9 }", "10", "10 (1 to 9 is wanted)");
  wrong("{ type: number, minimum: 1 }", "0", "0 (at least 1 is wanted)");
  wrong("{ type: choice, choices: [a, b] }", "c", 'text "c" (one of "a", "b" is wanted)');
  wrong("{ type: list, choices: [a, b] }", "[a", 'text "[a" (a list is wanted)');
});

Deno.test("an element that does not fit is named by itself", () => {
  const choices = "{ type: list, choices: [a, b] }";
  const message = 'The setting of parameter "p" holds text "c" (one of "a", "b" is wanted)';
  for (const setting of ["a,c", '["a", "c"]', ["a", "c"]]) {
    assert.equal(given(choices, setting), message);
  }
});

Deno.test("a setting holds over the default, which need not be there", () => {
  assert.equal(given("{ type: integer, default: 1 }", "2"), 2);
  assert.equal(given("{ type: integer }", "2"), 2);
});

Deno.test("a wrong default does not matter where a setting holds", () => {
  assert.equal(given("{ type: integer, default: high }", "2"), 2);
});
