import { z } from "zod";
import type { Json } from "../runtime/hash.ts";
import type { Advisor, AdvisorAnswer } from "../services/advisor.ts";
import type { Baseline, Measure, Quantiles } from "./baseline.ts";
import { predictEffect } from "./effect.ts";
import { type Advice, type Policy, policyShape, type Reason, type SettingPath } from "./policy.ts";

type Setting = string | number | boolean | null;

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

// How the answer is read.

/** Small models write numbers as texts, and names of formats in capitals. */
const looseNumber = z.preprocess(
  (value) =>
    typeof value === "string" && /^\s*-?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : value,
  z.number(),
);
const looseLimit = z.preprocess(
  (value) => value === "null" || value === "none" ? null : value,
  looseNumber.nullable(),
);

function looseChoice<Choice extends z.ZodEnum>(choice: Choice) {
  return z.preprocess((value) => {
    const name = typeof value === "string" ? value.trim().toLowerCase() : value;
    return name === "jpg" ? "jpeg" : name === "gray" ? "grey" : name;
  }, choice);
}

const readShape = z.object({
  settings: z.object({
    long_side_px: looseLimit.optional(),
    short_side_px: looseLimit.optional(),
    format: looseChoice(policyShape.shape.format.unwrap()).optional(),
    quality: looseNumber.optional(),
    colour: looseChoice(policyShape.shape.colour.unwrap()).optional(),
    alpha: looseChoice(policyShape.shape.alpha.unwrap()).optional(),
    leave_out: z.object({
      short_side_below_px: looseLimit.optional(),
      sharpness_below: looseLimit.optional(),
      clipped_above: looseLimit.optional(),
    }).optional(),
  }).refine((settings) => Object.values(settings).some((value) => value !== undefined), {
    error: "it names no setting",
  }),
  rationale: z.string().trim().min(1),
});

type Answer = z.output<typeof readShape>;

export type ParsedAnswer =
  | { readonly type: "answer"; readonly answer: Answer }
  | { readonly type: "unusable"; readonly problem: string };

/**
 * Reads a model's answer: the last JSON object in it that has the shape, whatever stands around it
 * (prose, fences, what it thought).
 */
export function parseAnswer(text: string): ParsedAnswer {
  const objects = jsonObjectsIn(text);
  let error: z.ZodError | undefined;
  for (const object of objects.toReversed()) {
    const { success, data, error: wrong } = readShape.safeParse(object);
    if (success) return { type: "answer", answer: data };
    error ??= wrong;
  }
  if (error !== undefined) return { type: "unusable", problem: `its answer has ${faults(error)}` };
  const what = text.includes("{") ? "no whole JSON object" : "no JSON object";
  return { type: "unusable", problem: `its answer holds ${what} ("${oneLine(text, 80)}")` };
}

function faults({ issues }: z.ZodError): string {
  const shown = issues.slice(0, 3).map(({ path, message }) =>
    `a wrong "${path.join(".")}" (${message.replace(/^Invalid input: /, "")})`
  );
  const more = issues.length > 3 ? ` and ${issues.length - 3} more faults` : "";
  return `${shown.join(", ")}${more}`;
}

/** More than this of an answer is not looked at: it rambles. */
const longestAnswer = 100_000;
/** So many braces are tried as the begin of an object. */
const mostStarts = 500;

/** The outermost JSON objects in a text, in their order. */
function jsonObjectsIn(text: string): readonly object[] {
  const searched = text.slice(0, longestAnswer).replace(/<think>[\s\S]*?<\/think>/gi, "");
  const found: object[] = [];
  let from = searched.indexOf("{");
  for (let tries = 0; from >= 0 && tries < mostStarts; tries++) {
    const end = endOfObject(searched, from);
    const object = end === undefined ? undefined : parsedObject(searched.slice(from, end));
    if (object !== undefined) found.push(object);
    from = searched.indexOf("{", object === undefined ? from + 1 : end);
  }
  return found;
}

/** Where the object that begins at `from` ends, by counting braces outside strings. */
function endOfObject(text: string, from: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === "\\") at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return at + 1;
  }
  return undefined;
}

function parsedObject(text: string): object | undefined {
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}

// What becomes of it.

type Range =
  | {
    readonly type: "range";
    readonly low: number;
    readonly high: number;
    readonly grain: Grain;
    readonly because: string;
  }
  /** There is nothing to choose from: the setting can only be null. */
  | { readonly type: "absent"; readonly because: string };

/** What a value is rounded to; with digits and percents a predicted effect counts exactly. */
type Grain = "whole" | "two-digits" | "percent";

const rangedSettings = [
  "long_side_px",
  "short_side_px",
  "quality",
  "leave_out.short_side_below_px",
  "leave_out.sharpness_below",
  "leave_out.clipped_above",
] as const;

type RangedSetting = (typeof rangedSettings)[number];
export type Ranges = Readonly<Record<RangedSetting, Range>>;

/**
 * What a model may choose from, so that it can neither enlarge nor throw the set away: sides from
 * the 5th percentile to the largest there is, quality up to the highest there is, and limits for
 * leaving out that no more than a quarter of the pictures are beyond.
 */
export function rangesOf(baseline: Baseline): Ranges {
  return {
    long_side_px: sideRange(baseline, "long_side"),
    short_side_px: sideRange(baseline, "short_side"),
    quality: qualityRange(baseline),
    "leave_out.short_side_below_px": belowRange(baseline, "short_side", "whole"),
    "leave_out.sharpness_below": belowRange(baseline, "sharpness", "two-digits"),
    "leave_out.clipped_above": clippedRange(baseline),
  };
}

/** The sides that a policy can have, as in `policyShape`. */
const leastSide = 16;
const largestSide = 16384;

function sideRange(baseline: Baseline, measure: Measure): Range {
  const quantiles = quantilesOf(baseline, measure);
  if (quantiles === undefined) return absent(`the baseline has no ${named(measure)}`);
  const high = Math.floor(Math.min(quantiles.max, largestSide));
  if (high < leastSide) {
    return absent(
      `no ${named(measure)} is over ${short(quantiles.max)} px, and no limit is that low`,
    );
  }
  const low = Math.min(Math.ceil(Math.max(quantiles.p05, leastSide)), high);
  const because = `the ${named(measure)} of this set goes from ${short(quantiles.p05)} (p05) to ` +
    `${short(quantiles.max)} px (max)`;
  return { type: "range", low, high, grain: "whole", because };
}

function qualityRange(baseline: Baseline): Range {
  const quantiles = quantilesOf(baseline, "jpeg_quality");
  const high = Math.max(1, Math.min(100, Math.floor(quantiles?.max ?? 100)));
  const because = quantiles === undefined
    ? "quality goes from 1 to 100"
    : `the highest quality in this set is ${short(quantiles.max)}`;
  return { type: "range", low: 1, high, grain: "whole", because };
}

function belowRange(baseline: Baseline, measure: Measure, grain: Grain): Range {
  const quantiles = quantilesOf(baseline, measure);
  if (quantiles === undefined) return absent(`the baseline has no ${named(measure)}`);
  const high = grain === "whole" ? Math.floor(quantiles.p25) : digitsDown(quantiles.p25);
  const low = grain === "whole" ? 1 : 0;
  const because = `a quarter of this set has a ${named(measure)} below ${
    short(quantiles.p25)
  } (p25)`;
  return high < low ? absent(because) : { type: "range", low, high, grain, because };
}

function clippedRange(baseline: Baseline): Range {
  const quantiles = quantilesOf(baseline, "clipped");
  if (quantiles === undefined) return absent("the baseline has no shares of clipped pixels");
  const { p75 } = quantiles;
  const low = Math.min(1, percentUp(p75));
  const because = `a quarter of this set has a share of clipped pixels over ${short(p75)} (p75)`;
  return { type: "range", low, high: 1, grain: "percent", because };
}

/** `long_side` as prose has it. */
function named(measure: Measure): string {
  return measure.replaceAll("_", " ");
}

function absent(because: string): Range {
  return { type: "absent", because };
}

function quantilesOf(baseline: Baseline, measure: Measure): Quantiles | undefined {
  const quantiles = baseline.quantiles[measure];
  return quantiles === undefined || quantiles.count === 0 ? undefined : quantiles;
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

/** A setting within its range, with the reason where it had to be changed for that. */
function fitted(
  value: Setting,
  range: Range | undefined,
): { readonly became: Setting; readonly because?: string } {
  if (typeof value !== "number" || range === undefined) return { became: value };
  if (range.type === "absent") return { became: null, because: range.because };
  const nearest = rounded(value, range.grain);
  const became = Math.min(Math.max(nearest, range.low), range.high);
  if (became === value) return { became };
  return { became, because: became === nearest ? grainWords[range.grain] : range.because };
}

const grainWords: Readonly<Record<Grain, string>> = {
  whole: "it is a whole number",
  "two-digits": "it is given with two digits",
  percent: "it is given in whole percents",
};

function rounded(value: number, grain: Grain): number {
  switch (grain) {
    case "whole":
      return Math.round(value);
    case "two-digits":
      return Number(value.toPrecision(2));
    case "percent":
      return Math.round(value * 100) / 100;
  }
}

/** The least share in whole percents that is not below it. */
function percentUp(share: number): number {
  const nearest = Math.round(share * 100);
  return (nearest / 100 < share ? nearest + 1 : nearest) / 100;
}

/** The two digits that a positive number begins with: 12.98 gives 12. */
function digitsDown(value: number): number {
  const nearest = Number(value.toPrecision(2));
  if (nearest <= value) return nearest;
  return Number((nearest - 10 ** (Math.floor(Math.log10(value)) - 1)).toPrecision(2));
}

/** The settings in which two policies differ, in the order of the policy. */
export function differencesBetween(rules: Policy, advised: Policy): Advice["differences"] {
  const others = flat(advised);
  return [...flat(rules)].flatMap(([setting, value]) => {
    const advisor = others.get(setting) ?? null;
    return advisor === value ? [] : [{ setting, rules: value, advisor }];
  });
}

function isRanged(setting: SettingPath): setting is RangedSetting {
  return (rangedSettings as readonly string[]).includes(setting);
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

/** A number with four digits that count; a model needs no more. */
function short(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(4)));
}

function oneLine(text: string, most: number): string {
  return cut(text.replace(/[\p{Cc}\s]+/gu, " ").trim(), most);
}

function manyLines(text: string, most: number): string {
  return cut(text.replace(/[^\P{Cc}\n]+/gu, " ").replace(/\n{3,}/g, "\n\n").trim(), most);
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
