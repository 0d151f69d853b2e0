import type { Profile } from "./caption.ts";
import { composed } from "./compose.ts";
import { isEmpty } from "./empty.ts";

/** What a model's answer says for each slot, made plain, and what is wrong with it. */
export interface CheckedAnswer {
  readonly slots: Readonly<Record<string, string>>;
  /** Sentences that the model is told, and a person. */
  readonly problems: readonly string[];
}

const refusal =
  /\b(i(?:'|’| a)?m sorry|i (?:cannot|can't|can’t|am unable|won't|will not)|as an ai\b|cannot (?:assist|help|identify|describe)|unable to (?:assist|help|describe|process))/i;
const hedges =
  /\b(appears? to be|seems? to be|seemingly|possibly|perhaps|might be|may be|could be|looks like (?:it|a|an)|what looks like|probably)\b/i;
const opening =
  /^(?:an? |the )?(?:photo(?:graph)?|image|picture|shot) (?:of|shows|showing|depicting)\b/i;
const nothing =
  /^(?:n\/?a|none|null|unknown|nothing|not (?:visible|applicable|available|clear)|no people(?: visible)?|-+|\.+|empty)$/i;

/**
 * Reads a model's answer as slots. It takes what can be taken: JSON within other words or fences, texts
 * with markdown, quotes or line breaks in them. What it had to leave is a problem.
 */
export function checkAnswer(text: string, profile: Profile): CheckedAnswer {
  const object = objectIn(text);
  if (object === undefined) {
    const problem = refusal.test(text)
      ? "it is a refusal, not a description"
      : "it is not one JSON object with the slots";
    return { slots: {}, problems: [problem] };
  }
  const problems: string[] = [];
  const slots: Record<string, string> = {};
  for (const slot of profile.slots) {
    const given = object[slot.name];
    const phrase = plain(textOf(given));
    const problem = problemWith(phrase, given, slot);
    if (problem !== undefined) problems.push(`"${slot.name}" ${problem}`);
    slots[slot.name] = refusal.test(phrase) ? "" : phrase;
  }
  return { slots, problems: [...problems, ...wholeProblems(profile, slots, problems)] };
}

function problemWith(
  phrase: string,
  given: unknown,
  { is_optional, max_words }: Profile["slots"][number],
): string | undefined {
  if (phrase === "") return is_optional && typeof given === "string" ? undefined : "is empty";
  if (refusal.test(phrase)) return "is a refusal";
  if (hedges.test(phrase)) return `hedges ("${hedges.exec(phrase)![0]}"): say what is there`;
  if (/[{}<>]/.test(phrase)) return "has signs that belong to no caption";
  const words = phrase.split(/\s+/).length;
  if (words > max_words * 1.5) return `has ${words} words (at most ${max_words})`;
  return undefined;
}

function wholeProblems(
  profile: Profile,
  slots: Readonly<Record<string, string>>,
  before: readonly string[],
): string[] {
  const { length } = composed(profile, slots);
  if (length > profile.max_characters) {
    return [`the caption has ${length} characters (at most ${profile.max_characters})`];
  }
  if (before.length === 0 && length < profile.min_characters) {
    return [`the caption has ${length} characters (at least ${profile.min_characters})`];
  }
  return [];
}

/** What is wrong with a whole caption that a person may have written. */
export function textProblems(text: string, trigger: string): string[] {
  if (isEmpty(text)) return ["the caption is empty"];
  const problems: string[] = [];
  if (/[\r\n]/.test(text)) problems.push("the caption has more than one line");
  if (!text.includes(trigger)) problems.push(`the trigger word "${trigger}" is not in it`);
  if (refusal.test(text)) problems.push("it reads like a model's refusal");
  return problems;
}

/** One line without markdown, quotes around it, an opening like "photo of", or an end mark. */
export function plain(text: string): string {
  const line = text.normalize("NFC")
    .replace(/```[a-z]*|\*\*|__|`/gi, "")
    .replace(/^[\s>*#•-]+/gm, "")
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .replace(/^["'“”‘]+|["'“”’]+$/g, "")
    .replace(opening, "")
    .replace(/\s+([,.;:])/g, "$1")
    .replace(/^[\s,;:.]+|[\s,;:.]+$/g, "");
  if (nothing.test(line)) return "";
  // "Wide view" as a phrase begins small; "IKEA shelf" and "LED strip" stay.
  return line.replace(/^\p{Lu}(?=\p{Ll}|\s)/u, (first) => first.toLowerCase());
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return value.map(textOf).filter((text) => text !== "").join(", ");
  return "";
}

/** So many pairs of braces are tried: who rambles in braces has no object in them. */
const mostTries = 60;

/** The first JSON object in a text; models put fences and words around it. */
function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  const last = text.lastIndexOf("}");
  let tries = 0;
  for (let from = text.indexOf("{"); from >= 0 && from < last; from = text.indexOf("{", from + 1)) {
    for (let to = last; to > from; to = text.lastIndexOf("}", to - 1)) {
      if (++tries > mostTries) return undefined;
      const value = parsed(text.slice(from, to + 1));
      if (value !== undefined) return value;
    }
  }
  return undefined;
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
}
