import type { Picture, PictureState, Progress } from "../dataset.ts";
import type { SaveState } from "./outbox.ts";

export const stateWords: Readonly<Record<PictureState, string>> = {
  needs_review: "needs review",
  auto: "auto",
  edited: "edited",
  approved: "approved",
  failed: "failed",
  waiting: "waiting",
};

/** The filters that are offered as buttons, with how many pictures each has; trouble only where it is. */
export const offeredFilters = [
  ["", "All"],
  ["needs review", "Needs review"],
  ["auto", "Auto"],
  ["edited", "Edited"],
  ["approved", "Approved"],
  ["failed", "Failed"],
  ["waiting", "Waiting"],
  ["repeated", "Repeated"],
] as const;

/** Whether a filter is offered though nothing passes it. */
export function isAlwaysOffered(filter: string): boolean {
  return !["failed", "waiting", "repeated"].includes(filter);
}

export function counted(count: number, what: string): string {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}

/** So many names are listed. */
export const listedNames = 5;

/** The first names, and how many more there are. */
export function listed(names: readonly string[]): string {
  const more = names.length - listedNames;
  return names.slice(0, listedNames).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

export function sizeWords(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** What a screen reader says of a picture in the grid. */
export function labelOf({ name, copies, state, source, locked, caption }: Picture): string {
  const marks = [
    stateWords[state],
    ...source === "draft" ? ["draft"] : [],
    ...locked ? ["locked"] : [],
    ...copies.length > 0 ? [`${copies.length + 1} files`] : [],
  ];
  return `${name}, ${marks.join(", ")}. ${caption}`;
}

export function saveWords(state: SaveState, isConnected: boolean): string {
  switch (state.type) {
    case "saved":
      return isConnected ? "All changes saved" : "Offline – reconnecting …";
    case "saving":
      return "Saving …";
    case "offline":
      return `Offline – ${counted(state.waiting, "change")} kept in this browser, retrying …`;
    case "refused":
      return `Not saved – ${state.reason}; ${counted(state.waiting, "change")} kept, retrying …`;
  }
}

export function progressWords({ phase, done, total, queued, detail }: Progress): string {
  const more = queued > 0 ? `; ${queued} more to follow` : "";
  const why = detail === null ? "" : ` – ${detail}`;
  switch (phase) {
    case "idle":
      return "";
    case "looking":
      return `Looking at the folder …${why}`;
    case "captioning":
      return `Captioning: ${done} of ${total}${more}${why}`;
    case "preparing":
      return `Preparing the pictures …${why}`;
    case "exporting":
      return `Exporting: ${done} of ${total} captions${more}${why}`;
    case "held-up":
      return `Waiting: ${detail ?? "another run is at work"}${more}`;
  }
}
