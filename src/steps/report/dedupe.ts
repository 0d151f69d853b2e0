import { basename, join } from "node:path";
import { z } from "zod";
import { imagingTools } from "../../imaging/tools.ts";
import type { DedupePicture, DedupeReport } from "../../report/dedupe_data.ts";
import { dedupeReport } from "../../report/dedupe_report.ts";
import type { Collection } from "../../runtime/step.ts";
import { folder } from "../../runtime/params.ts";
import {
  all,
  defineStep,
  failed,
  type InputValues,
  one,
  produced,
  type StepContext,
} from "../../runtime/step.ts";
import { version } from "../../runtime/version.ts";
import { deed, deeds } from "../dedupe/act.ts";
import { choice, groups } from "../dedupe/kinds.ts";
import { previews } from "../dedupe/previews.ts";
import { fingerprint, quality } from "../inspect/kinds.ts";
import { image } from "../kinds.ts";
import { reportFile } from "./normalize.ts";
import { isPageCurrent, pageName, pageSubject, writePage } from "./page_file.ts";

const params = z.object({
  folder: folder("where report.html goes"),
  acted: folder("where dedupe.act copied or moved to"),
  shown_folder: z.string().default("").meta({
    description: "how the page names that folder: as the recipe was given it, such as $out; " +
      "by its own name where left out",
  }),
  title: z.string().min(1).max(200).default("Pictures that are alike").meta({
    description: "what the report is headed by",
  }),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}).meta({
    description: "the recipe's settings by parameter, for the command that runs it again",
  }),
});
type Params = z.output<typeof params>;

const inputs = {
  image: all(image, "the originals; only what is known of them, never their bytes"),
  fingerprint: all(fingerprint, "what identifies each"),
  choice: all(choice, "what becomes of each, and why"),
  groups: one(groups, "the groups, and how they were found"),
  quality: all(quality, "how good each is", { isOptional: true }),
  previews: one(previews, "small pictures of the groups", { isOptional: true }),
  deed: all(deed, "what was done with each", { isOptional: true }),
  deeds: one(deeds, "what was done in all", { isOptional: true }),
};
type Inputs = InputValues<typeof inputs>;

/**
 * Writes a report of what is alike, `report.html`: one page that needs nothing else. Groups are shown as
 * contact sheets, each with its keeper, the distances and the reasons; then what was done, and how to
 * undo it. What is there under that name and was not left so by this step is kept beside it.
 */
export const reportDedupe = defineStep({
  name: "report.dedupe",
  version: 6,
  doc: "Writes report.html: groups of alike pictures with keepers, distances and reasons.",
  origin: "computed",
  world: "writes",
  usesItemName: true,
  usesAbsent: true,
  isResult: true,
  inputs,
  params,
  outputs: { report: one(reportFile, "the report's file and size") },
  tools: async () => ({ ...await imagingTools(), tintype: version }),
  async run(inputs, params, context) {
    const page = dedupeReport(await gathered(inputs, params, context));
    try {
      const subject = subjectOf(inputs, params, context);
      const file_bytes = await writePage(params.folder, { page, subject }, context);
      context.summarize(join(params.folder, pageName));
      return produced({ report: { file: pageName, file_bytes } });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return failed(`Cannot write report "${join(params.folder, pageName)}": ${reason}`);
    }
  },
  ownFiles: () => [pageName],
  isCurrent: async (inputs, params, context) =>
    await isPageCurrent(params.folder, subjectOf(inputs, params, context), context.disk),
});

function subjectOf(inputs: Inputs, params: Params, context: StepContext): string {
  const { title, settings } = params;
  return pageSubject(inputs, [title, settings, shownFolder(params)], context);
}

/** No absolute path that nobody wrote: the page is to be the same on every machine. */
function shownFolder({ acted, shown_folder }: Params): string {
  return shown_folder === "" ? basename(acted) : shown_folder;
}

async function gathered(
  inputs: Inputs,
  params: Params,
  context: StepContext,
): Promise<DedupeReport> {
  const { groups, pairs, ...found } = await inputs.groups.read();
  return {
    title: params.title,
    pictures: await picturesOf(inputs, context),
    absent: context.absent,
    groups,
    pairs,
    found,
    previews: new Map(Object.entries(await inputs.previews?.read() ?? {})),
    deeds: await inputs.deeds?.read(),
    rerun: {
      recipe: context.owner.split("/")[0]!,
      folder: shownFolder(params),
      settings: params.settings,
    },
    versions: { tintype: version, ...await imagingTools() },
  };
}

/** The pictures that were chosen among, in the order of their names. */
async function picturesOf(inputs: Inputs, { members }: StepContext): Promise<DedupePicture[]> {
  const pictures: DedupePicture[] = [];
  for (const { member, name } of members) {
    const ref = inputs.image.get(member)?.ref;
    const [print, choice, quality, deed] = await Promise.all([
      inputs.fingerprint.get(member)?.read(),
      inputs.choice.get(member)?.read(),
      read(inputs.quality, member),
      read(inputs.deed, member),
    ]);
    if (ref === undefined || print === undefined || choice === undefined) continue;
    pictures.push({
      name,
      sha256: print.sha256,
      width: print.width,
      height: print.height,
      bytes: ref.byteLength,
      format: String(ref.facts?.["format"] ?? ""),
      score: quality?.score,
      choice,
      deed,
    });
  }
  return pictures;
}

async function read<Value>(
  collection: Collection<Value> | undefined,
  member: number,
): Promise<Value | undefined> {
  return await collection?.get(member)?.read();
}
