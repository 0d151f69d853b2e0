import { readAs, type Reading } from "./loaders.ts";
import { type Captioned, type CaptionFile, stemOf, type TargetName, targets } from "./targets.ts";
import { isText, openZip, type ZipEntry, zipOf } from "./zip.ts";

/** A picture that goes into a dataset. */
export interface ExportedPicture {
  /** The item's name. */
  readonly name: string;
  /** Of the exported bytes: "jpg", "png", … */
  readonly ending: string;
  readonly bytes: Uint8Array;
  /** One line. */
  readonly caption: string;
}

/** A dataset as a trainer gets it. */
export interface Dataset {
  readonly zip: Uint8Array;
  /** A line a picture, `name: caption`, alphabetical. */
  readonly metadata: string;
  /** As they are in the zip. */
  readonly captionFiles: readonly CaptionFile[];
  readonly verification: Verification;
}

/** What came of opening the zip again and reading it by the trainer's own rules. */
export interface Verification {
  readonly images: number;
  readonly captions_used: number;
  readonly auto_captioned: number;
  /** "34 images, 34 captions used, 0 would be auto-captioned". */
  readonly words: string;
  /** Why the trainer would not read it as it is meant; empty for a good one. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

const endings: Readonly<Record<string, string>> = { jpeg: "jpg", tiff: "tif" };

/** What the name of a file of a format ends in. */
export function endingOf(format: string): string {
  return endings[format] ?? format;
}

/** Makes a dataset's zip, opens it again, and reads it as the target does. */
export async function makeDataset(
  pictures: readonly ExportedPicture[],
  { target, trigger }: { readonly target: TargetName; readonly trigger: string },
): Promise<Dataset> {
  const placed = place(pictures, targets[target].folder(trigger));
  const captioned = placed.map(({ path, picture: { caption } }): Captioned => ({ path, caption }));
  const captionFiles = targets[target].captionFiles(captioned);
  const encoder = new TextEncoder();
  const entries: ZipEntry[] = [
    ...placed.map(({ path, picture: { bytes } }) => ({ path, bytes })),
    ...captionFiles.map(({ path, text }) => ({
      path,
      bytes: encoder.encode(text),
    })),
  ];
  const zip = await zipOf(entries);
  const verification = await verify(zip, entries, { target, trigger, captioned });
  const metadata = linesOf(placed).map(({ line }) => `${line}\n`).join("");
  return { zip, metadata, captionFiles, verification };
}

type NamedPicture = Omit<ExportedPicture, "bytes">;

/** The lines of `metadata.txt`, each with the picture that it is of. */
export function metadataLines<Picture extends NamedPicture>(
  pictures: readonly Picture[],
  { target, trigger }: { readonly target: TargetName; readonly trigger: string },
): { readonly line: string; readonly picture: Picture }[] {
  return linesOf(place(pictures, targets[target].folder(trigger)));
}

/** Names in the zip: the originals', without folders where that keeps stems apart. */
function place<Picture extends NamedPicture>(
  pictures: readonly Picture[],
  folder: string,
): { readonly path: string; readonly picture: Picture }[] {
  const sorted = pictures.toSorted((a, b) => a.name < b.name ? -1 : 1);
  const stems = sorted.map(({ name }) => stemOf(name.split("/").at(-1)!).toLowerCase());
  const isFlat = new Set(stems).size === stems.length;
  return sorted.map((picture) => {
    const name = plainName(isFlat ? picture.name.split("/").at(-1)! : picture.name);
    const known = /\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
    const isSame = known === picture.ending || (known === "jpeg" && picture.ending === "jpg");
    return { path: `${folder}${isSame ? name : `${stemOf(name)}.${picture.ending}`}`, picture };
  });
}

/**
 * A name that is one on every system: unpackers on Windows take a backslash for a folder, and `..\\x` for a
 * way out of theirs; a line break would be the end of a line of metadata.txt.
 */
function plainName(name: string): string {
  return name.replace(/[/\\\p{Cc}]/gu, "_");
}

function linesOf<Picture extends NamedPicture>(
  placed: readonly { readonly path: string; readonly picture: Picture }[],
) {
  return placed.map(({ path, picture }) => ({
    line: `${path.split("/").at(-1)}: ${picture.caption}`,
    picture,
  })).sort((a, b) => a.line < b.line ? -1 : a.line > b.line ? 1 : 0);
}

interface Meant {
  readonly target: TargetName;
  readonly trigger: string;
  readonly captioned: readonly Captioned[];
}

async function verify(
  zip: Uint8Array,
  entries: readonly ZipEntry[],
  meant: Meant,
): Promise<Verification> {
  const { paths, read } = await openZip(zip);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const files = new Map(
    paths.map((path) => [path, isText(path) ? decoder.decode(read(path)) : null]),
  );
  const damaged = entries.filter(({ path, bytes }) =>
    !paths.includes(path) || !isSame(read(path), bytes)
  );
  const reading = readAs(meant.target, files, meant.trigger);
  const used = meant.captioned.filter(({ path, caption }) =>
    isReadAsMeant(reading.captions.get(path), caption, meant.trigger)
  );
  const bare = meant.captioned.filter(({ caption }) =>
    caption.trim() !== "" && !caption.includes(meant.trigger)
  );
  return {
    images: reading.images.length,
    captions_used: used.length,
    auto_captioned: reading.autoCaptioned.length,
    words: `${counted(reading.images.length, "image")}, ${counted(used.length, "caption")} used, ` +
      `${reading.autoCaptioned.length} would be auto-captioned`,
    problems: problemsOf(reading, meant, used.length, damaged.map(({ path }) => path)),
    notes: bare.length === 0 ? reading.notes : [
      ...reading.notes,
      `${counted(bare.length, "caption")} without the trigger word, "${bare[0]!.path}" first`,
    ],
  };
}

function problemsOf(
  reading: Reading,
  { target, captioned }: Meant,
  used: number,
  damaged: readonly string[],
): string[] {
  const problems: string[] = [];
  if (damaged.length > 0) problems.push(`"${damaged[0]}" is not in the zip as it should be`);
  if (reading.failure !== undefined) problems.push(`${target} would stop: ${reading.failure}`);
  const unread = captioned.filter(({ path }) => !reading.images.includes(path));
  if (unread.length > 0) {
    problems.push(
      `${counted(unread.length, "picture")} would not be read, "${unread[0]!.path}" first`,
    );
  }
  if (used < captioned.length) {
    problems.push(`${counted(captioned.length - used, "caption")} would not be read as meant`);
  }
  if (reading.autoCaptioned.length > 0) {
    problems.push(`"${reading.autoCaptioned[0]}" would get a caption that nobody here wrote`);
  }
  return problems;
}

/**
 * Trainers take captions apart at commas, so blanks around them do not count; and some put the trigger
 * word in front where a person left it out, which is noted, but no harm.
 */
function isReadAsMeant(read: string | undefined, meant: string, trigger: string): boolean {
  const spaced = (text: string) => text.split(",").map((part) => part.trim()).join(", ");
  return read !== undefined && [meant, `${trigger}, ${meant}`].map(spaced).includes(spaced(read));
}

function isSame(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && one.length === other.length &&
    one.every((byte, index) => byte === other[index]);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
