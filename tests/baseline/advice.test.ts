import assert from "node:assert/strict";
import fc from "fast-check";
import Ajv from "ajv/dist/2020.js";
import { advise, answerSchema, differencesBetween, questionOn } from "../../src/baseline/advice.ts";
import { parseAnswer } from "../../src/baseline/advice_answer.ts";
import { rangesOf } from "../../src/baseline/advice_ranges.ts";
import { adviceShape, policyShape } from "../../src/baseline/policy.ts";
import { policyByRules } from "../../src/baseline/rules.ts";
import type { Baseline } from "../../src/baseline/baseline.ts";
import type { AdvisorQuestion } from "../../src/services/advisor.ts";
import { answerWith, exampleBaseline, goodAnswer, goodText, losslessBaseline } from "./example.ts";

const baseline = exampleBaseline();

/** Asks an advisor that gives these answers, one after the other; an `Error` is thrown. */
async function asked(answers: readonly (string | Error)[], measured: Baseline = baseline) {
  const questions: AdvisorQuestion[] = [];
  const { policy: rules, reasons } = policyByRules(measured);
  const advice = await advise(
    () => ({
      ask(question) {
        const answer = answers[questions.length] ?? new Error("it was asked too often");
        questions.push(question);
        return answer instanceof Error
          ? Promise.reject(answer)
          : Promise.resolve({ text: answer, model: "test-1" });
      },
    }),
    { baseline: measured, rules, reasons },
    { advisor: "openai_compatible", signal: new AbortController().signal },
  );
  return { advice: adviceShape.parse(advice), questions, rules };
}

Deno.test("a good answer stands beside the rules, with differences, effect and rationale", async () => {
  const { advice, questions, rules } = await asked([goodText]);
  assert.equal(advice.status, "given");
  assert.equal(advice.model, "test-1");
  assert.equal(advice.rationale, goodAnswer.rationale);
  assert.deepEqual(advice.clamped, []);
  assert.deepEqual(advice.policy, policyShape.parse(goodAnswer.settings));
  assert.deepEqual(advice.differences, differencesBetween(rules, advice.policy!));
  assert.ok(advice.differences.some(({ setting }) => setting === "long_side_px"));
  assert.equal(advice.effect!.images, 20);
  // Widths 2,200 to 4,600 in steps of 200.
  assert.equal(advice.effect!.resized, 13);
  assert.equal(questions.length, 1);
});

Deno.test("fences, prose and thoughts around the answer do not matter", async () => {
  const texts = [
    "```json\n" + JSON.stringify(goodAnswer, null, 2) + "\n```",
    `Sure! Here is my advice:\n\n${goodText}\n\nLet me know {if} you need more.`,
    `<think>{"settings": {"quality": 10}, "rationale": "a first thought"}</think>${goodText}`,
    `First I thought of ${answerWith({ quality: 40 })}. But no: ${goodText}`,
    `The schema is {"type": "object"}, so:\n${goodText}`,
  ];
  for (const text of texts) {
    const { advice, questions } = await asked([text]);
    assert.deepEqual(advice.policy?.quality, 85, text);
    assert.equal(questions.length, 1, text);
  }
});

Deno.test("numbers as texts and formats in capitals are read", () => {
  const settings = { quality: "85", long_side_px: "null", format: "JPG", colour: "Gray" };
  const parsed = parseAnswer(JSON.stringify({ settings, rationale: "because" }));
  assert.deepEqual(parsed, {
    type: "answer",
    answer: {
      settings: { quality: 85, long_side_px: null, format: "jpeg", colour: "grey" },
      rationale: "because",
    },
  });
});

Deno.test("a setting that the answer leaves out is as the rules have it", async () => {
  const { advice, rules } = await asked([
    JSON.stringify({ settings: { quality: 72 }, rationale: "small files" }),
  ]);
  assert.deepEqual(advice.policy, { ...rules, quality: 72 });
  assert.deepEqual(advice.differences, [{ setting: "quality", rules: rules.quality, advisor: 72 }]);
});

Deno.test("a model that answers wrongly is told what was wrong, once", async () => {
  const bad = answerWith({ quality: "high" });
  const { advice, questions } = await asked([bad, goodText]);
  assert.equal(advice.status, "given");
  assert.equal(questions.length, 2);
  assert.ok(questions[1]!.user.startsWith(questions[0]!.user));
  assert.match(questions[1]!.user, /a wrong "settings\.quality" \(expected number/);
  assert.ok(questions[1]!.user.includes(bad));
});

Deno.test("after a second useless answer the rules stand, and the reason is one sentence", async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      "I am sorry, but I cannot\nhelp with that.",
      /holds no JSON object \("I am sorry, but I cannot help/,
    ],
    [goodText.slice(0, 90), /holds no whole JSON object/],
    ["{}", /a wrong "settings"/],
    ['{"settings":{},"rationale":"all is well"}', /it names no setting/],
    [JSON.stringify({ settings: goodAnswer.settings }), /a wrong "rationale"/],
    [
      answerWith({ quality: 1 }).replace('"quality":1', '"quality":1e999'),
      /a wrong "settings.quality"/,
    ],
    ["<html><body>Not found</body></html>", /holds no JSON object/],
    ["{".repeat(200_000), /holds no whole JSON object/],
    ["", /holds no JSON object/],
  ];
  for (const [text, problem] of cases) {
    const { advice, questions } = await asked([text, text]);
    assert.equal(advice.status, "failed", text);
    assert.match(advice.problem!, /^Cannot use the advice of "test-1": /);
    assert.match(advice.problem!, problem);
    assert.ok(!advice.problem!.includes("\n") && advice.problem!.length <= 500);
    assert.deepEqual([advice.policy, advice.effect, advice.differences], [null, null, []]);
    assert.equal(advice.model, "test-1");
    assert.equal(questions.length, 2);
  }
});

Deno.test("an advisor that throws, at once or in the repair round, leaves a problem", async () => {
  const first = await asked([new Error("Cannot ask the advisor: nothing\nanswers there")]);
  assert.equal(first.advice.problem, "Cannot ask the advisor: nothing answers there");
  assert.equal(first.questions.length, 1);
  const second = await asked(["no", new Error("Cannot ask the advisor: it fails with HTTP 500")]);
  assert.equal(second.advice.problem, "Cannot ask the advisor: it fails with HTTP 500");
  assert.equal(second.advice.status, "failed");
});

Deno.test("an advisor that cannot even be made leaves a problem", async () => {
  const { policy: rules, reasons } = policyByRules(baseline);
  const advice = await advise(
    () => {
      throw new TypeError("this session has no advisors");
    },
    { baseline, rules, reasons },
    { advisor: "gemini", signal: new AbortController().signal },
  );
  assert.deepEqual([advice.status, advice.problem], ["failed", "this session has no advisors"]);
});

Deno.test("a run that is given up does not wait for an advisor that never answers", async () => {
  const { policy: rules, reasons } = policyByRules(baseline);
  const controller = new AbortController();
  const advising = advise(
    () => ({ ask: () => new Promise(() => {}) }),
    { baseline, rules, reasons },
    { advisor: "gemini", signal: controller.signal },
  );
  controller.abort();
  assert.match((await advising).problem!, /the run was given up/);
});

Deno.test("numbers out of range are brought into the measured range, each with its reason", async () => {
  const { advice } = await asked([answerWith({
    long_side_px: 1e300,
    short_side_px: -5,
    quality: 900,
    leave_out: { short_side_below_px: 99_999, sharpness_below: 5000, clipped_above: -1 },
  })]);
  assert.equal(advice.status, "given");
  const { policy } = advice;
  assert.equal(policy!.long_side_px, 4600);
  assert.equal(policy!.short_side_px, 600);
  assert.equal(policy!.quality, 94);
  assert.deepEqual(policy!.leave_out, {
    short_side_below_px: 1000,
    sharpness_below: 60,
    clipped_above: 0.14,
  });
  const settings = advice.clamped.map(({ setting, because }) => `${setting}: ${because}`);
  assert.deepEqual(settings, [
    "long_side_px: the long side of this set goes from 800 (p05) to 4600 px (max)",
    "short_side_px: the short side of this set goes from 600 (p05) to 2500 px (max)",
    "quality: quality goes from 70 to 94 (max)",
    "leave_out.short_side_below_px: a quarter of this set has a short side below 1000 (p25)",
    "leave_out.sharpness_below: a quarter of this set has a sharpness below 60 (p25)",
    "leave_out.clipped_above: a quarter of this set has a share of clipped pixels over 0.14 (p75)",
  ]);
});

Deno.test("limits that leave out most of the set together give way to those of the rules", async () => {
  const images = 20;
  // Every picture is beyond one of three limits that each are within their range.
  const population = baseline.population.map((group, index) => ({
    ...group,
    height: index < 8 ? 600 : 2400,
    sharpness: index >= 8 && index < 14 ? 20 : 200,
    clipped: index >= 14 ? 0.9 : 0,
  }));
  const { advice, rules } = await asked([answerWith({
    leave_out: { short_side_below_px: 1000, sharpness_below: 60, clipped_above: 0.14 },
  })], { ...baseline, population });
  assert.deepEqual(advice.policy!.leave_out, rules.leave_out);
  assert.equal(advice.clamped.length, 3);
  assert.match(advice.clamped[0]!.because, /^the limits together leave out 20 of 20 images$/);
  assert.ok(advice.effect!.left_out <= images / 2);
});

Deno.test("without lossy files quality goes to 100, and what was not measured cannot be limited", async () => {
  const { advice } = await asked([answerWith({
    quality: 130,
    leave_out: { short_side_below_px: null, sharpness_below: 10, clipped_above: 0.5 },
  })], losslessBaseline());
  assert.equal(advice.policy!.quality, 100);
  assert.deepEqual(advice.policy!.leave_out, {
    short_side_below_px: null,
    sharpness_below: null,
    clipped_above: null,
  });
  assert.deepEqual(advice.clamped.map(({ setting, became }) => [setting, became]), [
    ["quality", 100],
    ["leave_out.sharpness_below", null],
    ["leave_out.clipped_above", null],
  ]);
});

Deno.test("tiny pictures have no limit of sides", () => {
  const tiny = { ...baseline.quantiles["long_side"]!, p05: 4, max: 12 };
  const ranges = rangesOf({ ...baseline, quantiles: { long_side: tiny, short_side: tiny } });
  assert.equal(ranges.long_side_px.type, "absent");
  assert.match(ranges.long_side_px.because, /no long side is over 12 px/);
});

const anyNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constant(null),
);

Deno.test("whatever numbers a model says, the policy is one, within the ranges, and takes no more than half", async () => {
  const ranges = rangesOf(baseline);
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        long_side_px: anyNumber,
        short_side_px: anyNumber,
        quality: fc.double({ noNaN: true, noDefaultInfinity: true }),
        leave_out: fc.record({
          short_side_below_px: anyNumber,
          sharpness_below: anyNumber,
          clipped_above: anyNumber,
        }),
      }),
      async (settings) => {
        const { advice } = await asked([answerWith(settings)]);
        assert.equal(advice.status, "given");
        const policy = policyShape.parse(advice.policy);
        const numbers = {
          long_side_px: policy.long_side_px,
          short_side_px: policy.short_side_px,
          quality: policy.quality,
          "leave_out.short_side_below_px": policy.leave_out.short_side_below_px,
          "leave_out.sharpness_below": policy.leave_out.sharpness_below,
          "leave_out.clipped_above": policy.leave_out.clipped_above,
        };
        for (const [setting, value] of Object.entries(numbers)) {
          const range = ranges[setting as keyof typeof ranges];
          if (value === null) continue;
          assert.ok(range.type === "range" && value >= range.low && value <= range.high, setting);
        }
        assert.ok(advice.effect!.left_out <= 10);
        assert.ok(Object.values(advice.effect!).every((each) => Number.isFinite(each)));
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("whatever a model writes, there is advice or one sentence, and nothing is thrown", async () => {
  const words = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom("{", "}", '"settings":', '"rationale":"x"', "```", goodText, "\\", '"'),
  );
  await fc.assert(fc.asyncProperty(fc.array(words), async (parts) => {
    const { advice } = await asked([parts.join(""), parts.join("\n")]);
    assert.ok(advice.status === "given" || /^Cannot use the advice/.test(advice.problem!));
  }));
});

Deno.test("the question tells what was measured, the rules and the ranges, and no picture", () => {
  const { policy: rules, reasons } = policyByRules(baseline);
  const { user } = questionOn({ baseline, rules, reasons });
  for (const sentence of baseline.summary) assert.ok(user.includes(sentence));
  assert.match(user, /^long_side \| 20 \| 800 \| 800 \| 1600 \|/m);
  assert.match(user, /^- long_side_px: a whole number from 800 to 4600, or null$/m);
  assert.match(user, /^- quality: a whole number from 70 to 94$/m);
  assert.ok(reasons.every(({ because }) => user.includes(because)));
  // The population has groups of one picture, with their exact bytes.
  assert.ok(!user.includes("population"));
  assert.ok(baseline.population.every(({ bytes }) => !user.includes(String(bytes))));
});

Deno.test("the schema of the answer takes the good answer and nothing besides, with all required", () => {
  const validate = new Ajv.default().compile(answerSchema as object);
  assert.ok(validate(goodAnswer), JSON.stringify(validate.errors));
  assert.ok(!validate({ ...goodAnswer, more: 1 }));
  assert.ok(!validate({ settings: { quality: 85 }, rationale: "x" }));
  assert.ok(!("$schema" in (answerSchema as object)));
});
