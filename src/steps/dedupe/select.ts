import { z } from "zod";
import { type Candidate, criteria, formatRanking } from "../../dedupe/criteria.ts";
import { type Choice, selectKeepers } from "../../dedupe/selecting.ts";
import { countText, numberText } from "../../report/format.ts";
import {
  all,
  type Collection,
  defineStep,
  each,
  type InputValues,
  type Member,
  type MemberOutput,
  one,
  produced,
  rejected,
  type StepContext,
} from "../../runtime/step.ts";
import { decisions } from "../decisions/read.ts";
import { fingerprint, quality } from "../inspect/kinds.ts";
import { metadata } from "../inspect/metadata.ts";
import { image } from "../kinds.ts";
import { choice, groups, verdict, verdicts } from "./kinds.ts";

const params = z.object({
  within: z.array(z.enum(verdicts)).min(1).default(["exact", "same_picture"]).meta({
    description: "the verdicts that are acted on; similar pictures only if asked for",
  }),
  order: z.array(z.enum(criteria)).min(1).default([...criteria]).meta({
    description: "what decides which picture of a group is kept, the first thing first",
  }),
  formats: z.array(z.string().min(1)).min(1).default([...formatRanking]).meta({
    description: "formats from the one that is rather kept",
  }),
});

const inputs = {
  image: all(image, "the pictures"),
  verdict: all(verdict, "which others each is like"),
  fingerprint: all(fingerprint, "what identifies each"),
  groups: one(groups, "the groups"),
  metadata: all(metadata, "what their files say", { isOptional: true }),
  quality: all(quality, "how good each is", { isOptional: true }),
  decisions: one(decisions, "what a person decided", { isOptional: true }),
};
type Inputs = InputValues<typeof inputs>;

/**
 * Chooses which picture of each group is kept, by criteria in an order:
 *
 * - `resolution`: more pixels;
 * - `quality`: a higher score, or where there is none a lower BRISQUE or NIQE;
 * - `format`: by `formats`;
 * - `metadata`: how much there is of date, GPS and camera;
 * - `bytes`: the larger file;
 * - `oldest`: taken earlier, by its metadata;
 * - `name`: without a copy's mark ("(1)", "copy", "Kopie"), then shorter, then by alphabet.
 *
 * What a person decided (`keep`, `alike`) comes before all of it, and a group loses its last picture only
 * where a person said so of each. A picture in groups of several verdicts is judged in the widest that is
 * acted on. Kept pictures pass on as they are; the others are left out with the reason.
 */
export const dedupeSelect = defineStep({
  name: "dedupe.select",
  version: 1,
  doc:
    "Chooses which picture of each group is kept, with reasons; a person's decisions come first.",
  origin: "computed",
  usesItemName: true,
  isResult: true,
  inputs,
  params,
  outputs: {
    image: each(image, "the pictures that are kept, as they are"),
    choice: each(choice, "what becomes of each, and why"),
  },
  async run(inputs, { within, order, formats }, context) {
    const candidates = await candidatesOf(inputs, context);
    const { pairs } = await inputs.groups.read();
    const decided = await inputs.decisions?.read();
    const choices = selectKeepers([...candidates.values()], {
      within,
      order,
      formats,
      pairs,
      decisions: decided,
    });
    const images = new Map<Member, MemberOutput<typeof image>>();
    const rows = new Map<Member, Choice>();
    for (const [member, { name }] of candidates) {
      const chosen = choices.get(name)!;
      rows.set(member, chosen);
      images.set(
        member,
        chosen.action === "keep" ? inputs.image.get(member)! : rejected(rejection(chosen)),
      );
    }
    context.summarize(sentence([...rows.values()]));
    return produced({ image: images, choice: rows });
  },
});

/** The pictures that everything needed is known of. */
async function candidatesOf(
  inputs: Inputs,
  { members }: StepContext,
): Promise<Map<Member, Candidate>> {
  const found = new Map<Member, Candidate>();
  for (const { member, name } of members) {
    const ref = inputs.image.get(member)?.ref;
    const [said, print, metadata, quality] = await Promise.all([
      inputs.verdict.get(member)?.read(),
      inputs.fingerprint.get(member)?.read(),
      valueOf(inputs.metadata, member),
      valueOf(inputs.quality, member),
    ]);
    if (ref === undefined || said === undefined || print === undefined) continue;
    found.set(member, {
      name,
      sha256: said.sha256,
      width: print.width,
      height: print.height,
      bytes: ref.byteLength,
      format: String(ref.facts?.["format"] ?? ""),
      groups: {
        exact: said.exact_group,
        same_picture: said.same_picture_group,
        similar: said.similar_group,
      },
      metadata,
      quality,
    });
  }
  return found;
}

async function valueOf<Value>(
  collection: Collection<Value> | undefined,
  member: Member,
): Promise<Value | undefined> {
  return await collection?.get(member)?.read();
}

function rejection({ kept_instead, reasons }: Choice): string {
  const [why] = reasons;
  if (kept_instead === null) return why ?? "it is not kept";
  return `"${kept_instead}" is kept instead${why === undefined ? "" : `: ${why}`}`;
}

/** `1,204 pictures: 1,100 kept, 104 set aside from 87 groups; 3 by a person's decision`. */
function sentence(choices: readonly Choice[]): string {
  const aside = choices.filter(({ action }) => action === "set_aside");
  const groups = new Set(aside.flatMap(({ group }) => group ?? []));
  const byPerson = choices.filter(({ decided_by }) => decided_by === "person").length;
  const of = groups.size === 0 ? "" : ` from ${countText(groups.size, "group")}`;
  const decided = byPerson === 0 ? "" : `; ${numberText(byPerson)} by a person's decision`;
  const kept = numberText(choices.length - aside.length);
  const said = `${kept} kept, ${numberText(aside.length)} set aside${of}${decided}`;
  return `${countText(choices.length, "picture")}: ${said}`;
}
