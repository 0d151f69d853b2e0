import { z } from "zod";

/** Where the trigger word goes in a caption's text until `caption.compose` fills it in. */
export const triggerMark = "{trigger}";

/** What stands of a caption, from most to least in need of a person. */
export const captionStates = ["needs_review", "auto", "edited", "approved"] as const;

export type CaptionState = (typeof captionStates)[number];

/** A picture's caption, and how it came to be. */
export const captionShape = z.object({
  /** One line, `photo of {trigger} <slot>, <slot>, …`; no line breaks, no markdown. */
  text: z.string(),
  /** What fills the profile's slots, in the profile's order; empty where a person wrote the text. */
  slots: z.record(z.string(), z.string()),
  profile: z.string(),
  state: z.enum(captionStates),
  /** Held fast by a person: asking anew does not change it. */
  locked: z.boolean(),
  /** Whose words these are. A `draft` is composed of measurements. */
  source: z.enum(["model", "draft", "person"]),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  /** What the validator still finds wrong, as sentences. */
  problems: z.array(z.string()).readonly(),
});

export type Caption = z.output<typeof captionShape>;

const nameRule = "it is no name (small letters, digits and underscores, a letter first)";

/** One part of a structured caption. */
export const slotShape = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/, nameRule),
  /** What belongs here, said to the model. */
  about: z.string().min(1),
  examples: z.array(z.string()).readonly().default([]),
  /** Left out of the caption when the model has nothing to say. */
  is_optional: z.boolean().default(false),
  max_words: z.int().min(1).max(60).default(12),
});

/** How captions of one kind of dataset are structured. */
export const profileShape = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/, nameRule),
  /** What comes before the slots; it has `{trigger}` once. */
  prefix: z.string().default("photo of {trigger}"),
  slots: z.array(slotShape).min(1).readonly(),
  /** What the model is told besides the slots. */
  guidance: z.string().default(""),
  /** Whole captions as they should be. */
  examples: z.array(z.string()).readonly().default([]),
  /** Characters of the whole caption. */
  min_characters: z.int().min(1).default(20),
  max_characters: z.int().min(20).default(600),
});

export type Profile = z.output<typeof profileShape>;

/** A trigger word: small letters, digits, underscores, a letter first. */
export const triggerPattern = /^[a-z][a-z0-9_]*$/;
