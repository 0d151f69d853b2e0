import type { CaptionState } from "../captions/caption.ts";
import type { TargetName } from "../export/targets.ts";
import type { FailureWords } from "../runtime/failures.ts";

/**
 * Where a picture stands: `waiting` until it has a caption, `failed` where captioning it did not work;
 * else what stands of its caption.
 */
export type PictureState = CaptionState | "waiting" | "failed";

/** A picture of a dataset as the page shows it. JSON. */
export interface Picture {
  /** Of the original's bytes: what pictures are asked for and decided by. */
  readonly sha256: string;
  /** Path in the folder of the originals, with "/" between the parts. */
  readonly name: string;
  /** Files with the same bytes; what is decided of one holds for all. */
  readonly copies: readonly string[];
  /** How often it would be trained on beyond once, because of copies in the same dataset. */
  readonly repeats: number;
  /** Pixels, upright. */
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly state: PictureState;
  /** As it will be exported, with the trigger word; "" where there is none yet. */
  readonly caption: string;
  readonly trigger: string;
  /** Whose words the caption has; null where it has none. */
  readonly source: "model" | "draft" | "person" | null;
  readonly model: string | null;
  readonly locked: boolean;
  /** What the validator finds wrong with the caption. */
  readonly problems: readonly string[];
  /** Why it failed or waits. */
  readonly reason: string | null;
  /** Grows with every change, over restarts of the server too. */
  readonly revision: number;
}

/** What the page says of the dataset as a whole. JSON. */
export interface About {
  readonly recipe: string;
  /** Tells datasets apart that were served at the same address. */
  readonly id: string;
  readonly source: string;
  readonly decisionsFile: string;
  readonly trigger: string;
  /** Nobody chose the trigger word: it is the recipe's. */
  readonly isDefaultTrigger: boolean;
  readonly provider: string;
  /** Null where the recipe has no `export.lora`. */
  readonly target: TargetName | null;
  readonly folder: string | null;
}

/** What goes on in the background. JSON. */
export interface Progress {
  readonly phase: "idle" | "looking" | "captioning" | "preparing" | "exporting" | "held-up";
  /** Pictures done in this phase, of how many. */
  readonly done: number;
  readonly total: number;
  /** What is to be done after this. */
  readonly queued: number;
  /** Why the last run broke off or did not begin, each once. */
  readonly problems: readonly string[];
  /** What came to nothing in the last run, by cause, in the words of `tintype errors`. */
  readonly failures: readonly FailureWords[];
  /** Who is in the way, or what is waited for. */
  readonly detail: string | null;
}

interface OfPicture {
  /** Counts a page's changes from 1. */
  readonly number: number;
  /** The picture's sha256. */
  readonly image: string;
}

/** One change that a person makes; `before` is what the page showed. */
export type Edit =
  | OfPicture & { readonly field: "caption"; readonly before: string; readonly after: string }
  | OfPicture & { readonly field: "state"; readonly before: string; readonly after: EditedState }
  | OfPicture & { readonly field: "locked"; readonly before: boolean; readonly after: boolean };

/** `auto` takes the caption back to what the model said. */
export type EditedState = "auto" | "edited" | "approved" | "needs_review";

/** What became of a page's changes. */
export interface EditOutcome {
  /** The last of the page's numbers that is on the disk. */
  readonly last: number;
  /** The pictures that were changed, as they stand. */
  readonly pictures: readonly Picture[];
  /** Captions that another page had changed meanwhile; they are in the history. */
  readonly overwritten: readonly { readonly image: string; readonly caption: string }[];
}

/** A line of a picture's history. */
export interface HistoryEntry {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly field: "caption" | "state" | "locked";
  readonly before: string;
  readonly after: string;
  /** The page that it came from; null where it was made otherwise. */
  readonly by: string | null;
}

/** What asking anew would mean. */
export interface Forecast {
  readonly pictures: number;
  /** Left as they are. */
  readonly locked: number;
  /** Calls, tokens and cost; null where nobody is called. */
  readonly cost: string | null;
}

/** `metadata.txt` as an export would write it now, one for each trigger word. */
export interface Preview {
  readonly files: readonly {
    readonly path: string;
    readonly lines: readonly { readonly text: string; readonly marks: readonly string[] }[];
  }[];
  /** Pictures without a caption, which an export leaves out. */
  readonly leftOut: readonly string[];
}

/** How an export ended. */
export type ExportOutcome =
  | {
    readonly type: "written";
    readonly folder: string;
    readonly target: string;
    readonly zips: readonly {
      readonly file: string;
      readonly bytes: number;
      readonly sha256: string;
      readonly verification: string;
      readonly prepared: number;
      readonly drafts: number;
      readonly need_review: number;
      /** Names of pictures whose captions have no words. */
      readonly empty: readonly string[];
      readonly notes: readonly string[];
    }[];
    readonly leftOut: readonly string[];
  }
  | { readonly type: "exists"; readonly reason: string }
  | { readonly type: "failed"; readonly reason: string };

/** A file that the page gets. */
export interface Served {
  readonly bytes: Uint8Array;
  readonly type: "image/jpeg" | "image/webp" | "application/zip";
}

/** What pages hear as it happens. */
export type DatasetEvent =
  /** `by`: the page whose change it was. */
  | { readonly type: "pictures"; readonly pictures: readonly Picture[]; readonly by?: string }
  | { readonly type: "removed"; readonly images: readonly string[] }
  | { readonly type: "progress"; readonly progress: Progress };

/** A dataset under review: what the server serves. */
export interface Dataset {
  about(): About;
  /** By name. */
  pictures(): readonly Picture[];
  progress(): Progress;
  /** Undefined for what is no picture of the dataset, or no longer has the bytes that it had. */
  view(sha256: string, size: "thumbnail" | "large"): Promise<Served | undefined>;
  /** Resolves when the changes are on the disk. A change that was taken before is not taken again. */
  edit(by: string, edits: readonly Edit[]): Promise<EditOutcome>;
  history(sha256: string): readonly HistoryEntry[];
  forecast(images: readonly string[]): Promise<Forecast>;
  /** Asks for new captions, locked ones left; resolves when that is queued. */
  regenerate(images: readonly string[]): Forecast;
  /** Looks at the folder again, and captions what has no caption. */
  lookAgain(): void;
  preview(): Promise<Preview>;
  export(options: { readonly overwrite: boolean }): Promise<ExportOutcome>;
  /** A zip that was exported here, by its sha256. */
  zip(sha256: string): Promise<(Served & { readonly name: string }) | undefined>;
  listen(listener: (event: DatasetEvent) => void): () => void;
}
