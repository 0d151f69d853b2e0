import assert from "node:assert/strict";
import fc from "fast-check";
import { nearest, suggestion } from "../../src/runtime/diagnostic.ts";

const steps = [
  "image.proxy",
  "ingest.scan",
  "inspect.metadata",
  "publish.files",
  "report.savings",
];
const params = ["short_side_px", "format", "quality", "chroma", "effort"];

function suggests(candidates: readonly string[], expected: Readonly<Record<string, string>>) {
  for (const [name, wanted] of Object.entries(expected)) {
    assert.equal(nearest(name, candidates), wanted, name);
  }
}

function suggestsNothing(candidates: readonly string[], names: readonly string[]) {
  for (const name of names) assert.equal(nearest(name, candidates), undefined, name);
}

Deno.test("slips of the keyboard are understood", () => {
  suggests(params, {
    qualty: "quality",
    qaulity: "quality",
    fromat: "format",
    efort: "effort",
    shrot_sdie_px: "short_side_px",
  });
  suggests(["long_edge_px", "short_edge_px"], { lnog_edge_px: "long_edge_px" });
  suggests(["use", "from", "with", "about"], { form: "from", wiht: "with", whit: "with" });
});

Deno.test("a name without its unit, topic or separators is understood", () => {
  suggests(params, {
    short_side: "short_side_px",
    "short-side-px": "short_side_px",
    shortSidePx: "short_side_px",
    shortside: "short_side_px",
    short_side_pixels: "short_side_px",
    jpeg_quality: "quality",
  });
  suggests(steps, {
    proxy: "image.proxy",
    image_proxy: "image.proxy",
    "Image.Proxy": "image.proxy",
    imageProxy: "image.proxy",
    "proxy.image": "image.proxy",
    "images.proxy": "image.proxy",
    proxies: "image.proxy",
    "img.proxy": "image.proxy",
    scan: "ingest.scan",
    "report.saving": "report.savings",
  });
});

Deno.test("what other tools call a thing is understood", () => {
  suggests(["string", "integer", "number", "boolean", "folder", "choice", "list"], {
    int: "integer",
    float: "number",
    bool: "boolean",
    str: "string",
    dir: "folder",
    enum: "choice",
    array: "list",
  });
  suggests(["use", "from", "with", "about"], { needs: "from", step: "use", args: "with" });
  suggests(["auto", "jpeg", "png"], { jpg: "jpeg", automatic: "auto" });
  suggests(["4:2:0", "4:4:4"], { "420": "4:2:0" });
});

Deno.test("what is only a little alike is not suggested", () => {
  suggestsNothing(steps, ["image.resize", "image.crop", "video.cut", "constructor", "x", ""]);
  suggestsNothing(params, ["size", "width", "with", "q", "long_side_px", "max_side_px", "$"]);
  suggestsNothing(["auto", "jpeg", "png", "webp"], ["tiff", "gif", "bitmap", "raw"]);
  suggestsNothing(["photos", "proxies"], ["originals", "scan", "everything"]);
});

Deno.test("names that are equally near are all suggested", () => {
  assert.equal(
    suggestion("side_px", ["long_side_px", "short_side_px", "quality"], "Parameters"),
    'Did you mean "long_side_px" or "short_side_px"?',
  );
});

Deno.test("where nothing is near, what there is is listed, at most twelve", () => {
  assert.equal(suggestion("zzz", ["a", "b"], "Nodes"), 'Nodes: "a", "b"');
  assert.equal(suggestion("zzz", [], "Nodes"), undefined);
  const many = Array.from({ length: 14 }, (_, index) => `n${index}`);
  assert.match(suggestion("zzz", many, "Nodes")!, /"n11", …$/);
});

Deno.test("a name is always nearest to itself, in any case and with any separators", () => {
  const word = fc.stringMatching(/^[a-z]{3,8}$/);
  fc.assert(fc.property(fc.uniqueArray(word, { minLength: 1, maxLength: 4 }), (words) => {
    const name = words.join("_");
    const others = ["short_side_px", "quality", `${name}_more`, `x${name}`];
    for (const variant of [name, name.toUpperCase(), words.join("-"), words.join(".")]) {
      assert.equal(nearest(variant, [...others, name]), name);
    }
  }));
});

Deno.test("two neighbouring letters that are swapped are understood in any name of five letters", () => {
  const word = fc.stringMatching(/^[a-z]{5,12}$/);
  fc.assert(fc.property(word, fc.nat(), (name, seed) => {
    const at = seed % (name.length - 1);
    const swapped = `${name.slice(0, at)}${name[at + 1]}${name[at]}${name.slice(at + 2)}`;
    assert.equal(nearest(swapped, [name]), name);
  }));
});
