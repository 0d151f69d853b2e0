import assert from "node:assert/strict";
import type { Edit, EditOutcome, Picture } from "../../src/web/dataset.ts";
import { oneLine, withMark } from "../../src/web/edits.ts";
import { parseFilter } from "../../src/web/filter.ts";
import { Outbox } from "../../src/web/page/outbox.ts";
import { replacements } from "../../src/web/replace.ts";
import { tokenEstimate } from "../../src/web/tokens.ts";

function picture(name: string, change: Partial<Picture> = {}): Picture {
  return {
    sha256: name.padEnd(64, "0"),
    name: `${name}.jpg`,
    copies: [],
    repeats: 0,
    width: 4,
    height: 3,
    bytes: 9,
    state: "auto",
    caption: "photo of hall",
    trigger: "hall",
    source: "model",
    model: null,
    locked: false,
    problems: [],
    reason: null,
    revision: 1,
    ...change,
  };
}

const pictures = [
  picture("a", { state: "needs_review", caption: "photo of hall, a Window, long table" }),
  picture("b", { state: "edited", caption: "photo of hall, a table that is long" }),
  picture("c", { state: "approved", caption: "photo of hall, edited by hand", locked: true }),
  picture("d", { state: "auto", caption: "photo of hall, window", source: "draft" }),
  picture("window", { state: "failed", caption: "" }),
];

const found = (filter: string) =>
  pictures.filter(parseFilter(filter)).map(({ name }) => name.replace(".jpg", "")).join(" ");

const cases: readonly (readonly [string, string])[] = [
  ["", "a b c d window"],
  ["needs review", "a"],
  ["Needs Review", "a"],
  ["edited", "b"],
  ['"edited"', "c"],
  ["approved", "c"],
  ["failed", "window"],
  ["draft", "d"],
  ["locked", "c"],
  ["window", "a d window"],
  ["NOT window", "b c"],
  ["NOT needs review", "b c d window"],
  ["window NOT needs review", "d window"],
  ["window AND auto", "d"],
  ['"long table"', "a"],
  ["long table", "a b"],
  ["NOT “long table” table", "b"],
  ['table "is long', "b"],
  ["NOT", ""],
  ["needs", ""],
  ["constructor", ""],
  ["  ", "a b c d window"],
];
for (const [filter, names] of cases) {
  Deno.test(`the filter ${JSON.stringify(filter)} finds: ${names || "nothing"}`, () => {
    assert.equal(found(filter), names);
  });
}

Deno.test("the filter empty finds captions of no words, and not what has none yet", () => {
  const some = [
    ...pictures,
    picture("blank", { state: "needs_review", caption: " " }),
    picture("coming", { state: "waiting", caption: "" }),
  ];
  const names = (filter: string) => some.filter(parseFilter(filter)).map(({ name }) => name);
  assert.deepEqual(names("empty"), ["blank.jpg"]);
  assert.deepEqual(names("needs review NOT empty"), ["a.jpg"]);
});

Deno.test("find and replace shows what would change, takes signs as they are, and leaves locked ones", () => {
  const options = { find: "TABLE", replacement: "desk ($&)", isExact: false, isWhole: false };
  const { changed, locked } = replacements(pictures, options);
  assert.deepEqual(changed.map(({ after }) => after), [
    "photo of hall, a Window, long desk ($&)",
    "photo of hall, a desk ($&) that is long",
  ]);
  assert.deepEqual(changed[0]!.parts.map(({ kind }) => kind), ["same", "old", "new"]);
  assert.equal(locked, 0);
  assert.equal(replacements(pictures, { ...options, isExact: true }).changed.length, 0);
  assert.equal(
    replacements(pictures, { ...options, find: "tab", isWhole: true }).changed.length,
    0,
  );
  assert.equal(replacements(pictures, { ...options, find: ".*+(" }).changed.length, 0);
  assert.equal(replacements(pictures, { ...options, find: "by hand" }).locked, 1);
  assert.equal(
    replacements(pictures, { ...options, find: "hall", replacement: "hall" }).changed.length,
    0,
  );
});

Deno.test("the trigger word becomes a mark where it stands as a word, and only there", () => {
  assert.equal(
    withMark("photo of art, an artful art_room, art.", "art"),
    "photo of {trigger}, an artful art_room, {trigger}.",
  );
  assert.equal(withMark("nothing", "{folder}"), "nothing");
  assert.equal(oneLine("one \r\n two\n\nthree"), "one two three");
});

Deno.test("tokens are estimated as CLIP cuts words, digits and signs", () => {
  assert.equal(tokenEstimate(""), 0);
  // "photo of ide _ main _ hall , soft light": 10.
  assert.equal(tokenEstimate("photo of ide_main_hall, soft light"), 10);
  assert.equal(tokenEstimate("2024"), 4);
});

/** An outbox whose server is the test. */
function rig(answer: (edits: readonly Edit[]) => Promise<EditOutcome>) {
  const kept: { text: string | null } = { text: null };
  const sent: (readonly Edit[])[] = [];
  const box = new Outbox({
    by: "page",
    shelter: { read: () => kept.text, write: (text) => kept.text = text },
    post: (_, edits) => {
      sent.push(edits);
      return answer(edits);
    },
    onTaken: () => {},
    onChange: () => {},
    wait: () => Promise.resolve(),
  });
  return { box, kept, sent };
}

const taken = (last: number): EditOutcome => ({ last, pictures: [], overwritten: [] });
const typing = (after: string, image = "1") =>
  ({ image, field: "caption", before: "", after }) as const;

Deno.test("typing on while a change is sent becomes one more change, not one a letter", async () => {
  const first = Promise.withResolvers<EditOutcome>();
  let calls = 0;
  const { box, sent, kept } = rig((edits) =>
    calls++ === 0 ? first.promise : Promise.resolve(taken(edits.at(-1)!.number))
  );
  const done = (box.add([typing("a")]), box.run());
  for (const text of ["ab", "abc", "abcd"]) box.add([typing(text)]);
  assert.deepEqual(box.pending.map(({ number, after }) => [number, after]), [[1, "a"], [
    2,
    "abcd",
  ]]);
  assert.match(kept.text!, /abcd/);
  first.resolve(taken(1));
  await done;
  while (box.pending.length > 0) await Promise.resolve();
  assert.deepEqual(sent.map((edits) => edits.map(({ after }) => after)), [["a"], ["abcd"]]);
  assert.equal(kept.text, null);
});

Deno.test("what may have arrived is sent again as it was; newer words come after it", async () => {
  let calls = 0;
  const { box, sent } = rig((edits) => {
    if (calls++ === 0) {
      box.add([typing("ab")]);
      return Promise.reject(new TypeError("connection lost"));
    }
    return Promise.resolve(taken(edits.at(-1)!.number));
  });
  box.add([typing("a")]);
  while (box.pending.length > 0) await Promise.resolve();
  assert.deepEqual(sent.map((edits) => edits.map(({ number, after }) => [number, after])), [
    [[1, "a"]],
    [[1, "a"], [2, "ab"]],
  ]);
});
