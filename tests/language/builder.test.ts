import assert from "node:assert/strict";
import fc from "fast-check";
import { join } from "node:path";
import {
  all,
  defineStep,
  each,
  image,
  many,
  one,
  openSession,
  produced,
  recipe,
  steps,
  text,
  z,
} from "tintype";
import { formatDiagnostic } from "../../src/runtime/diagnostic.ts";
import type { RecipeBuilder } from "../../src/runtime/builder.ts";

const label = defineStep({
  name: "own.label",
  version: 1,
  doc: "Puts words on pictures.",
  origin: "computed",
  isResult: true,
  inputs: { image: each(image, "the pictures") },
  params: z.object({
    words: z.string().default(""),
    lines: z.array(z.string()).default([]),
    place: z.object({ x_px: z.int(), y_px: z.int() }).optional(),
    place_name: z.enum(["top", "bottom"]).default("top"),
  }),
  outputs: { image: each(image, "with words") },
  run: ({ image }) => produced({ image }),
});

const spell = defineStep({
  name: "own.spell",
  version: 1,
  doc: "Reads words.",
  origin: "computed",
  isResult: true,
  inputs: { image: each(image, "the pictures") },
  params: z.object({}),
  outputs: { words: each(text, "the words") },
  run: () => produced({ words: "" }),
});

const cut = defineStep({
  name: "own.cut",
  version: 1,
  doc: "Cuts pictures into parts.",
  origin: "computed",
  inputs: {
    image: each(image, "the pictures"),
    words: each(text, "what to look for", { isOptional: true }),
  },
  params: z.object({}),
  outputs: { parts: many(image, "the parts"), words: each(text, "what was found") },
  run: () => produced({ parts: [], words: "" }),
});

const gather = defineStep({
  name: "own.gather",
  version: 1,
  doc: "Gathers words, needing none for it.",
  origin: "computed",
  inputs: {
    before: one(text, "what was gathered before", { isOptional: true }),
    words: all(text, "the words", { isOptional: true }),
  },
  params: z.object({ start: z.int().default(0) }),
  outputs: { all: one(text, "all words") },
  run: () => produced({ all: "" }),
});

async function checkedGraph(built: RecipeBuilder) {
  const session = openSession({ cwd: "/nowhere", workspace: "/nowhere/.tintype" });
  const { graph, diagnostics } = await session.check(built.toRecipe(), { needsValues: true });
  assert.deepEqual(diagnostics.map((each) => formatDiagnostic(each)), []);
  return graph!;
}

/** The shipped proxy recipe, as code. */
function proxyRecipe(): RecipeBuilder {
  const built = recipe("small", { about: "Shrinks photos" });
  const source = built.param("source", { type: "folder", default: "./photos" });
  const quality = built.param("quality", {
    type: "integer",
    default: 85,
    minimum: 1,
    maximum: 100,
  });
  const format = built.param("format", {
    type: "choice",
    choices: ["auto", "png"],
    default: "png",
  });
  const photos = built.step("photos", steps.scan, { with: { folder: source } });
  const proxies = built.step("proxies", steps.proxy, {
    from: { image: photos.images },
    with: { short_side_px: 448, quality, format },
  });
  built.step("files", steps.files, { from: { image: proxies.image }, with: { folder: "./out" } });
  built.step("savings", steps.savings, {
    from: { originals: photos.images, proxies: proxies.image },
  });
  return built;
}

Deno.test("a recipe built in TypeScript checks clean and is the graph that was meant", async () => {
  const graph = await checkedGraph(proxyRecipe());
  assert.deepEqual(graph.nodes.map(({ id }) => id), ["photos", "proxies", "files", "savings"]);
  const { short_side_px, format, quality } = graph.nodes[1]!.params;
  assert.deepEqual({ short_side_px, format, quality }, {
    short_side_px: 448,
    format: "png",
    quality: 85,
  });
  assert.deepEqual(graph.nodes[3]!.wires, {
    originals: { node: "photos", port: "images" },
    proxies: { node: "proxies", port: "image" },
  });
  assert.equal(graph.nodes[0]!.params["folder"], join("/nowhere", "photos"));
});

Deno.test("a built recipe as YAML reads like one that a person wrote", () => {
  assert.equal(
    proxyRecipe().toYaml().split("\n").slice(0, 6).join("\n"),
    `recipe: small
about: Shrinks photos
params:
  source:
    type: folder
    default: ./photos`,
  );
});

Deno.test("a reference can stand anywhere in a value", async () => {
  const built = recipe("deep");
  const left = built.param("left", { type: "integer", default: 3 });
  const word = built.param("word", { type: "string", default: "hello" });
  const photos = built.step("photos", steps.scan, { with: { folder: "a" } });
  built.step("label", label, {
    from: { image: photos.images },
    with: { lines: ["$word", word], place: { x_px: left, y_px: 4 } },
  });
  const graph = await checkedGraph(built);
  assert.deepEqual(graph.nodes[1]!.params["lines"], ["$word", "hello"]);
  assert.deepEqual(graph.nodes[1]!.params["place"], { x_px: 3, y_px: 4 });
});

Deno.test("any text survives, dollar signs, braces and odd characters too", async () => {
  const tricky = fc.array(
    fc.constantFrom(
      "$",
      "$$",
      "${",
      "}",
      "$word",
      "{{",
      "\\",
      '"',
      "'",
      "#",
      ": ",
      "\n",
      " ",
      "é",
      "a",
    ),
    { maxLength: 8 },
  ).map((parts) => parts.join(""));
  const any = fc.oneof(tricky, fc.string({ unit: "binary" }));
  await fc.assert(
    fc.asyncProperty(any, fc.array(any, { maxLength: 3 }), async (words, lines) => {
      const built = recipe("texts");
      built.param("word", { type: "string", default: "hello" });
      const photos = built.step("photos", steps.scan, { with: { folder: "a" } });
      built.step("label", label, { from: { image: photos.images }, with: { words, lines } });
      const session = openSession({ cwd: "/nowhere" });
      const { graph, diagnostics } = await session.check(built.toRecipe());
      const errors = diagnostics.filter(({ severity }) => severity === "error");
      assert.deepEqual(errors.map((each) => formatDiagnostic(each)), []);
      assert.equal(graph!.nodes[1]!.params["words"], words);
      assert.deepEqual(graph!.nodes[1]!.params["lines"], lines);
    }),
    { numRuns: 300 },
  );
});

Deno.test("a node or parameter of a name that is taken is refused", () => {
  const built = recipe("twice");
  built.step("photos", steps.scan, { with: { folder: "a" } });
  const again = () => built.step("photos", steps.scan, { with: { folder: "b" } });
  assert.throws(again, /Cannot add node "photos"/);
  built.param("a", { type: "integer" });
  assert.throws(() => built.param("a", { type: "integer" }), /Cannot declare parameter "a"/);
});

Deno.test("names of Object's prototype are names like others", async () => {
  const built = recipe("odd");
  const constructed = built.param("constructor", { type: "folder", default: "a" });
  const photos = built.step("constructor", steps.scan, { with: { folder: constructed } });
  built.step("__proto__", spell, { from: { image: photos.images } });
  const { diagnostics } = await openSession({ cwd: "/nowhere" }).check(built.toRecipe());
  assert.deepEqual(diagnostics.map(({ message }) => message.slice(0, 30)), [
    '"__proto__" cannot name a node',
  ]);
});

/** Never called: that it compiles, with an error at each line that is marked so, is the test. */
export function wiringThatTheCompilerRefuses(): void {
  const built = recipe("wrong");
  const photos = built.step("photos", steps.scan, { with: { folder: "a" } });
  const image = photos.images;
  const others = built.step("others", steps.scan, { with: { folder: "b" } });
  const small = built.step("small", steps.proxy, { from: { image } });
  const words = built.step("words", spell, { from: { image: small.image } });
  const parts = built.step("parts", cut, { from: { image, words: words.words } });
  const gathered = built.step("gathered", gather);
  // @ts-expect-error: nothing for an input that has to be wired
  built.step("a", steps.proxy);
  // @ts-expect-error: nothing for an input that has to be wired, beside a parameter
  built.step("b", steps.proxy, { with: { quality: 3 } });
  // @ts-expect-error: nothing for an input that has to be wired, in an empty map
  built.step("c", steps.proxy, { from: {} });
  // @ts-expect-error: nothing for an input that has to be wired, since it is undefined
  built.step("d", steps.proxy, { from: { image: undefined } });
  // @ts-expect-error: nothing for one of two inputs that have to be wired
  built.step("e", steps.savings, { from: { originals: image } });
  // @ts-expect-error: nothing for the input that has to be wired beside an optional one
  built.step("f", cut, { from: { words: words.words } });
  // @ts-expect-error: texts where pictures are wanted
  built.step("g", steps.proxy, { from: { image: words.words } });
  // @ts-expect-error: pictures where an optional input wants texts
  built.step("h", cut, { from: { image, words: image } });
  // @ts-expect-error: a single value where one for each item is wanted
  built.step("i", gather, { from: { words: gathered.all } });
  // @ts-expect-error: one value for each item where a single one is wanted
  built.step("j", gather, { from: { before: words.words } });
  // @ts-expect-error: no such input
  built.step("k", steps.proxy, { from: { picture: image } });
  // @ts-expect-error: no such input, beside the one that is wanted
  built.step("l", steps.proxy, { from: { image, picture: image } });
  // @ts-expect-error: no such output
  built.step("m", steps.proxy, { from: { image: photos.image } });
  // @ts-expect-error: photos of one scan with those of another
  built.step("n", steps.savings, { from: { originals: image, proxies: others.images } });
  // @ts-expect-error: parts of photos with texts about the photos
  built.step("o", cut, { from: { image: parts.parts, words: words.words } });
  // @ts-expect-error: neither "from" nor "with"
  built.step("p", steps.proxy, { fron: { image } });
}

/** Never called, as above. */
export function settingsThatTheCompilerRefuses(): void {
  const built = recipe("wrong");
  const word = built.param("word", { type: "string" });
  const { images: image } = built.step("photos", steps.scan, { with: { folder: word } });
  // @ts-expect-error: no such parameter
  built.step("a", steps.proxy, { from: { image }, with: { qualty: 3 } });
  // @ts-expect-error: a text where a number is wanted
  built.step("b", steps.proxy, { from: { image }, with: { quality: "85" } });
  // @ts-expect-error: no such choice
  built.step("c", steps.proxy, { from: { image }, with: { format: "jpg" } });
  // @ts-expect-error: a parameter of another type
  built.step("d", steps.proxy, { from: { image }, with: { quality: word } });
  // @ts-expect-error: a required parameter is missing
  built.step("e", steps.scan, { with: { hidden: true } });
  // @ts-expect-error: a required parameter is missing, with all others
  built.step("f", steps.scan);
  // @ts-expect-error: a required parameter is missing, beside the wires
  built.step("g", steps.files, { from: { image } });
  // @ts-expect-error: a wrong value inside a map
  built.step("h", label, { from: { image }, with: { place: { x_px: 1, y_px: "2" } } });
  const lines = [built.param("n", { type: "integer" })] as const;
  // @ts-expect-error: a parameter of another type inside a list's element
  built.step("i", label, { from: { image }, with: { lines } });
  // @ts-expect-error: no such type of parameter
  built.param("o", { type: "date" });
}

/** Never called, as above: no line here is refused. */
export function wiringThatTheCompilerTakes(folders: readonly string[]): void {
  const built = recipe("right");
  const photos = built.step("photos", steps.scan, { with: { folder: "a" } });
  const from = { image: photos.images };
  built.step("optional", cut, { from });
  built.step("undefined", cut, { from: { ...from, words: undefined }, with: {} });
  const { words } = built.step("words", spell, { from });
  const parts = built.step("parts", cut, { from: { ...from, words } });
  const inParts = built.step("in-parts", spell, { from: { image: parts.parts } });
  built.step("again", cut, { from: { image: parts.parts, words: inParts.words } });
  const none = built.step("none", gather);
  built.step("gathered", gather, { from: { before: none.all, words } });
  for (const folder of folders) {
    const { images } = built.step(folder, steps.scan, { with: { folder } });
    const proxies = built.step(`${folder}-small`, steps.proxy, { from: { image: images } });
    built.step(`${folder}-report`, steps.savings, {
      from: { originals: images, proxies: proxies.image },
    });
  }
}
