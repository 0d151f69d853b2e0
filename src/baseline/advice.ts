import { z } from "zod";
import type { Json } from "../runtime/hash.ts";
import type { Advisor, AdvisorAnswer } from "../services/advisor.ts";
import { type Answer, manyLines, oneLine, parseAnswer } from "./advice_answer.ts";
import { fitted, isRanged, type Ranges, rangesOf, type Setting, short } from "./advice_ranges.ts";
import type { Baseline } from "./baseline.ts";
import { predictEffect } from "./effect.ts";
import { type Advice, type Policy, policyShape, type Reason, type SettingPath } from "./policy.ts";

/** What advice is asked on. */
export interface AdviceSubject {
  readonly baseline: Baseline;
  /** The policy by rules, beside which the advice will stand. */
  readonly rules: Policy;
  readonly reasons: readonly Reason[];
}

export interface AdviseOptions {
  /** The provider, as the recipe names it. */
  readonly advisor: string;
  /** Fires when the run is being given up; the answer is not waited for then. */
  readonly signal: AbortSignal;
}

/** The advice of a recipe that asks nobody. */
export const noAdvice: Advice = {
  status: "none",
  advisor: "none",
  model: null,
  problem: null,
  rationale: null,
  policy: null,
  clamped: [],
  differences: [],
  effect: null,
};

/**
 * Asks a model for a policy, once more when its answer cannot be used, and brings what it says into
 * the measured range. Never throws: whatever goes wrong gives advice with status "failed" and the
 * reason in one sentence. It asks for nothing but what `questionOn` says, so nothing of a single
 * picture leaves the machine.
 */
export async function advise(
  connect: () => Advisor,
  subject: AdviceSubject,
  { advisor, signal }: AdviseOptions,
): Promise<Advice> {
  try {
    const { answer, model } = await askTwice(connect(), questionOn(subject), signal);
    return { ...adviceFrom(answer, subject), advisor, model };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    const model = error instanceof UnusableAnswer ? error.model : null;
    return { ...noAdvice, status: "failed", advisor, model, problem: oneLine(words, 500) };
  }
}

// What is asked.

const nullable = z.number().nullable();

/** The answer as asked for; an answer may leave out settings, which then are as the rules have them. */
const askedShape = z.strictObject({
  settings: z.strictObject({
    long_side_px: nullable.describe("pixels of the long side at most; null for no limit"),
    short_side_px: nullable.describe("pixels of the short side at most; null for no limit"),
    format: policyShape.shape.format.unwrap().describe("what pictures are converted to"),
    quality: z.number().describe("JPEG and WebP quality at most"),
    colour: policyShape.shape.colour.unwrap(),
    alpha: policyShape.shape.alpha.unwrap(),
    leave_out: z.strictObject({
      short_side_below_px: nullable.describe("leaves out smaller pictures; null for none"),
      sharpness_below: nullable.describe("leaves out blurred pictures; null for none"),
      clipped_above: nullable.describe(
        "leaves out pictures with a larger share of black and white pixels, 0 to 1; null for none",
      ),
    }),
  }),
  rationale: z.string().describe("why, in two to five plain sentences, with the numbers"),
});

/** The JSON Schema of the answer: every property required, none besides, as providers want it. */
export const answerSchema: Json = withoutDialect(z.toJSONSchema(askedShape) as Json);

function withoutDialect(schema: Json): Json {
  const { $schema: _, ...rest } = schema as Readonly<Record<string, Json>>;
  return rest;
}

export interface Question {
  readonly system: string;
  readonly user: string;
}

const systemText = [
  "You advise on how to normalize a set of images for training and evaluating vision models.",
  "You are given what was measured over the whole set, a policy that fixed rules made from it, and",
  "the range of each setting. A policy only ever reduces: no picture is enlarged, and no quality is",
  "raised. Keep what the rules say wherever you have no better reason from the numbers.",
  'Answer with one JSON object with "settings" and "rationale", and with nothing else.',
].join("\n");

/** What a model is told: sentences and distributions of the whole set, and the rules' policy. */
export function questionOn({ baseline, rules, reasons }: AdviceSubject): Question {
  const { background: _, ...asked } = rules;
  const parts = [
    ["What is in the set:", ...baseline.summary.map((sentence) => `- ${sentence}`)],
    ["Distributions, each over the pictures that have the measure:", ...quantileLines(baseline)],
    ["The policy of the rules:", JSON.stringify(asked)],
    [
      "Its reasons:",
      ...reasons.map(({ setting, value, because }) => `- ${setting} = ${value}: ${because}`),
    ],
    ["The ranges you may choose from:", ...rangeLines(rangesOf(baseline))],
    ["The JSON Schema of your answer:", JSON.stringify(answerSchema)],
  ];
  return { system: systemText, user: parts.map((lines) => lines.join("\n")).join("\n\n") };
}

const shownQuantiles = ["min", "p05", "p25", "p50", "p75", "p95", "max", "mean"] as const;

function quantileLines({ quantiles }: Baseline): string[] {
  const head = ["measure", "count", ...shownQuantiles].join(" | ");
  const rows = Object.entries(quantiles).map(([measure, each]) =>
    [measure, each.count, ...shownQuantiles.map((name) => short(each[name]))].join(" | ")
  );
  return [head, ...rows];
}

function rangeLines(ranges: Ranges): string[] {
  const free = [
    `- format: ${policyShape.shape.format.unwrap().options.join(", ")}`,
    `- colour: ${policyShape.shape.colour.unwrap().options.join(", ")}`,
    `- alpha: ${policyShape.shape.alpha.unwrap().options.join(", ")}`,
  ];
  const numbers = Object.entries(ranges).map(([setting, range]) => {
    if (range.type === "absent") return `- ${setting}: null (${range.because})`;
    const kind = range.grain === "whole" ? "a whole number" : "a number";
    const none = setting === "quality" ? "" : ", or null";
    return `- ${setting}: ${kind} from ${short(range.low)} to ${short(range.high)}${none}`;
  });
  return [...free, ...numbers];
}

// How it is asked.

/** A model answered, and what it said is of no use, also the second time. */
class UnusableAnswer extends Error {
  constructor(readonly model: string, problem: string) {
    super(`Cannot use the advice of "${model}": ${problem}, also when asked again`);
  }
}

/** So much of a bad answer is shown to the model again. */
const shownAnswer = 2000;

async function askTwice(
  advisor: Advisor,
  question: Question,
  signal: AbortSignal,
): Promise<{ readonly answer: Answer; readonly model: string }> {
  const ask = (user: string) =>
    unlessAborted(advisor.ask({ ...question, user, schema: answerSchema, signal }), signal);
  const first = await ask(question.user);
  const parsed = parseAnswer(first.text);
  if (parsed.type === "answer") return { answer: parsed.answer, model: modelOf(first) };
  const second = await ask([
    question.user,
    `You answered:\n${first.text.slice(0, shownAnswer)}`,
    `That cannot be used: ${parsed.problem}.\nAnswer again, with the JSON object alone.`,
  ].join("\n\n"));
  const again = parseAnswer(second.text);
  if (again.type === "answer") return { answer: again.answer, model: modelOf(second) };
  throw new UnusableAnswer(modelOf(second), again.problem);
}

function modelOf({ model }: AdvisorAnswer): string {
  return oneLine(model, 200);
}

async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const given = Promise.withResolvers<never>();
  const stop = () => given.reject(new Error("Cannot ask the advisor: the run was given up"));
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([promise, given.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The advice in an answer: within the ranges, beside the rules, with what it would do. */
export function adviceFrom(answer: Answer, { baseline, rules }: AdviceSubject): Advice {
  const said = flat(answer.settings);
  const ruled = flat(rules);
  const ranges = rangesOf(baseline);
  const settings = new Map(ruled);
  const clamped: Advice["clamped"] = [];
  for (const [setting, value] of said) {
    // What the rules themselves say is right, wherever it lies.
    const { became, because } = value === ruled.get(setting)
      ? { became: value }
      : fitted(value, isRanged(setting) ? ranges[setting] : undefined);
    settings.set(setting, became);
    if (because !== undefined) clamped.push({ setting, said: value, became, because });
  }
  const policy = withoutEmptying(policyShape.parse(nested(settings)), { baseline, rules }, clamped);
  return {
    ...noAdvice,
    status: "given",
    rationale: manyLines(answer.rationale, 2000),
    policy,
    clamped,
    differences: differencesBetween(rules, policy),
    effect: predictEffect(baseline, policy),
  };
}

/** Limits that each leave out a quarter can leave out most together; then the rules' limits hold. */
function withoutEmptying(
  policy: Policy,
  { baseline, rules }: Pick<AdviceSubject, "baseline" | "rules">,
  clamped: Advice["clamped"],
): Policy {
  const { left_out, images } = predictEffect(baseline, policy);
  if (left_out <= images / 2) return policy;
  const because = `the limits together leave out ${left_out} of ${images} images`;
  const kept = { ...policy, leave_out: rules.leave_out };
  for (const { setting, rules: became, advisor: said } of differencesBetween(kept, policy)) {
    clamped.push({ setting, said, became, because });
  }
  return kept;
}

/** The settings in which two policies differ, in the order of the policy. */
export function differencesBetween(rules: Policy, advised: Policy): Advice["differences"] {
  const others = flat(advised);
  return [...flat(rules)].flatMap(([setting, value]) => {
    const advisor = others.get(setting) ?? null;
    return advisor === value ? [] : [{ setting, rules: value, advisor }];
  });
}

type Tree = { readonly [name: string]: Setting | Tree | undefined };

/** Settings by path: `leave_out.sharpness_below`. Undefined ones are left out. */
function flat(tree: Tree, prefix = ""): Map<SettingPath, Setting> {
  return new Map(
    Object.entries(tree).flatMap(([name, value]): [SettingPath, Setting][] => {
      if (value === undefined) return [];
      return typeof value === "object" && value !== null
        ? [...flat(value, `${prefix}${name}.`)]
        : [[`${prefix}${name}`, value]];
    }),
  );
}

function nested(settings: ReadonlyMap<SettingPath, Setting>): Record<string, unknown> {
  const leaveOut = "leave_out.";
  const entries = [...settings];
  return {
    ...Object.fromEntries(entries.filter(([path]) => !path.startsWith(leaveOut))),
    leave_out: Object.fromEntries(
      entries.filter(([path]) => path.startsWith(leaveOut))
        .map(([path, value]) => [path.slice(leaveOut.length), value]),
    ),
  };
}
