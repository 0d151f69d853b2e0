import assert from "node:assert/strict";
import { type Diagnostic, formatDiagnostic, place } from "../../src/runtime/diagnostic.ts";
import type { Broken } from "./broken/case.ts";
import { declarations } from "./broken/declarations.ts";
import { shape } from "./broken/shape.ts";
import { stepFiles } from "./broken/step_files.ts";
import { syntax } from "./broken/syntax.ts";
import { values } from "./broken/values.ts";
import { wires } from "./broken/wires.ts";
import { checked } from "./checking.ts";

const topics = { syntax, shape, declarations, values, wires, stepFiles };

for (const [topic, cases] of Object.entries(topics)) {
  for (const broken of cases) {
    Deno.test(`${topic}: ${broken.mistake}`, () => isTold(broken));
  }
}

Deno.test("no two broken recipes have the same name", () => {
  const names = Object.values(topics).flat().map(({ mistake }) => mistake);
  assert.deepEqual(names, [...new Set(names)]);
});

async function isTold(broken: Broken): Promise<void> {
  const { text, spans } = unmarked(broken.recipe);
  const { diagnostics } = await checked({ ...broken, recipe: text });
  const shown = diagnostics.map((each) => formatDiagnostic(each)).join("\n");
  const inSettings = broken.told.filter((told) => told.startsWith("--set:"));
  const inRecipe = broken.told.filter((told) => !told.startsWith("--set:"));
  const found = diagnostics.filter(({ span }) => span.file.path === "recipe.yaml");
  assert.deepEqual(found.map(shownSpan), spans, shown);
  assert.equal(found.length, inRecipe.length, shown);
  found.forEach((diagnostic, index) => says(diagnostic, inRecipe[index]!, shown));
  const others = diagnostics.filter(({ span }) => span.file.path !== "recipe.yaml");
  assert.equal(others.length, inSettings.length, shown);
  others.forEach((diagnostic, index) => {
    const [at, ...rest] = inSettings[index]!.split(" ");
    assert.equal(place(diagnostic.span), at, shown);
    says(diagnostic, rest.join(" "), shown);
  });
  for (const untold of broken.untold ?? []) assert.ok(!shown.includes(untold), shown);
}

function says(diagnostic: Diagnostic, told: string, shown: string): void {
  const [code, ...part] = told.split(" | ");
  assert.equal(diagnostic.code, code, shown);
  assert.ok(formatDiagnostic(diagnostic).includes(part.join(" | ")), `${told}\n${shown}`);
}

function shownSpan({ span }: Diagnostic): string {
  return `${place(span)} ${span.file.text.slice(span.start, span.end)}`;
}

/** A recipe without its marks, and what stood between them, with its place. */
function unmarked(marked: string): { readonly text: string; readonly spans: readonly string[] } {
  const text = marked.replace(/[«»]/g, "");
  const spans: string[] = [];

  for (const { index, 1: inside } of marked.matchAll(/«([^»]*)»/g)) {
    const hasMark = text.startsWith("\uFEFF") ? 1 : 0;
    const lines = marked.slice(0, index).replace(/[«»]/g, "").slice(hasMark).split("\n");
    spans.push(`recipe.yaml:${lines.length}:${lines.at(-1)!.length + 1} ${inside}`);
  }
  return { text, spans };
}
