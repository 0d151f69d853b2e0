import assert from "node:assert/strict";
import fc from "fast-check";
import { formatDiagnostic } from "../../src/runtime/diagnostic.ts";
import { parseRecipe } from "../../src/runtime/recipe.ts";
import { SourceFile } from "../../src/runtime/source.ts";
import { cpuTimer, leastCpuMs } from "../cpu_time.ts";
import { checked } from "./checking.ts";

const valid = Deno.readTextFileSync(new URL("../../pipelines/proxy.yaml", import.meta.url));

/** Checks a text, and that all places lie in it. */
async function isAnswered(recipe: string): Promise<readonly string[]> {
  const { diagnostics, graph } = await checked({ recipe });
  for (const diagnostic of diagnostics) {
    for (const { span } of [diagnostic, ...diagnostic.related ?? []]) {
      assert.ok(0 <= span.start && span.start <= span.end, formatDiagnostic(diagnostic));
      assert.ok(span.end <= span.file.text.length + 1, formatDiagnostic(diagnostic));
    }
  }
  const hasError = diagnostics.some(({ severity }) => severity === "error");
  assert.ok(graph === undefined || !hasError);
  return diagnostics.map(({ code }) => code);
}

Deno.test("any text is answered with diagnostics, never with an exception", async () => {
  await fc.assert(fc.asyncProperty(fc.string({ unit: "binary", maxLength: 200 }), async (text) => {
    await isAnswered(text);
  }));
});

Deno.test("any heap of YAML's signs is answered with diagnostics", async () => {
  const sign = fc.constantFrom(
    ..."{}[]:,-?&*!|>'\"%@#\t\n$ ",
    "\n  ",
    "a",
    ": ",
    "- ",
    "---\n",
    "recipe: r\n",
    "steps:\n",
    "use: ",
    "<<",
    "${",
    "\r\n",
  );
  const heap = fc.array(sign, { maxLength: 40 }).map((parts) => parts.join(""));
  await fc.assert(
    fc.asyncProperty(heap, async (text) => void await isAnswered(text)),
    { numRuns: 500 },
  );
});

Deno.test("a valid recipe with a stretch taken out is answered with diagnostics", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(valid.length),
      fc.nat(60),
      async (at, length) => void await isAnswered(valid.slice(0, at) + valid.slice(at + length)),
    ),
    { numRuns: 200 },
  );
});

/** The one diagnostic of a text that is too much, which has to come quickly. */
async function refusal(recipe: string): Promise<string> {
  const cpuMs = cpuTimer();
  const codes = await isAnswered(recipe);
  assert.ok(cpuMs() < 2000);
  assert.equal(codes.length, 1, codes.slice(0, 5).join());
  return codes[0]!;
}

Deno.test("aliases that multiply are refused, once and quickly", async () => {
  const levels = Array.from(
    { length: 12 },
    (_, level) =>
      level === 0
        ? "a0: &a0 [x, x, x, x, x, x, x, x, x]"
        : `a${level}: &a${level} [${Array(9).fill(`*a${level - 1}`).join(", ")}]`,
  );
  assert.equal(
    await refusal(`recipe: r\n${levels.join("\n")}\nsteps: { a: { use: x.y } }\n`),
    "too-large",
  );
});

Deno.test("deep nesting is refused, once and quickly", async () => {
  const deep = 20_000;
  assert.equal(await refusal(`a: ${"[".repeat(deep)}${"]".repeat(deep)}`), "too-large");
  assert.equal(await refusal(`a: ${"[".repeat(100)}${"]".repeat(100)}`), "too-large");
  assert.equal(await refusal(`a: ${"{ a: ".repeat(deep)}${"}".repeat(deep)}`), "too-large");
  assert.equal(await refusal(`${"- ".repeat(deep)}a`), "too-large");
  assert.equal(await refusal(`${"? ".repeat(deep)}a`), "too-large");
  const stairs = Array.from({ length: 1000 }, (_, level) => `${" ".repeat(level)}a:`);
  assert.equal(await refusal(stairs.join("\n")), "too-large");
});

Deno.test("brackets that are never closed are one mistake", async () => {
  assert.equal(await refusal(`about: ${"[".repeat(50)}`), "yaml-syntax");
});

Deno.test("a list of 200,000 values is refused, once and quickly", async () => {
  assert.equal(await refusal(`a: [${"1,".repeat(200_000)}]`), "too-large");
});

Deno.test("an alias inside what it names is refused where it stands", () => {
  const text = "recipe: &r [*r]\nsteps: { a: { use: x.y } }\n";
  const { diagnostics } = parseRecipe(new SourceFile("r.yaml", text));
  assert.equal(diagnostics[0]!.code, "bad-alias");
  assert.equal(diagnostics[0]!.span.start, text.indexOf("*r"));
});

Deno.test("a map with 20,000 keys is read in a second", () => {
  const keys = Array.from({ length: 20_000 }, (_, index) => `  n${index}: { use: a.b }`);
  const file = new SourceFile("r.yaml", `recipe: r\nsteps:\n${keys.join("\n")}\n`);
  const read = () => assert.equal(parseRecipe(file).recipe!.nodes.length, 20_000);
  assert.ok(leastCpuMs(read, 2000) < 2000);
});

Deno.test("a long recipe with a slip in every line is answered in seconds", async () => {
  const lines = Array.from(
    { length: 3000 },
    (_, index) => `  n${index}: { use: image.proxy from: a }`,
  );
  const cpuMs = cpuTimer();
  const codes = await isAnswered(`recipe: r\nsteps:\n${lines.join("\n")}\n`);
  assert.equal(codes[0], "yaml-syntax");
  assert.ok(cpuMs() < 5000);
});
