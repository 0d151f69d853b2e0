import assert from "node:assert/strict";
import fc from "fast-check";
import { formatDiagnostic } from "../../src/runtime/diagnostic.ts";
import type { Graph } from "../../src/runtime/graph.ts";
import { checked } from "./checking.ts";

/** A piece of a recipe's text; `isName` where misspelling it must be found at that place. */
interface Piece {
  readonly text: string;
  readonly isName?: boolean;
}

/** A node as its keys; they can stand in any order. */
type Keys = Readonly<Record<string, readonly Piece[]>>;

const name = (text: string): Piece => ({ text, isName: true });
const plain = (text: string): Piece => ({ text });

function inBraces(entries: readonly (readonly Piece[])[]): readonly Piece[] {
  const parted = entries.flatMap((entry, index) => index === 0 ? entry : [plain(", "), ...entry]);
  return [plain("{ "), ...parted, plain(" }")];
}

function node(step: string, from: readonly Piece[] | undefined, values: Keys): Keys {
  const given = inBraces(
    Object.entries(values).map(([key, value]) => [name(key), plain(": "), ...value]),
  );
  return {
    use: [name(step)],
    ...from === undefined ? {} : { from },
    ...Object.keys(values).length === 0 ? {} : { with: given },
  };
}

/** Valid recipes: a scan, a chain of proxies, publications and reports. */
const recipes = fc.record({
  proxies: fc.integer({ min: 1, max: 4 }),
  formats: fc.array(fc.constantFrom("jpeg", "webp", "auto"), { minLength: 4, maxLength: 4 }),
  isLong: fc.boolean(),
  isOutputNamed: fc.boolean(),
}).map(({ proxies, formats, isLong, isOutputNamed }) => {
  const nodes: Record<string, Keys> = {
    originals: node("ingest.scan", undefined, { folder: [name("$source")] }),
  };
  let last = "originals";
  for (let index = 0; index < proxies; index++) {
    const id = `shrunk_${"abcd"[index]}`;
    const output = last === "originals" ? "images" : "image";
    const source = isOutputNamed ? [name(last), plain("."), name(output)] : [name(last)];
    const from = isLong ? inBraces([[name("image"), plain(": "), ...source]]) : source;
    nodes[id] = node("image.proxy", from, {
      format: [name(formats[index]!)],
      quality: [name("$quality_percent")],
    });
    last = id;
  }
  nodes["published"] = node("publish.files", [name(last)], {
    folder: [plain('"./out/'), name("${collection}"), plain('"')],
  });
  nodes["compared"] = node(
    "report.savings",
    inBraces([
      [name("originals"), plain(": "), name("originals")],
      [name("proxies"), plain(": "), name(last)],
    ]),
    {},
  );
  return nodes;
});

const head = [
  name("recipe"),
  plain(": laws\n"),
  name("params"),
  plain(`:
  source: { type: folder, default: ./photos }
  quality_percent: { type: integer, default: 85 }
  collection: { type: string, default: all }
`),
  name("steps"),
  plain(":\n"),
];

function written(nodes: Readonly<Record<string, Keys>>): readonly Piece[] {
  return [
    ...head,
    ...Object.entries(nodes).flatMap(([id, keys]) => [
      plain(`  ${id}: `),
      ...inBraces(Object.entries(keys).map(([key, value]) => [name(key), plain(": "), ...value])),
      plain("\n"),
    ]),
  ];
}

const text = (pieces: readonly Piece[]) => pieces.map((piece) => piece.text).join("");

/** The graph without the order of its nodes. */
function shapeOf(graph: Graph): unknown {
  const nodes = graph.nodes.map(({ id, step, params, wires, space }) =>
    [id, { step: step.name, params, wires, space }] as const
  );
  return Object.fromEntries(nodes.toSorted(([a], [b]) => a < b ? -1 : 1));
}

Deno.test("generated recipes are right", async () => {
  await fc.assert(fc.asyncProperty(recipes, async (nodes) => {
    const { diagnostics } = await checked({ recipe: text(written(nodes)) });
    assert.deepEqual(diagnostics.map((each) => formatDiagnostic(each)), []);
  }));
});

Deno.test("a misspelt name is found exactly where it stands, whichever it is", async () => {
  const slip = fc.constantFrom(
    (word: string, at: number) => word.slice(0, at) + word.slice(at + 1),
    (word: string, at: number) => `${word.slice(0, at)}q${word.slice(at)}`,
    (word: string, at: number) =>
      `${word.slice(0, at)}${word[at + 1]}${word[at]}${word.slice(at + 2)}`,
  );
  await fc.assert(
    fc.asyncProperty(recipes, fc.nat(), fc.nat(), slip, async (nodes, which, where, misspell) => {
      const pieces = written(nodes);
      const names = pieces.filter((piece) => piece.isName && piece.text.length > 3);
      const chosen = names[which % names.length]!;
      // Inside the word: "$name" and "${name}" keep their signs.
      const first = chosen.text.search(/\w/);
      const letters = chosen.text.slice(first).match(/^[\w.]+/)![0].length;
      const wrong = misspell(chosen.text, first + 1 + where % (letters - 2));
      fc.pre(!pieces.some((piece) => piece.text === wrong) && wrong !== chosen.text);
      const index = pieces.indexOf(chosen);
      const before = text(pieces.slice(0, index));
      const recipe = before + wrong + text(pieces.slice(index + 1));
      const { diagnostics } = await checked({ recipe });
      const found = diagnostics.find(({ severity, span }) =>
        severity === "error" && span.start === before.length &&
        span.end === before.length + wrong.length
      );
      const shown = diagnostics.map((each) => formatDiagnostic(each)).join("\n");
      assert.ok(found !== undefined, `${recipe}\n${wrong}\n${shown}`);
      assert.equal(diagnostics.length, 1, `${recipe}\n${wrong}\n${shown}`);
    }),
    { numRuns: 400 },
  );
});

Deno.test("the order of nodes and of their keys changes nothing", async () => {
  const order = fc.array(fc.nat(), { minLength: 40, maxLength: 40 });
  await fc.assert(fc.asyncProperty(recipes, order, async (nodes, ranks) => {
    let next = 0;
    const mixed = <Value>(record: Readonly<Record<string, Value>>) =>
      Object.fromEntries(
        Object.entries(record).map((entry) => ({ entry, rank: ranks[next++ % ranks.length]! }))
          .toSorted((a, b) => a.rank - b.rank).map(({ entry }) => entry),
      );
    const turned = mixed(Object.fromEntries(
      Object.entries(nodes).map(([id, keys]) => [id, mixed(keys)]),
    ));
    const straight = await checked({ recipe: text(written(nodes)) });
    const other = await checked({ recipe: text(written(turned)) });
    assert.deepEqual(shapeOf(other.graph!), shapeOf(straight.graph!));
  }));
});

Deno.test("in a graph, sources come before what uses them", async () => {
  await fc.assert(fc.asyncProperty(recipes, async (nodes) => {
    const turned = Object.fromEntries(Object.entries(nodes).toReversed());
    const { graph } = await checked({ recipe: text(written(turned)) });
    const seen = new Set<string>();
    for (const { id, wires } of graph!.nodes) {
      for (const wire of Object.values(wires)) assert.ok(seen.has(wire.node));
      seen.add(id);
    }
  }));
});
