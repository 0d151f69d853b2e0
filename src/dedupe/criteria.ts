import type { Verdict } from "../steps/dedupe/kinds.ts";

/** A picture as keepers are chosen by it. */
export interface Candidate {
  /** The item's name: its path in the scanned folder. */
  readonly name: string;
  readonly sha256: string;
  /** Upright, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  /** As the header says: "jpeg", "png" … */
  readonly format: string;
  /** The group it is in, by verdict; null for none. */
  readonly groups: Readonly<Record<Verdict, string | null>>;
  readonly metadata?: CandidateMetadata;
  readonly quality?: CandidateQuality;
}

/** What of a file's metadata counts. */
export interface CandidateMetadata {
  readonly taken_at: string | null;
  readonly latitude: number | null;
  readonly camera_make: string | null;
  readonly camera_model: string | null;
}

/** `score` 0 to 1, higher better; BRISQUE and NIQE lower better. */
export interface CandidateQuality {
  readonly score: number | null;
  readonly brisque_opencv: number | null;
  readonly niqe: number | null;
}

/** What keepers can be chosen by. */
export const criteria = [
  "resolution",
  "quality",
  "format",
  "metadata",
  "bytes",
  "oldest",
  "name",
] as const;

export type Criterion = (typeof criteria)[number];

/**
 * Formats from the one that is likeliest to be the original: those without loss first, then what
 * cameras write (a JPEG beside a HEIC was made from it), then what is made for the web, and last what
 * has 256 colours at most. Others come after these.
 */
export const formatRanking = ["tiff", "png", "heic", "jpeg", "avif", "webp", "gif"] as const;

/** How two pictures are compared by one criterion. */
export interface Comparison {
  /** Below 0 where the first is better, 0 where the criterion does not tell them apart. */
  compare(a: Candidate, b: Candidate): number;
  /** The numbers of both, the better one's first: `resolution 4032×3024 against 1024×768`. */
  words(better: Candidate, other: Candidate): string;
}

export interface ComparisonOptions {
  /** Formats from the best; `formatRanking` when left out. */
  readonly formats?: readonly string[];
}

/**
 * The comparison by a criterion within a group. Each is a total preorder, so that the best of a group
 * does not depend on who is compared with whom: measures are rounded to what is shown before they are
 * compared, and quality is by one measure for the whole group, the first of score, BRISQUE and NIQE that
 * any member has. What is unknown of a picture counts as worse than anything known.
 */
export function comparisonBy(
  criterion: Criterion,
  group: readonly Candidate[],
  { formats = formatRanking }: ComparisonOptions = {},
): Comparison {
  switch (criterion) {
    case "resolution":
      return byNumber("resolution", pixelsOf, ({ width, height }) => `${width}×${height}`);
    case "quality":
      return byQuality(group);
    case "format":
      return byNumber("format", ({ format }) => -rankOf(format, formats), ({ format }) => format);
    case "metadata":
      return byNumber("metadata", (each) => knownOf(each).length, (each) => knownText(each));
    case "bytes":
      return byNumber("file size", ({ bytes }) => bytes, ({ bytes }) => bytesWords(bytes));
    case "oldest":
      return oldest;
    case "name":
      return byName;
  }
}

function byNumber(
  words: string,
  valueOf: (candidate: Candidate) => number,
  textOf: (candidate: Candidate) => string,
): Comparison {
  return {
    compare: (a, b) => valueOf(b) - valueOf(a),
    words: (better, other) => `${words} ${textOf(better)} against ${textOf(other)}`,
  };
}

function pixelsOf({ width, height }: Candidate): number {
  return width * height;
}

interface QualityMeasure {
  readonly words: string;
  readonly digits: number;
  readonly sign: 1 | -1;
  readonly of: (quality: CandidateQuality) => number | null;
}

const qualityMeasures: readonly QualityMeasure[] = [
  { words: "quality", digits: 2, sign: 1, of: ({ score }) => score },
  { words: "BRISQUE", digits: 1, sign: -1, of: ({ brisque_opencv }) => brisque_opencv },
  { words: "NIQE", digits: 2, sign: -1, of: ({ niqe }) => niqe },
];

function byQuality(group: readonly Candidate[]): Comparison {
  const measure = qualityMeasures.find(({ of }) =>
    group.some(({ quality }) => quality !== undefined && of(quality) !== null)
  );
  if (measure === undefined) return { compare: () => 0, words: () => "quality not measured" };
  const { words, sign } = measure;
  const valueOf = ({ quality }: Candidate) => {
    const rounded = quality === undefined ? null : shown(measure, quality);
    return rounded === null ? -Number.MAX_VALUE : sign * Number(rounded);
  };
  return {
    compare: (a, b) => Math.sign(valueOf(b) - valueOf(a)),
    words(better, other) {
      const said = [better, other].map(({ quality }) =>
        quality === undefined ? "none" : shown(measure, quality) ?? "none"
      );
      const more = sign === 1 ? brisqueWords(better, other) : "";
      return `${words} ${said[0]} against ${said[1]}${more}`;
    },
  };
}

function shown({ of, digits }: QualityMeasure, quality: CandidateQuality): string | null {
  return of(quality)?.toFixed(digits) ?? null;
}

/** What is behind a score, where both pictures have it. */
function brisqueWords(a: Candidate, b: Candidate): string {
  const [first, second] = [a, b].map(({ quality }) => quality?.brisque_opencv?.toFixed(1));
  return first === undefined || second === undefined
    ? ""
    : ` (BRISQUE ${first} against ${second}, lower is better)`;
}

function rankOf(format: string, formats: readonly string[]): number {
  const at = formats.indexOf(format);
  return at === -1 ? formats.length : at;
}

function knownOf({ metadata }: Candidate): string[] {
  if (metadata === undefined) return [];
  const { taken_at, latitude, camera_make, camera_model } = metadata;
  return [
    ...(taken_at === null ? [] : ["date"]),
    ...(latitude === null ? [] : ["GPS"]),
    ...(camera_make === null && camera_model === null ? [] : ["camera"]),
  ];
}

function knownText(candidate: Candidate): string {
  const known = knownOf(candidate);
  return known.length === 0 ? "none" : known.join(" + ");
}

/** By when they were taken, not by a file's times, which copying changes. */
const oldest: Comparison = {
  compare(a, b) {
    const [first, second] = [a, b].map(({ metadata }) => metadata?.taken_at ?? null);
    if (first === second) return 0;
    if (first === null) return 1;
    return second === null || first! < second! ? -1 : 1;
  },
  words: (better, other) => {
    const [first, second] = [better, other].map(({ metadata }) =>
      metadata?.taken_at?.replace("T", " ") ?? "an unknown time"
    );
    return `taken ${first} against ${second}`;
  },
};

/**
 * Names without a copy's mark first, then the shorter path, then by UTF-16 code unit. It never ends in
 * a tie between two items.
 */
export const byName: Comparison = {
  compare(a, b) {
    const marks = Number(hasCopyMark(a.name)) - Number(hasCopyMark(b.name));
    if (marks !== 0) return marks;
    return a.name.length - b.name.length || (a.name < b.name ? -1 : a.name === b.name ? 0 : 1);
  },
  words: (better, other) =>
    `name "${better.name}" against "${other.name}"${
      hasCopyMark(other.name) && !hasCopyMark(better.name) ? ", which is marked as a copy" : ""
    }`,
};

/** How Windows, macOS, Linux desktops and browsers mark copies, in the languages that we know of. */
const copyMarks: readonly RegExp[] = [
  / ?\(\d{1,3}\)$/,
  /[ _-]+(copy|kopie|kopia|kopi|copie|copia|cópia|копия|másolat|副本|拷贝|コピー)( ?\(?\d{1,3}\)?)?$/iu,
  /^(copy|kopie|copie|copia|cópia|kopia) (\(?\d{1,3}\)? )?(of|von|de|di|van|do) /iu,
];

/** Whether a file's name says that it is a copy: `a (1).jpg`, `a copy.jpg`, `a - Kopie (2).jpg`. */
export function hasCopyMark(name: string): boolean {
  const base = name.slice(name.lastIndexOf("/") + 1);
  const stem = base.replace(/(?<=.)\.[^.]*$/, "");
  return copyMarks.some((mark) => mark.test(stem));
}

function bytesWords(bytes: number): string {
  return `${wholeNumber.format(bytes)} bytes`;
}

/** Made once: `toLocaleString` makes one each time, which was most of the work for 100,000 pictures. */
const wholeNumber = new Intl.NumberFormat("en");
