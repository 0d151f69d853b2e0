import assert from "node:assert/strict";
import fc from "fast-check";
import type { Profile } from "../../src/captions/caption.ts";
import { composed, triggerFrom, triggerProblem } from "../../src/captions/compose.ts";
import { draftSlots, type Measured } from "../../src/captions/draft.ts";
import { profiles } from "../../src/captions/profiles.ts";
import { promptOf, repairPrompt } from "../../src/captions/prompt.ts";
import { checkAnswer, plain, textProblems } from "../../src/captions/validate.ts";

const { space, person } = profiles;

const good = {
  viewpoint: "wide view from the entrance",
  elements: "long oak tables under hanging lamps",
  materials: "white plaster and dark timber",
  lighting: "soft daylight from high windows",
  activity: "",
};

const answer = (changes: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({ ...good, ...changes });

Deno.test("a good answer fills the slots, and the caption is composed of them in order", () => {
  const { slots, problems } = checkAnswer(answer(), space);
  assert.deepEqual(problems, []);
  assert.equal(
    composed(space, slots),
    "photo of {trigger}, wide view from the entrance, long oak tables under hanging lamps, " +
      "white plaster and dark timber, soft daylight from high windows",
  );
});

Deno.test("JSON in fences and within other words is found", () => {
  for (
    const text of [
      "```json\n" + answer() + "\n```",
      `Sure! Here is the JSON you asked for:\n${answer()}\nLet me know { if you need more }.`,
      `{"note": broken\n${answer()}`,
    ]
  ) {
    assert.deepEqual(checkAnswer(text, space).problems, [], text);
  }
});

Deno.test("markdown, quotes, openings, line breaks and full stops are taken off", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["**Wide view** from the door.", "wide view from the door"],
    ['"A photo of a long table"', "a long table"],
    ["- first\n- second", "first second"],
    ["IKEA shelf, LED strip", "IKEA shelf, LED strip"],
    ["A wide room", "a wide room"],
    ["tables ,chairs", "tables,chairs"],
    ["N/A", ""],
    ["no people visible", ""],
    ["\u200bdaylight\u0007", "daylight"],
  ];
  for (const [given, wanted] of cases) assert.equal(plain(given), wanted, given);
});

Deno.test("each rule that an answer can break is told in words", () => {
  const problemsOf = (changes: Readonly<Record<string, unknown>>) =>
    checkAnswer(answer(changes), space).problems;
  assert.deepEqual(problemsOf({ viewpoint: "" }), ['"viewpoint" is empty']);
  assert.deepEqual(problemsOf({ viewpoint: undefined }), ['"viewpoint" is empty']);
  assert.deepEqual(problemsOf({ activity: undefined }), ['"activity" is empty']);
  assert.match(problemsOf({ elements: "what appears to be a table" })[0]!, /^"elements" hedges/);
  assert.deepEqual(problemsOf({ elements: "I'm sorry, I cannot help" }), [
    '"elements" is a refusal',
  ]);
  assert.match(
    problemsOf({ elements: Array(30).fill("word").join(" ") })[0]!,
    /^"elements" has 30 words/,
  );
  assert.match(
    problemsOf({ lighting: "light <b>here</b>" })[0]!,
    /signs that belong to no caption/,
  );
});

Deno.test("no JSON, a refusal, HTML, half a JSON: each is one problem and no slots", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /not one JSON object/],
    ["I'm sorry, but I can't help with that.", /refusal/],
    ["<html><body>502</body></html>", /not one JSON object/],
    ['{"viewpoint": "wide', /not one JSON object/],
    ["[1, 2]", /not one JSON object/],
    ["null", /not one JSON object/],
    ["{".repeat(100_000), /not one JSON object/],
  ];
  for (const [text, wanted] of cases) {
    const { slots, problems } = checkAnswer(text, space);
    assert.deepEqual([slots, problems.length], [{}, 1]);
    assert.match(problems[0]!, wanted);
  }
});

Deno.test("whatever a model says, slots are single plain lines, and composing never throws", () => {
  const anything = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.record({ viewpoint: fc.anything(), elements: fc.string({ unit: "binary" }) })
      .map((value) => JSON.stringify(value) ?? ""),
  );
  fc.assert(fc.property(anything, (text) => {
    const { slots } = checkAnswer(text, space);
    const caption = composed(space, slots);
    assert.ok(caption.startsWith("photo of {trigger}"));
    assert.doesNotMatch(caption, /[\r\n]|```|\*\*/);
  }));
});

Deno.test("the prompt asks for every slot, says the limits, and has no trigger word", () => {
  const { user, schema } = promptOf(person);
  for (const { name } of person.slots) assert.ok(user.includes(`"${name}"`));
  assert.deepEqual((schema as { required: string[] }).required, person.slots.map((s) => s.name));
  const repair = repairPrompt(person, "half", ['"pose" is empty']);
  assert.match(repair.user, /Your last answer was:\nhalf/);
  assert.match(repair.user, /- "pose" is empty/);
});

Deno.test("a text that is no trigger word is told the corrected form", () => {
  assert.equal(triggerProblem("ide_main_hall"), undefined);
  assert.match(triggerProblem("IDE Main Hall")!, /write "ide_main_hall"/);
  assert.match(triggerProblem("Café-2")!, /write "cafe_2"/);
  assert.match(triggerProblem("7up")!, /write "up"/);
  assert.doesNotMatch(triggerProblem("大厅")!, /write/);
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const corrected = triggerFrom(text);
    if (corrected !== "") assert.equal(triggerProblem(corrected), undefined);
  }));
});

const measured: Measured = {
  width: 1200,
  height: 800,
  content: {
    brightness: 0.7,
    contrast: 0.2,
    colourfulness: 40,
    dominant_colours: [{ colour: "#808080", share: 0.6 }, { colour: "#2040c0", share: 0.3 }],
  },
  objects: { person: 2, chair: 4, "dining table": 1 },
  scene: "a library",
  faces: 1,
};

Deno.test("a draft is composed of what was measured", () => {
  assert.deepEqual(draftSlots(space, measured), {
    viewpoint: "landscape view",
    elements: "a library, 4 × chair, a dining table",
    materials: "grey and blue tones",
    lighting: "bright even light",
    activity: "2 people",
  });
});

Deno.test("a draft fills every slot that has to be, for profiles of one's own too", () => {
  const own: Profile = {
    ...space,
    slots: ["what", "how", "why"].map((name) => ({
      name,
      about: "something",
      examples: [],
      is_optional: false,
      max_words: 5,
    })),
  };
  const bare = { ...measured, objects: {}, scene: null, faces: 0 };
  for (const profile of [space, person, own]) {
    const slots = draftSlots(profile, bare);
    for (const { name, is_optional } of profile.slots) {
      assert.ok(is_optional || slots[name] !== "", `${profile.name} ${name}`);
    }
  }
});

Deno.test("a person's text is told what a trainer will miss in it", () => {
  assert.deepEqual(textProblems("photo of hall, wide", "hall"), []);
  assert.match(textProblems("photo of a room", "hall")[0]!, /trigger word "hall" is not in it/);
  assert.match(textProblems("hall\nroom", "hall")[0]!, /more than one line/);
});
