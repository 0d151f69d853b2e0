import { z } from "zod";

/**
 * What a person decided, one change a line of `decisions.jsonl`: append-only, in the order that it was
 * decided in. Pictures are named by the sha256 of their bytes, so that decisions follow them through
 * renames; `name` is only for readers.
 */
export const decisionShape = z.discriminatedUnion("field", [
  z.object({ field: z.literal("caption"), ...about(), before: z.string(), after: z.string() }),
  /** `auto`: back to what the model says. */
  z.object({
    field: z.literal("state"),
    ...about(),
    before: z.string(),
    after: z.enum(["auto", "edited", "approved", "needs_review"]),
  }),
  z.object({ field: z.literal("locked"), ...about(), before: z.boolean(), after: z.boolean() }),
  /** Whether a picture is kept whatever the rules say; null gives it back to the rules. */
  z.object({
    field: z.literal("keep"),
    ...about(),
    before: z.boolean().nullable(),
    after: z.boolean().nullable(),
  }),
  /** Whether two pictures are alike; `other` is the second one's sha256. */
  z.object({
    field: z.literal("alike"),
    ...about(),
    other: z.string(),
    before: z.boolean().nullable(),
    after: z.boolean().nullable(),
  }),
]);

function about() {
  return { at: z.string(), image: z.string(), name: z.string().optional() };
}

export type Decision = z.output<typeof decisionShape>;

const wanted = "tintype describe decisions.read shows what is wanted";

/** What holds now, by the sha256 of the picture. */
export const decisionStateShape = z.object({
  captions: z.record(
    z.string(),
    z.object({
      /** Absent where only state or lock were decided. */
      text: z.string().optional(),
      state: z.enum(["auto", "edited", "approved", "needs_review"]).optional(),
      locked: z.boolean().optional(),
    }),
  ),
  keep: z.record(z.string(), z.boolean()),
  /** Pairs as `a:b`, `a` < `b`. */
  alike: z.record(z.string(), z.boolean()),
});

export type DecisionState = z.output<typeof decisionStateShape>;

/** The key of a pair in `alike`. */
export function pairKey(one: string, other: string): string {
  return one < other ? `${one}:${other}` : `${other}:${one}`;
}

export interface ReadDecisions {
  readonly decisions: readonly Decision[];
  /** Lines that say nothing, with their numbers. */
  readonly problems: readonly string[];
}

/** A line as a person may write it, for descriptions. */
export const exampleDecision: Decision = {
  field: "keep",
  at: "2026-11-21T10:00:00Z",
  image: "<sha256 of the file>",
  name: "cat.jpg",
  before: null,
  after: true,
};

/**
 * The decisions of a `decisions.jsonl`. A last line without its end is what a killed process left, and is
 * passed over; one that is whole all the same is an editor's, and counts.
 */
export function parseDecisions(text: string): ReadDecisions {
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  if (decisionOf(last) !== undefined) lines.push(last);
  const decisions: Decision[] = [];
  const problems: string[] = [];
  lines.forEach((line, index) => {
    if (line.trim() === "") return;
    const decision = decisionOf(line);
    if (decision !== undefined) decisions.push(decision);
    else problems.push(`line ${index + 1} is no decision: ${line.slice(0, 80)} (${wanted})`);
  });
  return { decisions, problems };
}

function decisionOf(line: string): Decision | undefined {
  try {
    return decisionShape.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** What holds after all of them, in order: the last one on a picture's field counts. */
export function foldDecisions(decisions: readonly Decision[]): DecisionState {
  const captions: Record<string, DecisionState["captions"][string]> = {};
  const keep: Record<string, boolean> = {};
  const alike: Record<string, boolean> = {};
  for (const decision of decisions) {
    const caption = captions[decision.image] ?? {};
    switch (decision.field) {
      case "caption":
        captions[decision.image] = { ...caption, text: decision.after };
        break;
      case "state":
        captions[decision.image] = decision.after === "auto"
          ? { locked: caption.locked }
          : { ...caption, state: decision.after };
        break;
      case "locked":
        captions[decision.image] = { ...caption, locked: decision.after };
        break;
      case "keep":
        place(keep, decision.image, decision.after);
        break;
      case "alike":
        place(alike, pairKey(decision.image, decision.other), decision.after);
        break;
    }
  }
  return { captions, keep, alike };
}

function place(into: Record<string, boolean>, key: string, value: boolean | null) {
  if (value === null) delete into[key];
  else into[key] = value;
}
