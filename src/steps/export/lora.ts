import { join } from "node:path";
import { z } from "zod";
import type { Caption } from "../../captions/caption.ts";
import { isEmpty } from "../../captions/empty.ts";
import type { DecisionState } from "../../decisions/decisions.ts";
import { type Dataset, endingOf, type ExportedPicture, makeDataset } from "../../export/dataset.ts";
import { type TargetName, targetNames, targets } from "../../export/targets.ts";
import { largestZipBytes } from "../../export/zip.ts";
import type { Image } from "../../imaging/image.ts";
import { type Handle, rowKind } from "../../runtime/artifact.ts";
import { sha256 } from "../../runtime/hash.ts";
import { folder } from "../../runtime/params.ts";
import {
  all,
  defineStep,
  failed,
  type Member,
  one,
  produced,
  type StepContext,
} from "../../runtime/step.ts";
import { folderOf, folderTrigger, triggerParam, writtenCaption } from "../caption/compose.ts";
import { caption } from "../caption/kinds.ts";
import { decisions } from "../decisions/read.ts";
import { image } from "../kinds.ts";
import { listed } from "../listed.ts";
import {
  isAsLeft,
  isOurs,
  type Manifest,
  type ManifestEntry,
  readManifest,
  writeManifest,
} from "../publish/manifest.ts";
import { collisionKey } from "../publish/names.ts";
import { isOneFile } from "../publish/sameness.ts";
import { pageSubject } from "../report/page_file.ts";

const zipShape = z.object({
  trigger: z.string(),
  /** Below the folder of the export. */
  file: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  images: z.int(),
  captions_used: z.int(),
  auto_captioned: z.int(),
  /** What the target's own rules found: "34 images, 34 captions used, 0 would be auto-captioned". */
  verification: z.string(),
  /** Pictures that are not the original bytes, because the trainer would misread those. */
  prepared: z.int(),
  drafts: z.int(),
  need_review: z.int(),
  /** Pictures whose captions have no words. */
  empty: z.array(z.string()).readonly(),
  notes: z.array(z.string()).readonly(),
});

const exported = rowKind(
  "lora_dataset",
  "an exported dataset, and how its trainer reads it",
  z.object({
    target: z.enum(targetNames),
    zips: z.array(zipShape).readonly(),
    left_out: z.array(z.string()).readonly(),
  }),
);

const params = z.object({
  folder: folder("where zip, metadata.txt and captions go"),
  trigger: triggerParam.meta({
    description: "the trigger word, or {folder} for one dataset a folder, named by it",
  }),
  target: z.enum(targetNames).default("replicate-flux").meta({
    description: "the trainer that the dataset is for",
  }),
  images: z.enum(["auto", "original", "prepared"]).default("auto").meta({
    description: "original bytes, prepared ones, or (auto) prepared ones only where the trainer " +
      "would not read the original or would see it sideways",
  }),
  overwrite: z.boolean().default(false).meta({
    description: "replace files that are there and differ",
  }),
});
type Params = z.output<typeof params>;

type Inputs = {
  readonly image: ReadonlyMap<Member, Handle<Image>>;
  readonly prepared?: ReadonlyMap<Member, Handle<Image>>;
  readonly caption: ReadonlyMap<Member, Handle<Caption>>;
  readonly decisions?: Handle<DecisionState>;
};

/**
 * Writes a dataset for training: `{trigger}_training.zip` with original names, `metadata.txt` with a line
 * a picture, and the caption files by themselves: text files named as the originals, to lie beside them, a
 * table as it is in the zip. Before it is written, the zip is opened again and read
 * by the target's own rules; one that would not be read as it is meant is not written. What is there and
 * differs is not overwritten unless told to. The same pictures and captions give the same bytes.
 */
export const exportLora = defineStep({
  name: "export.lora",
  version: 3,
  doc: "Writes a zip that the trainer reads as meant, checked by the trainer's own rules.",
  origin: "computed",
  world: "writes",
  usesItemName: true,
  usesAbsent: true,
  inputs: {
    image: all(image, "the originals"),
    caption: all(caption, "their captions, trigger word included"),
    prepared: all(image, "the same upright, in a format every trainer reads", { isOptional: true }),
    decisions: one(decisions, "a person's words for pictures that no model could caption", {
      isOptional: true,
    }),
  },
  params,
  outputs: { dataset: one(exported, "what was written, and how it is read") },
  unusedPorts: ({ images }) => images === "original" ? ["prepared"] : [],
  async run(inputs, params, context) {
    const groups = await groupsOf(inputs, params, context);
    if (groups.size === 0) return failed("Cannot export a dataset: there is no captioned picture");
    const made: Made[] = [];
    for (const [trigger, captioned] of groups) {
      const one = await make(inputs, captioned, { trigger, params, context });
      if (typeof one === "string") return failed(one);
      made.push(one);
    }
    const subject = subjectOf(inputs, params, context);
    const problem = await write(made, subject, { params, context }).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      return `Cannot export to "${params.folder}": ${reason}`;
    });
    if (problem !== undefined) return failed(problem);
    const left_out = leftOut(groups, inputs, context);
    for (const each of made) context.summarize(summaryOf(each, params.target));
    for (const { row } of made) {
      if (row.empty.length > 0) context.warn(emptyWords(row.empty));
    }
    if (left_out.length > 0) context.warn(`${left_out.length} without a caption are left out`);
    const zips = made.map(({ row }) => row);
    return produced({ dataset: { target: params.target, zips, left_out } });
  },
  ownFiles({ trigger }) {
    const zip = zipPath(trigger, trigger === folderTrigger);
    return [zip, metadataBeside(zip)];
  },
  async isCurrent(inputs, params, context) {
    const { folder } = params;
    const { disk, owner } = context;
    const of = subjectOf(inputs, params, context);
    const manifest = await readManifest(disk, folder);
    const ours = Object.entries(manifest).filter(([, entry]) => entry.owner === owner);
    const these = ours.filter(([, { subject }]) => subject === of);
    // A zip stays when the folder goes over to another trigger word, but what was beside it does not.
    const zips = these.filter(([path]) => isZip(path));
    const isWhole = zips.length > 0 && zips.every(([path]) => {
      const beside = manifest[metadataBeside(path)];
      return beside !== undefined && (beside.owner !== owner || beside.subject === of);
    });
    return isWhole && ours.every(([, { pending }]) => pending === undefined) &&
      these.every(([path, entry]) => isAsLeft(disk, join(folder, path), entry));
  },
});

/** Below the folder of the export. */
function zipPath(trigger: string, hasFolder: boolean): string {
  return `${hasFolder ? `${trigger}/` : ""}${trigger}_training.zip`;
}

function isZip(path: string): boolean {
  return path.endsWith(".zip");
}

function metadataBeside(zip: string): string {
  return zip.replace(/[^/]*$/, "metadata.txt");
}

interface Made {
  readonly row: z.output<typeof zipShape>;
  /** By path below the folder. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

interface Making {
  readonly trigger: string;
  readonly params: Params;
  readonly context: StepContext;
}

/** A picture with its caption, which is read when its dataset is made. */
interface Captioned {
  readonly member: Member;
  readonly name: string;
  readonly original: Handle<Image>;
  readonly caption: () => Caption | Promise<Caption>;
}

/**
 * Captioned pictures by trigger word, in alphabetical order. A picture that no model could caption counts
 * too where a person wrote words for it, unless it cannot be read.
 */
async function groupsOf(
  { image, caption, decisions }: Inputs,
  { trigger }: Params,
  { members, absent }: StepContext,
): Promise<ReadonlyMap<string, readonly Captioned[]>> {
  const decided = (await decisions?.read())?.captions ?? {};
  const unreadable = new Set(
    absent.filter(({ status }) => status === "rejected").map(({ name }) => name),
  );
  const captionOf = (member: Member, name: string, word: string) => {
    const said = caption.get(member);
    if (said !== undefined) return () => said.read();
    if (unreadable.has(name)) return undefined;
    const written = writtenCaption(decided[image.get(member)!.ref.hash], word);
    return written && (() => written);
  };
  const groups = new Map<string, Captioned[]>();
  for (const { member, name } of members) {
    const original = image.get(member);
    const word = trigger === folderTrigger ? folderOf(name) : trigger;
    if (original === undefined || word === "") continue;
    const found = captionOf(member, name, word);
    if (found === undefined) continue;
    const group = groups.get(word) ?? [];
    groups.set(word, group);
    group.push({ member, name, original, caption: found });
  }
  return new Map([...groups].sort(([a], [b]) => a < b ? -1 : 1));
}

/** Pictures that are not in the dataset, each with its reason. */
function leftOut(
  groups: ReadonlyMap<string, readonly Captioned[]>,
  { image }: Inputs,
  { members, absent }: StepContext,
): string[] {
  const exported = new Set([...groups.values()].flat().map(({ name }) => name));
  const reasons = new Map(absent.map(({ name, reason }) => [name, reason]));
  for (const { member, name } of members) {
    if (image.has(member) && !reasons.has(name)) reasons.set(name, "it has no caption");
  }
  return [...reasons].filter(([name]) => !exported.has(name)).sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, reason]) => `${name}: ${reason}`);
}

async function make(
  inputs: Inputs,
  captioned: readonly Captioned[],
  { trigger, params }: Making,
): Promise<Made | string> {
  const captions = await Promise.all(captioned.map((each) => each.caption()));
  const total = captioned.reduce((sum, { original }) => sum + original.ref.byteLength, 0);
  if (total > largestZipBytes * 0.98) {
    return `Cannot export "${trigger}": its pictures have ${(total / 1e9).toFixed(1)} GB ` +
      "(a zip that every trainer opens has less than 4.2 GB; normalize them first)";
  }
  const pictures: ExportedPicture[] = [];
  let prepared = 0;
  for (const [index, { member, name }] of captioned.entries()) {
    const chosen = await choose(inputs, member, params, name);
    if (typeof chosen === "string") return chosen;
    if (chosen.isPrepared) prepared++;
    const { bytes, ending } = chosen;
    pictures.push({ name, bytes, ending, caption: captions[index]!.text });
  }
  const dataset = await makeDataset(pictures, { target: params.target, trigger });
  const { problems } = dataset.verification;
  if (problems.length > 0) {
    return `Cannot export "${trigger}" for ${params.target}: ${problems.join("; ")}`;
  }
  return madeOf(dataset, { trigger, params, prepared, captions, pictures });
}

/** The file of a picture that goes into the zip, and what its name ends in there. */
export async function exportedFile(
  original: Handle<Image>,
  prepared: Handle<Image> | undefined,
  { images, target }: Pick<Params, "images" | "target">,
) {
  const opened = await original.read();
  const { format, orientation } = await opened.header();
  const isRead = targets[target].formats.includes(format);
  const isWanted = images === "prepared" || (images === "auto" && !(isRead && orientation === 1));
  const replacement = isWanted ? prepared : undefined;
  const usedFormat = replacement === undefined
    ? format
    : String(replacement.ref.facts?.["format"] ?? "jpeg");
  return {
    /** The original, to be released. */
    opened,
    file: replacement ?? original,
    isPrepared: replacement !== undefined,
    format: usedFormat,
    ending: endingOf(usedFormat),
  };
}

/** The bytes that go into the zip, or why there are none. */
async function choose(
  inputs: Inputs,
  member: Member,
  params: Params,
  name: string,
): Promise<
  | { readonly bytes: Uint8Array; readonly ending: string; readonly isPrepared: boolean }
  | string
> {
  const { opened, file, isPrepared, format, ending } = await exportedFile(
    inputs.image.get(member)!,
    inputs.prepared?.get(member),
    params,
  );
  const { target } = params;
  if (!targets[target].formats.includes(format)) {
    opened.release();
    return `Cannot export "${name}" for ${target}: it is ${format}, which the trainer does not ` +
      'read (wire "prepared" and use images: auto)';
  }
  const bytes = await file.bytes();
  opened.release();
  return { bytes, ending, isPrepared };
}

function madeOf(
  { zip, metadata, captionFiles, verification }: Dataset,
  { trigger, params, prepared, captions, pictures }: {
    readonly trigger: string;
    readonly params: Params;
    readonly prepared: number;
    readonly captions: readonly Caption[];
    readonly pictures: readonly ExportedPicture[];
  },
): Made {
  const encoder = new TextEncoder();
  const file = zipPath(trigger, params.trigger === folderTrigger);
  const captionsBeside = file.replace(/[^/]*$/, "captions");
  const { captions: form, captionFiles: filesOf } = targets[params.target];
  const captioned = pictures.map(({ name, caption }) => ({ path: name, caption }));
  const loose = form === "table" ? captionFiles : filesOf(captioned);
  const files = new Map([
    [file, zip],
    [metadataBeside(file), encoder.encode(metadata)],
    ...loose.map(({ path, text }) => [`${captionsBeside}/${path}`, encoder.encode(text)] as const),
  ]);
  const row = {
    trigger,
    file,
    bytes: zip.length,
    sha256: sha256(zip),
    images: verification.images,
    captions_used: verification.captions_used,
    auto_captioned: verification.auto_captioned,
    verification: verification.words,
    prepared,
    drafts: captions.filter(({ source }) => source === "draft").length,
    need_review: captions.filter(({ state }) => state === "needs_review").length,
    empty: pictures.filter(({ caption }) => isEmpty(caption)).map(({ name }) => name),
    notes: verification.notes,
  };
  return { row, files };
}

/** What the files are made of: of another dataset, though whole, they are not the ones. */
function subjectOf(inputs: Inputs, { trigger, target, images }: Params, context: StepContext) {
  return pageSubject({ ...inputs }, { trigger, target, images }, context);
}

/** Writes everything or nothing: what is there and differs is found before the first byte. */
async function write(
  made: readonly Made[],
  subject: string,
  { params: { folder, overwrite }, context }: Omit<Making, "trigger">,
): Promise<string | undefined> {
  const { disk } = context;
  const files = new Map(made.flatMap((each) => [...each.files]));
  const different: string[] = [];
  const missing = new Set<string>();
  for (const [path, bytes] of files) {
    const there = disk.stat(join(folder, path));
    if (there === undefined) missing.add(path);
    else if (!there.isFile || sha256(await disk.read(join(folder, path))) !== sha256(bytes)) {
      different.push(path);
    }
  }
  if (different.length > 0 && !overwrite) {
    const more = different.length > 3 ? ` and ${different.length - 3} more` : "";
    return `Cannot export to "${folder}": ` +
      `${different.slice(0, 3).map((path) => `"${path}"`).join(", ")}${more} ` +
      `${different.length === 1 ? "is" : "are"} there already and would change ` +
      "(--overwrite replaces them)";
  }
  const before = await readManifest(disk, folder);
  const toWrite = [...missing, ...different];
  if (toWrite.length > 0) await announce(files, toWrite, before, { folder, context });
  for (const path of toWrite) {
    disk.makeFolder(join(folder, ...path.split("/").slice(0, -1)));
    await disk.write(join(folder, path), files.get(path)!, { sync: true });
  }
  const stale = Object.entries(before).filter(([path, { owner }]) =>
    owner === context.owner && !files.has(path)
  );
  const kept = await clean(stale, [...files.keys()], { folder, context });
  const others = Object.entries(before).filter(([, { owner }]) => owner !== context.owner);
  const ours = Array.from(files, ([path, bytes]): [string, ManifestEntry] => {
    const { size, mtimeMs } = disk.stat(join(folder, path))!;
    const hash = sha256(bytes);
    const { owner } = context;
    return [path, { owner, item: "", hash, bytes: size, mtime_ms: mtimeMs, subject }];
  });
  await writeManifest(disk, folder, Object.fromEntries([...others, ...kept, ...ours]));
  return undefined;
}

interface Place {
  readonly folder: string;
  readonly context: StepContext;
}

/** Says in the manifest what is to be written, so that it is known for ours should we be killed. */
async function announce(
  files: ReadonlyMap<string, Uint8Array>,
  toWrite: readonly string[],
  before: Manifest,
  { folder, context: { disk, owner } }: Place,
): Promise<void> {
  const announced = toWrite.map((path): [string, ManifestEntry] => {
    const bytes = files.get(path)!;
    const pending = sha256(bytes);
    const fresh = { owner, item: "", hash: pending, bytes: bytes.length, mtime_ms: 0 };
    return [path, { ...before[path] ?? fresh, pending }];
  });
  disk.makeFolder(folder);
  await writeManifest(disk, folder, { ...before, ...Object.fromEntries(announced) });
}

/**
 * Removes caption files of the export before that this one has not, such as those for another trainer;
 * a zip stays, which has its subject in its name. Gives what is still ours.
 */
async function clean(
  stale: readonly (readonly [path: string, entry: ManifestEntry])[],
  written: readonly string[],
  { folder, context: { disk, isComplete, warn } }: Place,
): Promise<readonly (readonly [path: string, entry: ManifestEntry])[]> {
  const kept: (readonly [string, ManifestEntry])[] = [];
  const alike = new Map(written.map((path) => [collisionKey(path), path]));
  for (const [path, entry] of stale) {
    const there = disk.stat(join(folder, path));
    if (there === undefined || isZip(path) && entry.pending !== undefined) continue;
    const twin = alike.get(collisionKey(path));
    if (twin !== undefined && isOneFile(disk, join(folder, path), join(folder, twin))) continue;
    if (isZip(path) || !isComplete) kept.push([path, entry]);
    else if (there.isFile && await isOurs(disk, join(folder, path), entry)) {
      disk.remove(join(folder, path));
    } else warn(`"${path}" belongs to no picture any more, but was changed by hand: kept`);
  }
  return kept;
}

function summaryOf({ row }: Made, target: TargetName): string {
  const { file, verification, prepared, drafts, need_review, empty } = row;
  const extras = [
    prepared > 0 ? `${prepared} prepared (turned upright or converted)` : "",
    drafts > 0 ? `${drafts} are drafts` : "",
    need_review > 0 ? `${need_review} ${need_review === 1 ? "needs" : "need"} review` : "",
    empty.length > 0 ? `${empty.length} ${empty.length === 1 ? "is" : "are"} empty` : "",
    ...row.notes,
  ].filter((text) => text !== "");
  return [`${file} for ${target}: ${verification}`, ...extras].join("; ");
}

function emptyWords(names: readonly string[]): string {
  const are = names.length === 1 ? "caption is" : "captions are";
  return `${names.length} ${are} empty, and trained on without a description: ${listed(names)}`;
}
