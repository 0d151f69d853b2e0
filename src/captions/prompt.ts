import type { Json } from "../runtime/hash.ts";
import type { Profile } from "./caption.ts";

/** What a model is asked about a picture. */
export interface Prompt {
  readonly system: string;
  readonly user: string;
  /** JSON Schema: an object with a text for each slot. */
  readonly schema: Json;
}

const system =
  "You describe photos for the training of an image model. You answer with one JSON object and " +
  "nothing else. Every value is a short phrase in plain English: no full sentence, no markdown, no " +
  "line break, no full stop at the end. Say only what is visible; say it plainly, never that " +
  'something "appears to be" or "seems". Do not begin a phrase with "photo of" or "image of".';

/** The prompt of a profile; the trigger word is no part of it, so that it can change for free. */
export function promptOf(profile: Profile): Prompt {
  const slots = profile.slots.map(({ name, about, examples, is_optional, max_words }) => {
    const such = examples.length === 0 ? "" : `, such as ${examples.map(quoted).join(" or ")}`;
    const may = is_optional ? ' ("" if there is nothing to say)' : "";
    return `- "${name}": ${about}${such}; at most ${max_words} words${may}`;
  });
  const examples = profile.examples.length === 0
    ? []
    : ["", "Put together, the phrases read like this:", ...profile.examples];
  const user = [profile.guidance, "", "Fill these slots:", ...slots, ...examples]
    .join("\n").trim();
  return { system, user, schema: schemaOf(profile) };
}

/** Asks again, saying what was wrong with the first answer. */
export function repairPrompt(
  profile: Profile,
  answer: string,
  problems: readonly string[],
): Prompt {
  const prompt = promptOf(profile);
  const user = [
    prompt.user,
    "",
    "Your last answer was:",
    answer.slice(0, 2000),
    "",
    "It cannot be used:",
    ...problems.map((problem) => `- ${problem}`),
    "",
    "Answer again, with these mended.",
  ].join("\n");
  return { ...prompt, user };
}

function schemaOf({ slots }: Profile): Json {
  return {
    type: "object",
    properties: Object.fromEntries(
      slots.map(({ name, about }) => [name, { type: "string", description: about }]),
    ),
    required: slots.map(({ name }) => name),
    additionalProperties: false,
  };
}

function quoted(text: string): string {
  return `"${text}"`;
}
