import type { Pair, Verdict } from "../steps/dedupe/kinds.ts";
import type { AbsentPicture, Thumbnail } from "./report_data.ts";

/** What became of a picture: its row of `choice`. */
export interface ReportChoice {
  readonly action: "keep" | "set_aside";
  readonly group: string | null;
  readonly is_keeper: boolean;
  readonly kept_instead: string | null;
  readonly reasons: readonly string[];
  readonly decided_by: "rules" | "person";
}

/** What was done with a picture: its row of `deed`. */
export interface ReportDeed {
  readonly outcome: "left" | "published" | "quarantined" | "refused";
  readonly file: string | null;
  readonly problem: string | null;
}

/** A picture of the set; copies to the byte are pictures of their own. */
export interface DedupePicture {
  readonly name: string;
  readonly sha256: string;
  /** Upright, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly format: string;
  /** 0 to 1, higher better. */
  readonly score?: number | null;
  readonly choice: ReportChoice;
  readonly deed?: ReportDeed;
}

/** A group of pictures that are alike, by the sha256 of its different files. */
export interface DedupeGroup {
  readonly id: string;
  readonly verdict: Verdict;
  readonly is_burst: boolean;
  readonly members: readonly string[];
  /** Copies counted one by one. */
  readonly images: number;
  readonly widest: Pair | null;
}

/** What was done in all. */
export interface DedupeDeeds {
  readonly action: "report" | "publish" | "quarantine";
  readonly kept: number;
  readonly set_aside: number;
  readonly published: number;
  readonly quarantined: number;
  readonly refused: number;
  readonly in_quarantine: number;
}

/** All that `dedupeReport` shows. */
export interface DedupeReport {
  readonly title: string;
  /** In the order of names. */
  readonly pictures: readonly DedupePicture[];
  /** Pictures that could not be compared, and why. */
  readonly absent: readonly AbsentPicture[];
  readonly groups: readonly DedupeGroup[];
  readonly pairs: readonly Pair[];
  readonly found: {
    readonly similar_by: "embedding" | "hashes";
    readonly threshold: number | null;
    readonly search: { readonly method: "exact" | "index"; readonly recall: number };
    readonly warnings: readonly string[];
  };
  /** By sha256. */
  readonly previews: ReadonlyMap<string, Thumbnail>;
  readonly deeds?: DedupeDeeds;
  readonly rerun: {
    readonly recipe: string;
    /** Where copies went, or what was set aside. */
    readonly folder: string;
    readonly settings: Readonly<Record<string, string | number | boolean>>;
  };
  readonly versions: Readonly<Record<string, string>>;
}

/** Different files of one group that are shown as pictures, at most. */
export const mostInGroup = 12;

/** The verdicts in the order in which pictures are made of their groups, as long as they last. */
const pictureOrder = ["same_picture", "similar", "exact"] as const;

/** Largest groups first. */
export function groupsOf<Group extends Pick<DedupeGroup, "id" | "verdict" | "images">>(
  groups: readonly Group[],
  verdict: Verdict,
): Group[] {
  return groups.filter((group) => group.verdict === verdict)
    .sort((a, b) => b.images - a.images || (a.id < b.id ? -1 : 1));
}

/** The members of a group that are shown: keepers first. */
export function shownMembers(
  { members }: Pick<DedupeGroup, "members">,
  keepers: ReadonlySet<string>,
): string[] {
  return [
    ...members.filter((sha256) => keepers.has(sha256)),
    ...members.filter((sha256) => !keepers.has(sha256)),
  ].slice(0, mostInGroup);
}

/** Whose previews are made: whole groups until `most` pictures are reached, by sha256. */
export function picturedMembers(
  groups: readonly DedupeGroup[],
  { keepers, most }: { readonly keepers: ReadonlySet<string>; readonly most: number },
): Set<string> {
  const pictured = new Set<string>();
  for (const verdict of pictureOrder) {
    for (const group of groupsOf(groups, verdict)) {
      const fresh = shownMembers(group, keepers).filter((sha256) => !pictured.has(sha256));
      if (pictured.size + fresh.length > most) continue;
      for (const sha256 of fresh) pictured.add(sha256);
    }
  }
  return pictured;
}
