import { z } from "zod";
import type { Caption } from "../../captions/caption.ts";
import { triggerFrom, triggerProblem, withTrigger } from "../../captions/compose.ts";
import { isEmpty } from "../../captions/empty.ts";
import { textProblems } from "../../captions/validate.ts";
import type { DecisionState } from "../../decisions/decisions.ts";
import { defineStep, each, failed, one, produced } from "../../runtime/step.ts";
import { decisions } from "../decisions/read.ts";
import { image } from "../kinds.ts";
import { caption } from "./kinds.ts";

/** Stands for the name of the folder that a picture is in, made into a trigger word. */
export const folderTrigger = "{folder}";

/** A trigger word, or "{folder}". */
export const triggerParam = z.string().superRefine((text, context) => {
  if (text === folderTrigger) return;
  const problem = triggerProblem(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

/**
 * The captions as they are exported: the trigger word put in, and a person's decisions put over the
 * model's words. An edited text is taken as it is written, and never changed; one that was emptied needs
 * review. Decisions are found by the content of the original, so that they follow it through renames.
 */
export const compose = defineStep({
  name: "caption.compose",
  version: 2,
  doc: "Puts the trigger word into captions, and a person's edits over them.",
  origin: "computed",
  isResult: true,
  usesItemName: true,
  inputs: {
    image: each(image, "the originals, by which decisions are found"),
    caption: each(caption, "what the model said"),
    decisions: one(decisions, "what a person decided", { isOptional: true }),
  },
  params: z.object({
    trigger: triggerParam.meta({
      description: "the trigger word, or {folder} for the name of each picture's folder",
    }),
  }),
  outputs: { caption: each(caption, "the captions as they stand") },
  async run({ image, caption, decisions }, params, { itemName }) {
    const trigger = params.trigger === folderTrigger ? folderOf(itemName) : params.trigger;
    if (trigger === "") {
      return failed(
        `Cannot caption "${itemName}": it is in no folder whose name is a trigger word`,
      );
    }
    const said = await caption.read();
    const decided = (await decisions?.read())?.captions[image.ref.hash];
    return produced({ caption: decidedCaption(said, decided, trigger) });
  },
});

/** The trigger word of the outermost folder that a picture is in; "" where there is none. */
export function folderOf(name: string): string {
  const [first, ...rest] = name.split("/");
  return rest.length === 0 ? "" : triggerFrom(first!);
}

const nothingSaid: Caption = {
  text: "",
  slots: {},
  profile: "",
  state: "needs_review",
  locked: false,
  source: "person",
  provider: null,
  model: null,
  problems: [],
};

/** A person's words for a picture that no model could caption; undefined where there are none. */
export function writtenCaption(
  decided: DecisionState["captions"][string] | undefined,
  trigger: string,
): Caption | undefined {
  if (decided?.text === undefined) return undefined;
  return decidedCaption(nothingSaid, decided, trigger);
}

/** What a model said and a person decided, as one caption with its trigger word. */
export function decidedCaption(
  said: Caption,
  decided: DecisionState["captions"][string] | undefined,
  trigger: string,
): Caption {
  const locked = decided?.locked ?? said.locked;
  if (decided?.text === undefined) {
    const text = withTrigger(said.text, trigger);
    return { ...said, text, state: decided?.state ?? said.state, locked };
  }
  const text = withTrigger(decided.text, trigger);
  return {
    ...said,
    text,
    slots: {},
    state: isEmpty(text) ? "needs_review" : decided.state ?? "edited",
    locked,
    source: "person",
    problems: textProblems(text, trigger),
  };
}
