import { basename, join } from "node:path";
import { z } from "zod";
import { encodeRaster } from "../../imaging/encode.ts";
import type { Image } from "../../imaging/image.ts";
import { fittedSize, type Size } from "../../imaging/proxy_size.ts";
import type { Raster } from "../../imaging/raster.ts";
import { resizeRaster } from "../../imaging/resize.ts";
import { imagingTools } from "../../imaging/tools.ts";
import { normalizeReport } from "../../report/normalize_report.ts";
import { outliersOf, worstChanges } from "../../report/pictures_section.ts";
import type {
  NormalizeReport,
  ReportPair,
  ReportPicture,
  Thumbnail,
} from "../../report/report_data.ts";
import { type Handle, rowKind } from "../../runtime/artifact.ts";
import { folder } from "../../runtime/params.ts";
import { Rejection } from "../../runtime/rejection.ts";
import {
  all,
  defineStep,
  failed,
  type InputValues,
  type Member,
  one,
  produced,
  type StepContext,
} from "../../runtime/step.ts";
import { version } from "../../runtime/version.ts";
import { baseline, policy, recommendation, standing } from "../baseline/kinds.ts";
import { change } from "../image/normalize.ts";
import { choice } from "../policy/choose.ts";
import { content } from "../inspect/content.ts";
import { metadata } from "../inspect/metadata.ts";
import { image } from "../kinds.ts";
import { publishedFile } from "../publish/files.ts";
import { isPageCurrent, pageName, pageSubject, writePage } from "./page_file.ts";

/** A report that was written: its name in its folder, and its size. */
export const reportFile = rowKind(
  "report",
  "a report that was written",
  z.object({ file: z.string(), file_bytes: z.int() }),
);

const params = z.object({
  folder: folder("where report.html goes"),
  shown_folder: z.string().default("").meta({
    description: "how the page names that folder: as the recipe was given it, such as $out; " +
      "by its own name where left out",
  }),
  title: z.string().min(1).max(200).default("Normalized pictures").meta({
    description: "what the report is headed by",
  }),
  thumbnails: z.int().min(0).max(100).default(12).meta({
    description: "outliers that are shown as pictures; half as many pairs before and after",
  }),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}).meta({
    description: "the recipe's settings by parameter, for the command that runs it again",
  }),
});
type Params = z.output<typeof params>;

const inputs = {
  originals: all(image, "the pictures before"),
  metadata: all(metadata, "what their headers say"),
  content: all(content, "how they look", { isOptional: true }),
  standing: all(standing, "where each stands in the set", { isOptional: true }),
  changes: all(change, "what became of each"),
  normalized: all(image, "the pictures after"),
  baseline: one(baseline, "what the set is like"),
  recommendation: one(recommendation, "the advised policy, with its reasons"),
  policy: one(policy, "the policy that was applied"),
  choice: one(choice, "where the applied policy comes from", { isOptional: true }),
  files: all(publishedFile, "where each went, so that one that could not be written is named", {
    isOptional: true,
  }),
};
type Inputs = InputValues<typeof inputs>;

/**
 * Writes a report of a normalized set, `report.html`: one page that needs nothing else. What is there
 * under that name and was not left so by this step is kept beside it under another name.
 */
export const reportNormalize = defineStep({
  name: "report.normalize",
  version: 5,
  doc: "Writes report.html: distributions before and after, policy, outliers, worst pairs.",
  origin: "computed",
  world: "writes",
  usesItemName: true,
  usesAbsent: true,
  isResult: true,
  inputs,
  params,
  outputs: { report: one(reportFile, "the report's file and size") },
  tools: async () => ({ ...await imagingTools(), ...await chartTools(), tintype: version }),
  async run(inputs, params, context) {
    const page = await normalizeReport(await gathered(inputs, params, context));
    const subject = subjectOf(inputs, params, context);
    const path = join(params.folder, pageName);
    try {
      const file_bytes = await writePage(params.folder, { page, subject }, context);
      context.summarize(path);
      return produced({ report: { file: pageName, file_bytes } });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return failed(`Cannot write report "${path}": ${reason}`);
    }
  },
  ownFiles: () => [pageName],
  async isCurrent(inputs, params, context) {
    return await isPageCurrent(params.folder, subjectOf(inputs, params, context), context.disk);
  },
});

async function chartTools(): Promise<Readonly<Record<string, string>>> {
  const [vega, vegaLite] = await Promise.all([import("vega"), import("vega-lite")]);
  return { vega: vega.version, "vega-lite": vegaLite.version };
}

function subjectOf(inputs: Inputs, params: Params, context: StepContext): string {
  const { title, thumbnails, settings } = params;
  const shown = { title, thumbnails, settings, shown_folder: shownFolder(params) };
  return pageSubject(inputs, shown, context);
}

/** No absolute path that nobody wrote: the page is to be the same on every machine. */
function shownFolder({ folder, shown_folder }: Params): string {
  return shown_folder === "" ? basename(folder) : shown_folder;
}

/** Reads everything that the report shows. */
async function gathered(
  inputs: Inputs,
  params: Params,
  context: StepContext,
): Promise<NormalizeReport> {
  const rows = await picturesOf(inputs, context);
  const pictures = rows.map(({ picture }) => picture);
  const byName = new Map(rows.map((row) => [row.picture.name, row]));
  return {
    title: params.title,
    pictures,
    absent: context.absent,
    baseline: await inputs.baseline.read(),
    recommendation: await inputs.recommendation.read(),
    policy: await inputs.policy.read(),
    choice: await inputs.choice?.read(),
    thumbnails: await thumbnailsOf(inputs, byName, { pictures, most: params.thumbnails }),
    pairs: await pairsOf(inputs, byName, { pictures, most: Math.ceil(params.thumbnails / 2) }),
    rerun: {
      recipe: context.owner.split("/")[0]!,
      folder: shownFolder(params),
      settings: params.settings,
    },
    versions: { tintype: version, ...await imagingTools(), ...await chartTools() },
  };
}

interface Row {
  readonly member: Member;
  readonly picture: ReportPicture;
}

type ByName = ReadonlyMap<string, Row>;

/** The pictures that anything is known of, in the order of their names. */
async function picturesOf(inputs: Inputs, { members }: StepContext): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { member, name } of members) {
    const [metadata, content, standing, change] = await Promise.all([
      inputs.metadata.get(member)?.read(),
      inputs.content?.get(member)?.read(),
      inputs.standing?.get(member)?.read(),
      inputs.changes.get(member)?.read(),
    ]);
    if (metadata === undefined && change === undefined && !inputs.originals.has(member)) continue;
    rows.push({
      member,
      picture: {
        name,
        metadata,
        standing,
        sharpness: content?.sharpness,
        // What could not be written did not come through, however it was changed.
        change: inputs.files?.has(member) === false ? undefined : change,
      },
    });
  }
  return rows;
}

interface Selection {
  readonly pictures: readonly ReportPicture[];
  readonly most: number;
}

/** Longest side of a thumbnail and of a compared picture, in pixels. */
const thumbnailSide = 160;
const pairSide = 480;

async function thumbnailsOf(
  { originals }: Inputs,
  byName: ByName,
  { pictures, most }: Selection,
): Promise<Map<string, Thumbnail>> {
  const made = new Map<string, Thumbnail>();
  for (const { name } of outliersOf(pictures)) {
    if (made.size >= most) break;
    const handle = originals.get(byName.get(name)!.member);
    const thumbnail = handle === undefined ? undefined : await unlessRejected(async () => {
      return await withRaster(handle, thumbnailSide, (raster) => thumbnailOf(raster, 75));
    });
    if (thumbnail !== undefined) made.set(name, thumbnail);
  }
  return made;
}

async function pairsOf(
  { originals, normalized }: Inputs,
  byName: ByName,
  { pictures, most }: Selection,
): Promise<ReportPair[]> {
  const pairs: ReportPair[] = [];
  for (const { name, change } of worstChanges(pictures)) {
    if (pairs.length >= most) break;
    const { member } = byName.get(name)!;
    const [before, after] = [originals.get(member), normalized.get(member)];
    if (before === undefined || after === undefined) continue;
    const shown = await unlessRejected(() => sidesOf(before, after));
    if (shown !== undefined) pairs.push({ name, change: change!, ...shown });
  }
  return pairs;
}

/** Both at the size of the picture after, or 480 px where it is larger. */
async function sidesOf(before: Handle<Image>, after: Handle<Image>) {
  const sized = (handle: Handle<Image>, size?: Size) =>
    withRaster(handle, pairSide, (raster) => {
      const shown = size ?? fittedSize(raster.width, raster.height, pairSide);
      return thumbnailOf(raster, 82, shown);
    });
  const small = await sized(after);
  return { before: await sized(before, small), after: small };
}

/** Makes something of a picture's pixels, and leaves nothing of it in memory. */
async function withRaster<Made>(
  handle: Handle<Image>,
  longSide: number,
  make: (raster: Raster) => Promise<Made>,
): Promise<Made> {
  const opened = await handle.read();
  try {
    return await make(await opened.raster({ max_side_px: longSide }));
  } finally {
    opened.release();
  }
}

async function thumbnailOf(raster: Raster, quality: number, size?: Size): Promise<Thumbnail> {
  const shown = size === undefined ? raster : await resizeRaster(raster, size);
  const bytes = await encodeRaster(shown, { format: "webp", quality });
  const { width, height } = shown;
  return { source: `data:image/webp;base64,${bytes.toBase64()}`, width, height };
}

/** A picture that cannot be shown is left out of the gallery; the report does without. */
async function unlessRejected<Shown>(show: () => Promise<Shown>): Promise<Shown | undefined> {
  try {
    return await show();
  } catch (error) {
    if (error instanceof Rejection) return undefined;
    throw error;
  }
}
