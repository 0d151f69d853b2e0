/// <reference lib="dom" />
import type { Store } from "./store.ts";

/** Something that a key does. */
export interface Shortcut {
  /** As `KeyboardEvent.key` has them, "Control+" in front where that is held. */
  readonly keys: readonly string[];
  /** As the help shows them. */
  readonly shown: string;
  readonly does: string;
  /** It works while the caption is being written, too. */
  readonly isGlobal?: boolean;
  readonly act: (store: Store) => void;
}

/** Goes so many pictures on, and keeps writing where somebody was writing. */
export function step(store: Store, steps: number): void {
  const next = store.neighbour(steps);
  if (next !== undefined) store.open(next.sha256);
}

/**
 * Goes to an element of a pane, at once where that is on the screen, so that the next key is already
 * meant for it.
 */
function goTo(store: Store, pane: Store["pane"], selector: string): void {
  const focus = () => document.querySelector<HTMLElement>(selector)?.focus();
  store.set({ pane });
  focus();
  if (!document.activeElement?.matches(selector)) requestAnimationFrame(focus);
}

export function approveAndGoOn(store: Store): void {
  const { picture } = store;
  if (picture === undefined) return;
  const next = store.neighbour(1);
  if (picture.state !== "approved") store.approve(picture);
  if (next !== undefined) store.open(next.sha256);
}

/** With the picture that is open, where there is one. */
function withPicture(act: (store: Store, picture: NonNullable<Store["picture"]>) => void) {
  return (store: Store) => {
    if (store.picture !== undefined) act(store, store.picture);
  };
}

const dialog = (name: Store["dialog"]) => (store: Store) => store.set({ dialog: name });

export const shortcuts: readonly Shortcut[] = [
  { keys: ["ArrowRight", "j"], shown: "→ or J", does: "next picture", act: (s) => step(s, 1) },
  { keys: ["ArrowLeft", "k"], shown: "← or K", does: "previous picture", act: (s) => step(s, -1) },
  {
    keys: ["PageDown"],
    shown: "Page down",
    does: "next picture, also while writing",
    isGlobal: true,
    act: (store) => step(store, 1),
  },
  {
    keys: ["PageUp"],
    shown: "Page up",
    does: "previous picture, also while writing",
    isGlobal: true,
    act: (store) => step(store, -1),
  },
  {
    keys: ["e", "Enter"],
    shown: "E or Enter",
    does: "write the caption; Escape leaves it",
    act: (store) => goTo(store, "picture", "#caption"),
  },
  {
    keys: ["Control+Enter", "Meta+Enter"],
    shown: "Ctrl Enter",
    does: "approve and go to the next one, also while writing",
    isGlobal: true,
    act: approveAndGoOn,
  },
  {
    keys: ["a"],
    shown: "A",
    does: "approve, or take the approval back",
    act: withPicture((store, picture) => store.approve(picture)),
  },
  {
    keys: ["m"],
    shown: "M",
    does: "mark as needs review",
    act: withPicture((store, picture) => store.change(picture, { state: "needs_review" })),
  },
  {
    keys: ["l"],
    shown: "L",
    does: "lock, or unlock",
    act: withPicture((store, picture) => store.change(picture, { locked: !picture.locked })),
  },
  {
    keys: ["Control+z", "Meta+z", "u"],
    shown: "Ctrl Z or U",
    does: "undo",
    isGlobal: true,
    act: withPicture((store, { sha256 }) => store.undo(sha256)),
  },
  {
    keys: ["Control+y", "Control+Z", "Meta+Z", "U"],
    shown: "Ctrl Y or Shift U",
    does: "redo",
    isGlobal: true,
    act: withPicture((store, { sha256 }) => store.redo(sha256)),
  },
  {
    keys: ["b"],
    shown: "B",
    does: "go back to what the model said",
    act: withPicture((store, picture) => {
      if (picture.source === "person") store.change(picture, { state: "auto" });
    }),
  },
  { keys: ["y"], shown: "Y", does: "history of the caption", act: dialog("history") },
  { keys: ["r"], shown: "R", does: "caption this picture anew", act: (s) => void s.askAnew("one") },
  {
    keys: ["R"],
    shown: "Shift R",
    does: "caption all filtered pictures anew",
    act: (store) => void store.askAnew("filtered"),
  },
  {
    keys: ["/"],
    shown: "/",
    does: "filter",
    act: (store) => goTo(store, "grid", "#filter"),
  },
  { keys: ["f"], shown: "F", does: "find and replace", act: dialog("replace") },
  { keys: ["p"], shown: "P", does: "preview of metadata.txt", act: dialog("preview") },
  { keys: ["x"], shown: "X", does: "export the zip", act: dialog("export") },
  {
    keys: ["g"],
    shown: "G",
    does: "go to the grid",
    act: (store) => goTo(store, "grid", '[role="option"][aria-selected="true"]'),
  },
  { keys: ["n"], shown: "N", does: "look at the folder again", act: (store) => store.look() },
  { keys: ["?"], shown: "?", does: "this help", act: dialog("help") },
];

/** Hears keys for the whole page; a dialog hears its own. */
export function hearKeys(store: Store): void {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") !== null || event.altKey || event.isComposing) {
      return;
    }
    const isWriting = event.target instanceof HTMLElement &&
      event.target.matches("input, textarea, select");
    if (event.key === "Escape" && isWriting) return (event.target as HTMLElement).blur();
    if (event.key === "Escape") {
      store.notify(undefined);
      return store.set({ pane: "grid" });
    }
    const held = event.ctrlKey ? "Control+" : event.metaKey ? "Meta+" : "";
    const isLetter = held === "" && event.key.length === 1;
    if (isLetter && (isWriting || !store.hasLetterKeys)) return;
    const isButton = event.target instanceof HTMLElement && event.target.matches("button, a");
    if (isButton && event.key === "Enter" && held === "") return;
    const key = held + event.key;
    const shortcut = shortcuts.find(({ keys }) => keys.includes(key));
    if (shortcut === undefined || (isWriting && !shortcut.isGlobal)) return;
    // In the filter box, undo is the browser's.
    if (isWriting && event.target.id !== "caption" && /^[zyZ]$/.test(event.key)) return;
    event.preventDefault();
    shortcut.act(store);
  });
}
