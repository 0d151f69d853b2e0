import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Candidate,
  criteria,
  type Criterion,
  hasCopyMark,
} from "../../src/dedupe/criteria.ts";
import { type Choice, selectKeepers, type SelectOptions } from "../../src/dedupe/selecting.ts";

const within = ["exact", "same_picture"] as const;

function candidate(name: string, given: Partial<Candidate> = {}): Candidate {
  return {
    name,
    sha256: `sha of ${name}`,
    width: 1024,
    height: 768,
    bytes: 100_000,
    format: "jpeg",
    groups: { exact: null, same_picture: "g1", similar: null },
    ...given,
  };
}

function chosen(
  candidates: readonly Candidate[],
  options: Partial<SelectOptions> = {},
): Record<string, Choice> {
  return Object.fromEntries(
    selectKeepers(candidates, { within: [...within], order: [...criteria], ...options }),
  );
}

function keptNames(choices: Readonly<Record<string, Choice>>): string[] {
  return Object.entries(choices).filter(([, { action }]) => action === "keep").map(([name]) => name)
    .sort();
}

Deno.test("the picture with more pixels is kept, and the numbers of both are the first reason", () => {
  const choices = chosen([
    candidate("small.jpg"),
    candidate("large.jpg", { width: 4032, height: 3024 }),
  ]);
  assert.deepEqual(choices["small.jpg"], {
    action: "set_aside",
    group: "g1",
    verdict: "same_picture",
    is_keeper: false,
    kept_instead: "large.jpg",
    reasons: [
      "resolution 4032×3024 against 1024×768",
    ],
    decided_by: "rules",
  });
  assert.equal(choices["large.jpg"]!.is_keeper, true);
  assert.deepEqual(choices["large.jpg"]!.reasons, [
    "the best of 2: resolution 4032×3024 against 1024×768",
  ]);
});

const metadata = { taken_at: null, latitude: null, camera_make: null, camera_model: null };
const quality = { score: null, brisque_opencv: null, niqe: null };

/** By criterion: the one that is to be kept, the other one, and the sentence. */
const deciding: Readonly<
  Record<Criterion, readonly [Partial<Candidate>, Partial<Candidate>, RegExp]>
> = {
  resolution: [{ width: 1025 }, {}, /^resolution 1025×768 against 1024×768$/],
  quality: [
    { quality: { ...quality, brisque_opencv: 18.2 } },
    { quality: { ...quality, brisque_opencv: 41 } },
    /^BRISQUE 18\.2 against 41\.0$/,
  ],
  format: [{ format: "png" }, {}, /^format png against jpeg$/],
  metadata: [
    { metadata: { ...metadata, taken_at: "2020-01-01T00:00:00", latitude: 0 } },
    { metadata },
    /^metadata date \+ GPS against none$/,
  ],
  bytes: [{ bytes: 100_001 }, {}, /^file size 100,001 bytes against 100,000 bytes$/],
  oldest: [
    { metadata: { ...metadata, taken_at: "2019-05-01T10:00:00" } },
    { metadata: { ...metadata, taken_at: "2020-05-01T10:00:00" } },
    /^taken 2019-05-01 10:00:00 against 2020-05-01 10:00:00$/,
  ],
  name: [{}, {}, /^name "b\.jpg" against "bb\.jpg"$/],
};

for (const [criterion, [better, other, words]] of Object.entries(deciding)) {
  Deno.test(`${criterion} decides where all before it is equal`, () => {
    const [best, rest] = criterion === "name" ? ["b.jpg", "bb.jpg"] : ["zz.jpg", "a.jpg"];
    const pictures = [candidate(rest, other), candidate(best, better)];
    const choices = chosen(pictures);
    assert.deepEqual(keptNames(choices), [best]);
    assert.match(choices[rest]!.reasons[0]!, words);
  });
}

Deno.test("the recipe's order decides which criterion counts first", () => {
  const pictures = [
    candidate("large.jpg", { width: 2000 }),
    candidate("lossless.png", { format: "png" }),
  ];
  assert.deepEqual(keptNames(chosen(pictures)), ["large.jpg"]);
  const other = chosen(pictures, { order: ["format", "resolution"] });
  assert.deepEqual(keptNames(other), ["lossless.png"]);
  assert.deepEqual(
    other["large.jpg"]!.reasons,
    [
      "format png against jpeg",
      "in spite of resolution 2000×768 against 1024×768",
      'name "large.jpg" against "lossless.png"',
    ].slice(0, 2),
  );
});

Deno.test("an unknown quality loses against any known one", () => {
  const choices = chosen([
    candidate("a.jpg", { quality }),
    candidate("b.jpg", { quality: { ...quality, score: 0.1 } }),
    candidate("c.jpg"),
  ]);
  assert.deepEqual(keptNames(choices), ["b.jpg"]);
  assert.equal(choices["a.jpg"]!.reasons[0], "quality 0.10 against none");
});

Deno.test("copies are known by the marks that systems give them, and nothing else is", () => {
  for (
    const name of [
      "a (1).jpg",
      "a(2).jpg",
      "sub/a copy.png",
      "a copy 3.jpg",
      "a - Kopie.jpg",
      "a - Kopie (2).jpg",
      "a - Copy.jpg",
      "a_copy.jpg",
      "Copy of a.jpg",
      "Copy (2) of a.jpg",
      "Kopie von a.jpg",
      "a copie.jpg",
      "a - copia.jpg",
      "写真 コピー.jpg",
      "图 副本.jpg",
    ]
  ) assert.ok(hasCopyMark(name), name);
  for (
    const name of [
      "a.jpg",
      "IMG_0001.jpg",
      "(1).d/a.jpg",
      "copyright.jpg",
      "photocopy.jpg",
      "copy.jpg",
      "Copy of/a.jpg",
      "a (2019).jpg",
      "a (1) b.jpg",
    ]
  ) assert.ok(!hasCopyMark(name), name);
});

Deno.test("of equal files the one whose name is not a copy's is kept, however long it is", () => {
  const copies = ["a (1).jpg", "holiday/original.jpg", "b copy.jpg"].map((name) =>
    candidate(name, { sha256: "same", groups: { exact: "g0", same_picture: null, similar: null } })
  );
  const choices = chosen(copies);
  assert.deepEqual(keptNames(choices), ["holiday/original.jpg"]);
  assert.deepEqual(choices["a (1).jpg"]!.reasons, [
    'name "holiday/original.jpg" against "a (1).jpg", which is marked as a copy',
    "the same bytes",
  ]);
  assert.equal(choices["a (1).jpg"]!.verdict, "exact");
});

Deno.test("distances of the pair are among the reasons", () => {
  const pair = {
    a: "sha of a.jpg",
    b: "sha of b.jpg",
    verdict: "same_picture" as const,
    dhash_distance: 1,
    phash_distance: 2,
    cosine: 0.98123,
  };
  const choices = chosen([candidate("a.jpg", { width: 2000 }), candidate("b.jpg")], {
    pairs: [pair],
  });
  assert.equal(
    choices["b.jpg"]!.reasons[1],
    "the same picture: dHash 1, pHash 2 of 64 bits apart; cosine 0.981",
  );
});

const similar = (group: string | null, same: string | null = null) => ({
  groups: { exact: null, same_picture: same, similar: group },
});

Deno.test("similar pictures are all kept, unless they are asked to be acted on", () => {
  const pictures = [candidate("a.jpg", similar("s")), candidate("b.jpg", similar("s"))];
  const kept = chosen(pictures);
  assert.deepEqual(keptNames(kept), ["a.jpg", "b.jpg"]);
  assert.match(kept["a.jpg"]!.reasons[0]!, /"similar" alone, which is not acted on/);
  assert.deepEqual(keptNames(chosen(pictures, { within: [...within, "similar"] })), ["a.jpg"]);
});

Deno.test("a picture is judged in its widest group, so that one group in another keeps one", () => {
  const pictures = [
    candidate("a.jpg", similar("s", "p")),
    candidate("b.jpg", similar("s", "p")),
    candidate("c.jpg", { width: 3000, ...similar("s") }),
  ];
  assert.deepEqual(keptNames(chosen(pictures)), ["a.jpg", "c.jpg"]);
  const wide = chosen(pictures, { within: [...within, "similar"] });
  assert.deepEqual(keptNames(wide), ["c.jpg"]);
  assert.equal(wide["b.jpg"]!.kept_instead, "c.jpg");
  assert.equal(wide["b.jpg"]!.verdict, "similar");
});

const three = [
  candidate("a.jpg", { width: 3000 }),
  candidate("b.jpg", { width: 2000 }),
  candidate("c.jpg"),
];

function deciding3(keep: Readonly<Record<string, boolean>>, alike: Record<string, boolean> = {}) {
  const bySha = Object.entries(keep).map(([name, value]) => [`sha of ${name}`, value]);
  return chosen(three, { decisions: { keep: Object.fromEntries(bySha), alike } });
}

Deno.test("a person's keeper stands against the rules, and the rules choose no other", () => {
  const choices = deciding3({ "c.jpg": true });
  assert.deepEqual(keptNames(choices), ["c.jpg"]);
  assert.equal(choices["c.jpg"]!.decided_by, "person");
  assert.equal(choices["a.jpg"]!.kept_instead, "c.jpg");
  assert.deepEqual(choices["a.jpg"]!.reasons, [
    'a person decided to keep "c.jpg"',
    "in spite of resolution 3000×768 against 1024×768",
  ]);
});

Deno.test("a person may keep several of a group", () => {
  assert.deepEqual(keptNames(deciding3({ "b.jpg": true, "c.jpg": true })), ["b.jpg", "c.jpg"]);
});

Deno.test("where a person drops the rules' keeper, the next best is kept", () => {
  const choices = deciding3({ "a.jpg": false });
  assert.deepEqual(keptNames(choices), ["b.jpg"]);
  assert.equal(choices["a.jpg"]!.decided_by, "person");
  assert.equal(choices["a.jpg"]!.kept_instead, "b.jpg");
  assert.equal(choices["b.jpg"]!.decided_by, "rules");
  assert.equal(choices["c.jpg"]!.kept_instead, "b.jpg");
});

Deno.test("a group loses its last picture only where a person dropped every one", () => {
  assert.deepEqual(keptNames(deciding3({ "a.jpg": false, "b.jpg": false })), ["c.jpg"]);
  const none = deciding3({ "a.jpg": false, "b.jpg": false, "c.jpg": false });
  assert.deepEqual(keptNames(none), []);
  assert.equal(none["a.jpg"]!.kept_instead, null);
});

Deno.test("of copies to the byte that a person keeps, one file is kept", () => {
  const groups = { exact: "g0", same_picture: null, similar: null };
  const copies = ["a.jpg", "b.jpg"].map((name) => candidate(name, { sha256: "same", groups }));
  const choices = chosen(copies, { decisions: { keep: { same: true }, alike: {} } });
  assert.deepEqual(keptNames(choices), ["a.jpg"]);
  assert.equal(choices["a.jpg"]!.decided_by, "person");
});

Deno.test("a picture like no other is set aside only where a person said so", () => {
  const alone = candidate("a.jpg", similar(null));
  assert.equal(chosen([alone])["a.jpg"]!.action, "keep");
  const decisions = { keep: { "sha of a.jpg": false }, alike: {} };
  assert.equal(chosen([alone], { decisions })["a.jpg"]!.action, "set_aside");
});

Deno.test("a picture is not set aside for one that a person called unlike it", () => {
  const choices = deciding3({}, { "sha of a.jpg:sha of c.jpg": false });
  assert.deepEqual(keptNames(choices), ["a.jpg", "c.jpg"]);
  assert.deepEqual(choices["c.jpg"]!.reasons, ['a person decided that it is not like "a.jpg"']);
  assert.equal(choices["c.jpg"]!.decided_by, "person");
  assert.equal(choices["b.jpg"]!.kept_instead, "a.jpg");
});

const arbitrary = fc.array(
  fc.record({
    size: fc.integer({ min: 1, max: 3 }),
    score: fc.option(fc.integer({ min: 0, max: 3 })),
    taken: fc.option(fc.constantFrom("2019", "2020")),
    sha: fc.integer({ min: 0, max: 9 }),
    group: fc.constantFrom("p", "q"),
    keep: fc.option(fc.boolean()),
  }),
  { maxLength: 12 },
);

Deno.test("every group keeps one unless all were dropped, whatever the order of the pictures", () => {
  fc.assert(
    fc.property(arbitrary, fc.shuffledSubarray([...criteria], { minLength: 1 }), (rows, order) => {
      const keep: Record<string, boolean> = {};
      const candidates = rows.map(({ size, score, taken, sha, group, keep: said }, index) => {
        const sha256 = `${group}${sha}`;
        if (said !== null) keep[sha256] = said;
        return candidate(`n${index}.jpg`, {
          sha256,
          width: size,
          quality: { ...quality, score: score === null ? null : score / 3 },
          metadata: { ...metadata, taken_at: taken },
          groups: { exact: null, same_picture: group, similar: null },
        });
      });
      const options = { order, decisions: { keep, alike: {} } };
      const choices = chosen(candidates, options);
      assert.deepEqual(chosen(candidates.toReversed(), options), choices);
      for (const [, members] of Map.groupBy(candidates, ({ groups }) => groups.same_picture)) {
        const isAllDropped = members.every(({ sha256 }) => keep[sha256] === false);
        const kept = members.filter(({ name }) => choices[name]!.action === "keep");
        assert.equal(kept.length === 0, isAllDropped);
        for (const { name } of members) {
          const { kept_instead } = choices[name]!;
          if (kept_instead !== null) assert.equal(choices[kept_instead]!.action, "keep");
        }
      }
      assert.doesNotMatch(JSON.stringify(choices), /NaN|Infinity|undefined/);
    }),
  );
});
