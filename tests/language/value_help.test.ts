import assert from "node:assert/strict";
import type { JsonSchema } from "../../src/runtime/json_schema.ts";
import { valueHelp } from "../../src/runtime/value_help.ts";

const fraction: JsonSchema = { type: "number", minimum: 0, maximum: 1 };
const quality: JsonSchema = { type: "integer", minimum: 1, maximum: 100 };
const seconds: JsonSchema = { type: "number", unit: "s", exclusiveMinimum: 0, maximum: 3600 };
const side: JsonSchema = { type: "integer", unit: "px", minimum: 16, maximum: 16384 };

function helps(schema: JsonSchema, cases: readonly (readonly [unknown, string | undefined])[]) {
  for (const [value, help] of cases) {
    assert.equal(valueHelp(value, String(value), [schema]), help, `${value}`);
  }
}

Deno.test("percent for a fraction is divided by a hundred", () => {
  helps(fraction, [
    ["40%", "Write it as a fraction: 0.4"],
    ["1 %", "Write it as a fraction: 0.01"],
    ["120%", undefined],
    [90, "Write it as a fraction: 0.9"],
    [2, undefined],
    [1000, undefined],
  ]);
  helps(quality, [["85%", "Write the number alone: 85"], ["0.5%", undefined], [101, undefined]]);
});

Deno.test("a time is converted to the unit of the parameter", () => {
  helps(seconds, [
    ["90s", "Write the number alone: 90"],
    ["500ms", "Write it in seconds: 0.5"],
    ["2 min", "Write it in seconds: 120"],
    ["2h", undefined],
    ["0s", undefined],
    ["90px", undefined],
  ]);
  helps({ ...seconds, unit: "ms" }, [["2s", "Write it in ms: 2000"]]);
});

Deno.test("a number with a unit is written alone, where that is in the range", () => {
  helps(side, [
    ["896px", "Write the number alone: 896"],
    ["1,024 px", "Write the number alone: 1024"],
    ["8px", undefined],
    ["14cm", undefined],
    ["896", "Write it without quotes: 896"],
    ["8", undefined],
  ]);
});

Deno.test("a decimal comma becomes a point", () => {
  helps(fraction, [["0,92", "Write 0.92"], ["0,125", "Write 0.125"]]);
  helps(side, [["1,024", "Write the number alone: 1024"], ["1,5", undefined]]);
});
