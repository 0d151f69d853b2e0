import { z } from "zod";
import { policyShape } from "./policy.ts";

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

export type Answer = z.output<typeof readShape>;

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

export function oneLine(text: string, most: number): string {
  return cut(text.replace(/[\p{Cc}\s]+/gu, " ").trim(), most);
}

export function manyLines(text: string, most: number): string {
  return cut(text.replace(/[^\P{Cc}\n]+/gu, " ").replace(/\n{3,}/g, "\n\n").trim(), most);
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
