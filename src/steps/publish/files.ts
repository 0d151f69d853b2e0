import { dirname, join } from "node:path";
import { z } from "zod";
import { bytesText, listText } from "../../report/format.ts";
import { type Handle, rowKind } from "../../runtime/artifact.ts";
import { type Disk, sweepTemporaries } from "../../runtime/disk.ts";
import { sha256 } from "../../runtime/hash.ts";
import { folder } from "../../runtime/params.ts";
import {
  all,
  type Collection,
  defineStep,
  each,
  type Failed,
  failed,
  type Member,
  produced,
  type StepContext,
} from "../../runtime/step.ts";
import { image } from "../kinds.ts";
import {
  isAsLeft,
  isOurs,
  type Manifest,
  type ManifestEntry,
  readManifest,
  writeEntries,
  writeManifest,
} from "./manifest.ts";
import {
  collisionKey,
  fileNamer,
  isSecret,
  nameProblem,
  patternProblem,
  secretUuid,
  unknownPlaceholders,
  usesUuid,
} from "./names.ts";
import { fileKey, isOneFile, samenessIn, twinsAmong } from "./sameness.ts";

const publishedFileShape = z.object({
  file: z.string(),
  file_bytes: z.int(),
  is_edited: z.boolean(),
});
type PublishedFile = z.output<typeof publishedFileShape>;

/** A published file: its path in the folder, its size, and whether a person's version was kept. */
export const publishedFile = rowKind(
  "published_file",
  "a file in a published folder",
  publishedFileShape,
);

const params = z.object({
  folder: folder("where the files go"),
  name: z.string().default("{stem}_{id}.{ext}").superRefine((pattern, context) => {
    const problem = patternProblem(pattern);
    if (problem === undefined) return;
    const unknown = unknownPlaceholders(pattern);
    for (const { message, ...params } of unknown) {
      context.addIssue({ code: "custom", message, params });
    }
    if (unknown.length === 0) context.addIssue({ code: "custom", message: problem });
  }).meta({
    description: "the files' names. Of the original: {name} with folders and ending, {dir} its " +
      "folders, {stem} without both, {id} digits for its path; of the published: {ext}, {hash}, " +
      '{index} its number, {uuid} telling nothing. "{dir}/{stem}.{ext}" keeps the folders',
  }),
  overwrite: z.boolean().default(false).meta({
    description: "also replace files that a person changed or that are not ours",
  }),
});
type FilesParams = z.output<typeof params>;

/** Left free on the disk, whatever is published. */
const marginBytes = 16 * 1024 * 1024;

/** Files written at the same time: enough to hide a disk's latency. */
const writesAtOnce = 4;

/** Pairs of names that a warning shows. */
const shownTwins = 3;

/**
 * Writes pictures into a folder, named by a pattern, each under a temporary name first. Collisions
 * and free space are checked before anything is written: one name for two pictures stops everything; two
 * names that the folder's file system takes for one (case, Unicode form) fail, and the others are written. A manifest in the folder says what is ours:
 * a file that a person changed since is kept and reported, and files of items that are gone are
 * removed only where the manifest has them.
 */
export const files = defineStep({
  name: "publish.files",
  version: 2,
  doc: "Writes pictures into a folder, named by a pattern; never over a person's changes.",
  origin: "computed",
  world: "writes",
  usesItemName: true,
  inputs: {
    image: all(image, "what to publish"),
    originals: all(image, "what {uuid} is made from, so that it outlives other settings", {
      isOptional: true,
    }),
  },
  params,
  outputs: { file: each(publishedFile, "where each picture went") },
  async run(inputs, params, context) {
    const salt = usesUuid(params.name) ? await saltOf(params.folder, context) : undefined;
    const targets = targetsOf(inputs, params, context, salt);
    const problem = nameProblems(targets);
    if (problem !== undefined) return failed(problem);
    return await new Publication(params, context, targets).publish();
  },
  ownFiles: ({ name }, wired) => isOfContent(name, wired) ? [] : [name],
  async isCurrent(inputs, params, context) {
    const manifest = await readManifest(context.disk, params.folder);
    const salt = usesUuid(params.name) ? await readSalt(params.folder, context.disk) : undefined;
    if (usesUuid(params.name) && salt === undefined) return false;
    const targets = targetsOf(inputs, params, context, salt);
    const names = new Set(targets.map((target) => target.file));
    const ours = Object.entries(manifest).filter(([, entry]) => entry.owner === context.owner);
    const isStale = context.isComplete && targets.length > 0 &&
      ours.some(([file]) => !names.has(file));
    return !isStale && targets.every(({ file, handle }) => {
      const entry = manifest[file];
      if (entry?.hash !== handle.ref.hash || entry.pending !== undefined) return false;
      if (entry.is_edited && params.overwrite) return false;
      return isAsLeft(context.disk, join(params.folder, file), entry);
    });
  },
});

/** What is named by its own content is the same file under the same name, whoever writes it. */
function isOfContent(pattern: string, wired: ReadonlySet<string>): boolean {
  return pattern.includes("{hash}") || (usesUuid(pattern) && !wired.has("originals"));
}

const saltName = ".tintype-salt";
const saltBytes = 32;

/** The secret behind a folder's `{uuid}` names, made when the folder first needs it. */
async function saltOf(folder: string, { disk, randomBytes }: StepContext): Promise<Uint8Array> {
  const known = await readSalt(folder, disk);
  if (known !== undefined) return known;
  const salt = randomBytes(saltBytes);
  disk.makeFolder(folder);
  await disk.write(join(folder, saltName), new TextEncoder().encode(`${salt.toHex()}\n`), {
    sync: true,
  });
  return salt;
}

async function readSalt(folder: string, disk: Disk): Promise<Uint8Array | undefined> {
  const path = join(folder, saltName);
  if (disk.stat(path) === undefined) return undefined;
  const text = new TextDecoder().decode(await disk.read(path)).trim();
  if (/^[0-9a-f]{64}$/.test(text)) return Uint8Array.fromHex(text);
  throw new Error(
    `Cannot read "${path}": it is no salt (64 hexadecimal digits are wanted); restore it, or remove ` +
      "it to give all files new names",
  );
}

/** A picture and the file that it is to become. */
interface Target {
  readonly member: Member;
  readonly item: string;
  readonly file: string;
  readonly handle: Handle;
}

function targetsOf(
  { image, originals }: { readonly image: Collection; readonly originals?: Collection },
  { name }: FilesParams,
  context: StepContext,
  salt: Uint8Array | undefined,
): readonly Target[] {
  const { members } = context;
  const nameOf = fileNamer(name);
  const copies = new Map<string, number>();
  const targets: Target[] = [];
  members.forEach(({ member, name: item }, index) => {
    const handle = image.get(member);
    if (handle === undefined) return;
    const { hash, facts } = handle.ref;
    const format = String(facts?.["format"] ?? "bin");
    const source = originals?.get(member)?.ref.hash ?? hash;
    const copy = copies.get(source) ?? 0;
    copies.set(source, copy + 1);
    const uuid = salt && secretUuid(salt, source, copy);
    const named = { item, hash, format, index: index + 1, count: members.length, uuid };
    targets.push({ member, item: isSecret(name) ? "" : item, handle, file: nameOf(named) });
  });
  // Times of writing would give the order of the sources away.
  return !isSecret(name) ? targets : targets.toSorted((a, b) => a.file < b.file ? -1 : 1);
}

/** A name that two pictures would have is the pattern's fault, and nothing is written. */
function nameProblems(targets: readonly Target[]): string | undefined {
  const taken = new Map<string, Target>();
  const collisions: string[] = [];
  for (const target of targets) {
    const first = taken.get(target.file);
    if (first === undefined) taken.set(target.file, target);
    else collisions.push(`"${first.item}" and "${target.item}" would both be "${target.file}"`);
  }
  if (collisions.length === 0) return undefined;
  const shown = collisions.slice(0, 3).join("; ");
  const more = collisions.length > 3 ? `; and ${collisions.length - 3} more` : "";
  return `Cannot publish: ${shown}${more} (add {id} or {dir} to the name)`;
}

type Verdict = "write" | "adopt" | "current" | "edited" | "foreign" | "unnameable" | "twin";

class Publication {
  readonly #folder: string;
  readonly #disk: Disk;
  /** The manifest as it was, and as it is to be. */
  #before: Manifest = {};
  readonly #files: Record<string, ManifestEntry> = {};
  readonly #results = new Map<Member, PublishedFile | Failed>();
  /** Those that were made, or are there. */
  readonly #folders = new Set<string>();

  constructor(
    readonly params: FilesParams,
    readonly context: StepContext,
    readonly targets: readonly Target[],
  ) {
    this.#folder = params.folder;
    this.#disk = context.disk;
  }

  async publish() {
    this.#before = await readManifest(this.#disk, this.#folder);
    Object.assign(this.#files, this.#before);
    const twins = await this.#twins();
    const verdicts: { readonly target: Target; readonly verdict: Verdict }[] = [];
    for (const target of this.targets) {
      const isTwin = twins.has(target.file);
      const verdict = isTwin ? "twin" : await this.#judge(target);
      verdicts.push({ target, verdict });
    }
    const toWrite = verdicts.filter(({ verdict }) => verdict === "write").map((each) =>
      each.target
    );
    const shortage = this.#shortage(toWrite);
    if (shortage !== undefined) return failed(shortage);
    this.#disk.makeFolder(this.#folder);
    this.#sweep();
    if (toWrite.length > 0) await this.#announce(toWrite);
    await this.#writeAll(toWrite);
    for (const { target, verdict } of verdicts) this.#keep(target, verdict);
    await writeManifest(this.#disk, this.#folder, this.#files);
    if (await this.#clean()) await writeManifest(this.#disk, this.#folder, this.#files);
    return produced({ file: this.#results });
  }

  /**
   * Names that are one file where they are to go, such as "a.jpg" and "A.jpg" on some disks: none of them
   * is written, since which one stays would be chance. Where they are different files, a warning says
   * that they are not so everywhere.
   */
  async #twins(): Promise<ReadonlySet<string>> {
    const groups = twinsAmong(this.targets.map(({ file }) => file));
    if (groups.length === 0) return new Set();
    this.#disk.makeFolder(this.#folder);
    const random = this.context.randomBytes(8);
    const sameness = await samenessIn(this.#disk, this.#folder, random);
    const names = groups.flatMap((group) => {
      const keys = Map.groupBy(group, (name) => fileKey(name, sameness));
      return [...keys.values()].filter(({ length }) => length > 1).flat();
    });
    const apart = groups.filter((group) => !group.some((name) => names.includes(name)));
    for (const group of apart.slice(0, shownTwins)) {
      this.context.warn(`${quoted(group)} are different files here, and one file on other systems`);
    }
    const more = apart.length - shownTwins;
    if (more > 0) this.context.warn(`${more} more names are one file on other systems`);
    return new Set(names);
  }

  /** What is to be done with a target, by what is there and what the manifest says of it. */
  async #judge(target: Target): Promise<Verdict> {
    const entry = this.#files[target.file];
    if (nameProblem(target.file) !== undefined) return "unnameable";
    const path = join(this.#folder, target.file);
    const stat = this.#disk.stat(path);
    if (stat === undefined) return "write";
    if (!stat.isFile) return "foreign";
    const { hash } = target.handle.ref;
    if (entry !== undefined && isAsLeft(this.#disk, path, entry)) {
      if (entry.is_edited) return this.params.overwrite ? "write" : "edited";
      return entry.hash === hash ? "current" : "write";
    }
    const found = sha256(await this.#disk.read(path));
    if (found === hash) return "adopt";
    if (entry !== undefined && found === entry.pending) {
      const { size, mtimeMs } = stat;
      const { owner, item } = entry;
      this.#files[target.file] = { owner, item, hash: found, bytes: size, mtime_ms: mtimeMs };
      return "write";
    }
    if (this.params.overwrite || found === entry?.hash) return "write";
    return entry === undefined ? "foreign" : "edited";
  }

  /** Removes what a killed run left half-written. */
  #sweep() {
    const named = this.targets.filter(({ file }) => nameProblem(file) === undefined);
    const folders = new Set(named.map(({ file }) => dirname(join(this.#folder, file))));
    for (const folder of folders) sweepTemporaries(this.#disk, folder);
  }

  #shortage(targets: readonly Target[]): string | undefined {
    const needed = targets.reduce((sum, { handle }) => sum + handle.ref.byteLength, 0);
    if (needed === 0) return undefined;
    const free = this.#disk.freeBytes(this.#folder);
    if (free >= needed + marginBytes) return undefined;
    return `Cannot publish to "${this.#folder}": ${bytesText(needed)} are needed, with ${
      bytesText(marginBytes)
    } to spare; ${bytesText(free)} are free`;
  }

  /** Says in the manifest what is to be written, so that it is known for ours should we be killed. */
  async #announce(targets: readonly Target[]) {
    const { owner } = this.context;
    const byFile = new Map(targets.map((target) => [target.file, target]));
    const others = Object.keys(this.#files).filter((file) => !byFile.has(file));
    await writeEntries(this.#disk, this.#folder, [...others, ...byFile.keys()], (file) => {
      const target = byFile.get(file);
      if (target === undefined) return this.#files[file]!;
      const { item, handle: { ref: { hash, byteLength } } } = target;
      const before = this.#files[file] ?? { owner, item, hash, bytes: byteLength, mtime_ms: 0 };
      return { ...before, pending: hash };
    });
  }

  /** Some at a time, each taking the next from one list: 100,000 promises would take 100 MB. */
  async #writeAll(targets: readonly Target[]) {
    const left = targets.values();
    const writeOn = async () => {
      for (const target of left) await this.#write(target);
    };
    await Promise.all(Array.from({ length: writesAtOnce }, writeOn));
  }

  async #write(target: Target) {
    const path = join(this.#folder, target.file);
    try {
      this.#makeFolder(dirname(path));
      if (!await this.#isCopied(target, path)) {
        await this.#disk.write(path, await target.handle.bytes());
      }
      this.#note(target, false);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#results.set(target.member, failed(`Cannot write "${target.file}": ${reason}`));
    }
  }

  /** Copies what this run has made, without reading it; false where it has to be read. */
  async #isCopied({ handle }: Target, path: string): Promise<boolean> {
    const made = handle.writtenFile?.();
    if (made === undefined) return false;
    try {
      await this.#disk.copy(made, path);
      return this.#disk.stat(path)?.size === handle.ref.byteLength;
    } catch {
      return false; // reading it says why, and may make it again
    }
  }

  #makeFolder(folder: string) {
    if (this.#folders.has(folder)) return;
    this.#disk.makeFolder(folder);
    this.#folders.add(folder);
  }

  #keep(target: Target, verdict: Verdict) {
    if (verdict === "current" || verdict === "adopt") this.#note(target, false);
    if (verdict === "edited") {
      this.context.warn(`"${target.file}" was changed by hand and is kept as it is`);
      this.#note(target, true);
    }
    if (verdict === "unnameable") {
      const reason = `${nameProblem(target.file)} (take a shorter pattern, such as "{id}.{ext}")`;
      this.#results.set(target.member, failed(`Cannot write "${target.file}": ${reason}`));
    }
    if (verdict === "twin") {
      const reason = "another picture would be the same file there (add {id} or {dir} to the name)";
      this.#results.set(target.member, failed(`Cannot write "${target.file}": ${reason}`));
    }
    if (verdict === "foreign") {
      const reason = "something that Tintype did not write is there (move it, or set overwrite)";
      this.#results.set(target.member, failed(`Cannot write "${target.file}": ${reason}`));
    }
  }

  #note({ member, item, file, handle }: Target, isEdited: boolean) {
    const stat = this.#disk.stat(join(this.#folder, file));
    if (stat === undefined) return;
    this.#files[file] = {
      owner: this.context.owner,
      item,
      hash: handle.ref.hash,
      bytes: stat.size,
      mtime_ms: stat.mtimeMs,
      ...(isEdited ? { is_edited: true } : {}),
    };
    this.#results.set(member, { file, file_bytes: stat.size, is_edited: isEdited });
  }

  /** Removes what we published for items that are gone; true if the manifest changed. */
  async #clean(): Promise<boolean> {
    const names = new Set(this.targets.map((target) => target.file));
    const stale = Object.entries(this.#before).filter(([file, entry]) =>
      entry.owner === this.context.owner && !names.has(file)
    );
    if (stale.length === 0) return false;
    if (!this.context.isComplete || this.targets.length === 0) {
      const why = this.targets.length === 0
        ? "there is nothing to publish"
        : "not all items are here";
      this.context.warn(`${stale.length} files published before were kept: ${why}`);
      return false;
    }
    const alike = new Map(this.targets.map((target) => [collisionKey(target.file), target.file]));
    const at = (file: string) => join(this.#folder, file);
    for (const [file, entry] of stale) {
      const name = alike.get(collisionKey(file));
      if (name !== undefined && isOneFile(this.#disk, at(file), at(name))) delete this.#files[file];
      else await this.#removeStale(file, entry);
    }
    return true;
  }

  async #removeStale(file: string, entry: ManifestEntry) {
    const path = join(this.#folder, file);
    if (this.#disk.stat(path) !== undefined) {
      if (!await isOurs(this.#disk, path, entry)) {
        this.context.warn(`"${file}" belongs to no item any more, but was changed by hand: kept`);
        return;
      }
      this.#disk.remove(path);
    }
    delete this.#files[file];
  }
}

function quoted(names: readonly string[]): string {
  return listText(names.map((name) => JSON.stringify(name)));
}
