import { z } from "zod";
import { defaultTriggerWarning } from "../../captions/compose.ts";
import { targetNames, targets } from "../../export/targets.ts";
import type { Image } from "../../imaging/image.ts";
import { type Handle, jsonKind, rowKind } from "../../runtime/artifact.ts";
import {
  all,
  defineStep,
  failed,
  type Member,
  one,
  produced,
  type StepContext,
} from "../../runtime/step.ts";
import { folderOf, folderTrigger, triggerParam } from "../caption/compose.ts";
import { image } from "../kinds.ts";
import { listed, shortened } from "../listed.ts";

/** Says that a check was passed; always the same, so that nothing is done again when it passes anew. */
export const gate = jsonKind<"gate", { readonly passed: true }>("gate", "a check was passed");

const report = rowKind(
  "dataset_report",
  "what was checked of a dataset",
  z.object({
    images: z.int(),
    unreadable: z.array(z.string()).readonly(),
    /** Format of files and how many have it. */
    formats: z.record(z.string(), z.int()),
    warnings: z.array(z.string()).readonly(),
  }),
);

/**
 * Looks at a dataset as a trainer will, before anything is sent or paid for. It fails where the export
 * could not be right: no picture at all, two pictures whose captions would share one file, no trigger
 * word for a folder. What a person should know but can live with is a warning.
 */
export const check = defineStep({
  name: "dataset.check",
  version: 3,
  doc:
    "Checks a dataset before anything is sent: trigger word, names, formats, what is unreadable.",
  origin: "computed",
  isResult: true,
  usesItemName: true,
  usesAbsent: true,
  inputs: { image: all(image, "the originals") },
  params: z.object({
    trigger: triggerParam.meta({
      description: "the trigger word, or {folder} for the name of each picture's folder",
    }),
    target: z.enum(targetNames).default("replicate-flux").meta({
      description: "the trainer that the dataset is for",
    }),
  }),
  outputs: {
    report: one(report, "what was checked"),
    gate: one(gate, "that it was passed"),
  },
  run({ image }, { trigger, target }, context) {
    const names = context.members.map(({ name }) => name);
    const formats: Record<string, number> = {};
    for (const { ref } of image.values()) {
      const format = String(ref.facts?.["format"] ?? "unknown");
      formats[format] = (formats[format] ?? 0) + 1;
    }
    const unreadable = context.absent.map(({ name, reason }) => `${name}: ${reason}`);
    const problem = problemWith(names, unreadable, trigger, target);
    if (problem !== undefined) return failed(`Cannot caption the pictures: ${problem}`);
    const warnings = warningsOf(names, unreadable, formats, target);
    const unchosen = defaultTriggerWarning(trigger);
    if (unchosen !== undefined) warnings.push(unchosen);
    const repeated = repeatedFiles(image, trigger, context);
    if (repeated.length > 0) warnings.push(repetitionWords(repeated));
    for (const warning of warnings) context.warn(warning);
    summarize(context, names.length, trigger);
    return produced({
      report: { images: names.length, unreadable, formats, warnings },
      gate: { passed: true },
    });
  },
});

type Target = (typeof targetNames)[number];

function problemWith(
  names: readonly string[],
  unreadable: readonly string[],
  trigger: string,
  target: Target,
): string | undefined {
  if (names.length === 0) {
    return unreadable.length === 0
      ? "there are none in the folder"
      : `none of the ${unreadable.length} files can be read (${listed(unreadable)})`;
  }
  if (trigger === folderTrigger) {
    const lost = names.filter((name) => folderOf(name) === "");
    if (lost.length > 0) {
      return `with the trigger word "{folder}" each lies in a folder whose name has a letter; ` +
        `${listed(lost)} ${lost.length === 1 ? "does" : "do"} not`;
    }
  }
  const clash = targets[target].captions === "stem" ? stemClash(names) : undefined;
  return clash === undefined
    ? undefined
    : `${listed(clash)} would share one caption file (rename one of them)`;
}

/** Pictures whose names differ in the ending only, as the trainer compares: without regard to folders' case. */
function stemClash(names: readonly string[]): readonly string[] | undefined {
  const byStem = new Map<string, string[]>();
  for (const name of names) {
    const stem = name.replace(/\.[^./]+$/, "").toLowerCase();
    byStem.set(stem, [...byStem.get(stem) ?? [], name]);
  }
  return [...byStem.values()].find((alike) => alike.length > 1);
}

function warningsOf(
  names: readonly string[],
  unreadable: readonly string[],
  formats: Readonly<Record<string, number>>,
  target: Target,
): string[] {
  const warnings: string[] = [];
  if (names.length === 1) warnings.push("one picture teaches a trainer next to nothing");
  if (unreadable.length > 0) {
    warnings.push(`${unreadable.length} cannot be read and are left out: ${listed(unreadable)}`);
  }
  const loaded: readonly string[] = targets[target].formats;
  const other = Object.keys(formats).filter((format) => !loaded.includes(format));
  if (other.length > 0) {
    const count = other.reduce((sum, format) => sum + formats[format]!, 0);
    warnings.push(
      `${count} of format ${other.join(", ")} ${
        count === 1 ? "is" : "are"
      } not read by ${target} ` +
        "as they are: the export converts them where it is given prepared pictures, as in the recipe caption",
    );
  }
  return warnings;
}

/** Names of files with the same bytes, group by group; those of other folders' datasets do not count. */
function repeatedFiles(
  image: ReadonlyMap<Member, Handle<Image>>,
  trigger: string,
  { members }: StepContext,
): readonly (readonly string[])[] {
  const folder = (name: string) => trigger === folderTrigger ? folderOf(name) : "";
  const groups = Map.groupBy(
    members,
    ({ member, name }) => `${folder(name)} ${image.get(member)?.ref.hash ?? name}`,
  );
  return [...groups.values()].filter((group) => group.length > 1)
    .map((group) => group.map(({ name }) => name).sort());
}

function repetitionWords(groups: readonly (readonly string[])[]): string {
  const are = groups.length === 1 ? "photo is" : "photos are";
  const files = groups.map((names) => names.map((name) => `"${name}"`).join(" = "));
  return `${groups.length} ${are} there more than once, byte for byte, and would be trained on as ` +
    `often: ${shortened(files)} (take the copies out of the folder)`;
}

function summarize(context: StepContext, images: number, trigger: string) {
  const words = trigger === folderTrigger ? "of its folder" : `"${trigger}"`;
  const each = images === 1 ? "picture" : "pictures";
  context.summarize(`${images} ${each} can be captioned, with the trigger word ${words}`);
}
