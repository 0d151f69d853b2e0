/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/// <reference lib="dom" />
import { useMemo, useState } from "preact/hooks";
import { replacements } from "../replace.ts";
import { Dialog } from "./dialog.tsx";
import type { Store } from "./store.ts";
import { counted } from "./words.ts";

/** So many changes are shown; the rest is counted. */
const shownChanges = 200;

/** Find and replace over the filtered pictures: what would change is shown first, and done at once. */
export function ReplaceDialog({ store }: { readonly store: Store }) {
  const [find, setFind] = useState("");
  const [replacement, setReplacement] = useState("");
  const [isExact, setExact] = useState(false);
  const [isWhole, setWhole] = useState(false);
  const { filtered, pictures } = store;
  const { changed, locked } = useMemo(
    () => replacements(filtered, { find, replacement, isExact, isWhole }),
    [filtered, find, replacement, isExact, isWhole],
  );
  const apply = () => {
    const done = changed.map(({ picture }) => picture.sha256);
    for (const { picture, after } of changed) store.change(picture, { caption: after });
    const undo = () => {
      for (const image of done) store.undo(image);
      store.notify({ text: `Taken back in ${counted(done.length, "caption")}.` });
    };
    const text = `Replaced in ${counted(done.length, "caption")}.`;
    store.set({ dialog: undefined });
    store.notify({ text, actions: [{ label: "Undo all", does: undo }] });
  };
  const where = filtered.length === pictures.length
    ? `all ${pictures.length} captions`
    : `the ${filtered.length} filtered captions`;
  return (
    <Dialog store={store} title="Find and replace">
      <form
        class="replace"
        onSubmit={(event) => {
          event.preventDefault();
          if (changed.length > 0) apply();
        }}
      >
        <label>
          Find
          <input
            id="find"
            autofocus
            value={find}
            autocomplete="off"
            onInput={({ currentTarget }) => setFind(currentTarget.value)}
          />
        </label>
        <label>
          Replace with
          <input
            id="replacement"
            value={replacement}
            autocomplete="off"
            onInput={({ currentTarget }) => setReplacement(currentTarget.value)}
          />
        </label>
        <label class="check">
          <input type="checkbox" checked={isExact} onChange={() => setExact(!isExact)} />
          Capitals count
        </label>
        <label class="check">
          <input type="checkbox" checked={isWhole} onChange={() => setWhole(!isWhole)} />
          Whole words only
        </label>
        <p role="status">
          {find === ""
            ? `Looks in ${where}.`
            : `${counted(changed.length, "caption")} would change`}
          {find !== "" && locked > 0 && `; ${locked} locked left as they are`}
        </p>
        <ul class="changes" aria-label="What would change">
          {changed.slice(0, shownChanges).map(({ picture, parts }) => (
            <li key={picture.sha256}>
              <span class="muted">{picture.name}</span>
              <span>
                {parts.map(({ text, kind }, index) =>
                  kind === "same"
                    ? <span key={index}>{text}</span>
                    : kind === "old"
                    ? <del key={index}>{text}</del>
                    : <ins key={index}>{text}</ins>
                )}
              </span>
            </li>
          ))}
          {changed.length > shownChanges && <li>… and {changed.length - shownChanges} more</li>}
        </ul>
        <p class="buttons">
          <button type="submit" class="main" disabled={changed.length === 0}>
            Replace in {counted(changed.length, "caption")}
          </button>
        </p>
      </form>
    </Dialog>
  );
}
