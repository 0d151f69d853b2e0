import { type Profile, triggerMark, triggerPattern } from "./caption.ts";

/** The whole caption of a profile's slots, with `{trigger}` still in it. */
export function composed(profile: Profile, slots: Readonly<Record<string, string>>): string {
  const phrases = profile.slots.map(({ name }) => slots[name] ?? "").filter((text) => text !== "");
  return [profile.prefix, ...phrases].join(", ");
}

/** Puts the trigger word where it goes. */
export function withTrigger(text: string, trigger: string): string {
  return text.replaceAll(triggerMark, trigger);
}

/** The nearest text that is a trigger word, or "" where nothing of it can be one. */
export function triggerFrom(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
    .replace(/[^a-z0-9]+/g, "_").replace(/^[_0-9]+|_+$/g, "");
}

/** The trigger word of the shipped recipe, until somebody chooses one. */
export const defaultTrigger = "my_subject";

/** What to say of a trigger word that nobody chose; undefined for any other. */
export function defaultTriggerWarning(trigger: string): string | undefined {
  return trigger === defaultTrigger
    ? `the trigger word is "${trigger}", which only holds the place of yours (--set trigger=WORD)`
    : undefined;
}

/** Why a text is no trigger word, with the corrected form; undefined for one that is. */
export function triggerProblem(text: string): string | undefined {
  if (triggerPattern.test(text)) return undefined;
  const corrected = triggerFrom(text);
  const way = corrected === "" ? "" : `; write "${corrected}"`;
  return `"${text}" is no trigger word (small letters, digits and underscores, a letter first${way})`;
}
