/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import type { HistoryEntry, Picture } from "../dataset.ts";
import { filterHelp } from "../filter.ts";
import { Dialog } from "./dialog.tsx";
import { shortcuts } from "./keys.ts";
import { server } from "./link.ts";
import type { Store } from "./store.ts";
import { counted } from "./words.ts";

interface Props {
  readonly store: Store;
}

export function HelpDialog({ store }: Props) {
  return (
    <Dialog store={store} title="Help">
      <p>
        Read each caption, correct it, and press{" "}
        <b>Approve</b>. Every letter is saved as you type, and the photos are never changed. When
        you are done, press <b>Export zip</b>.
      </p>
      <h3>Keys</h3>
      <label class="check">
        <input
          type="checkbox"
          checked={store.hasLetterKeys}
          onChange={({ currentTarget }) => store.set({ hasLetterKeys: currentTarget.checked })}
        />
        Single letters are shortcuts (while nothing is being written)
      </label>
      <dl class="keys">
        {shortcuts.map(({ shown, does }) => (
          <div key={shown}>
            <dt>
              <kbd>{shown}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>↑ ↓ Home End</kbd>
          </dt>
          <dd>move in the grid</dd>
        </div>
        <div>
          <dt>
            <kbd>Esc</kbd>
          </dt>
          <dd>leave the caption or the filter; close a window or a message; back to the grid</dd>
        </div>
      </dl>
      <h3>Filter</h3>
      <dl class="keys">
        {filterHelp.map(([text, means]) => (
          <div key={text}>
            <dt>
              <code>{text}</code>
            </dt>
            <dd>{means}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

export function HistoryDialog({ store }: Props) {
  const { picture } = store;
  const [entries, setEntries] = useState<readonly HistoryEntry[]>();
  useEffect(() => {
    if (picture === undefined) return;
    void store.tell(async () => setEntries(await server.history(picture.sha256)));
  }, [picture?.revision]);
  if (picture === undefined) return null;
  const restore = (caption: string) => store.change(picture, { caption });
  return (
    <Dialog store={store} title={`History of ${picture.name}`}>
      {entries === undefined && <p class="muted">Reading …</p>}
      {entries?.length === 0 && <p>Nothing was changed yet.</p>}
      <ol class="history">
        {[...entries ?? []].reverse().map((entry, index) => (
          <li key={index}>
            <time class="muted" dateTime={entry.at}>{new Date(entry.at).toLocaleString("en")}</time>
            <HistoryWords entry={entry} own={store.outbox.options.by} />
            {entry.field === "caption" && (
              <div class="versions">
                <Version text={entry.after} label="to" picture={picture} restore={restore} />
                <Version text={entry.before} label="from" picture={picture} restore={restore} />
              </div>
            )}
          </li>
        ))}
      </ol>
    </Dialog>
  );
}

function HistoryWords({ entry, own }: { readonly entry: HistoryEntry; readonly own: string }) {
  const { field, after, by } = entry;
  const isOther = by !== null && by !== own && by !== "regenerate";
  const who = isOther ? " (earlier, or in another tab)" : "";
  const what = field === "caption"
    ? "Caption written"
    : field === "locked"
    ? after === "true" ? "Locked" : "Unlocked"
    : after === "auto"
    ? by === "regenerate" ? "Captioned anew by the model" : "Taken back to the model’s"
    : after === "approved"
    ? "Approved"
    : "Marked as needs review";
  return <span>{what}{who}</span>;
}

interface VersionProps {
  readonly text: string;
  readonly label: string;
  readonly picture: Picture;
  readonly restore: (text: string) => void;
}

function Version({ text, label, picture, restore }: VersionProps) {
  return (
    <div class="version">
      <span class="muted">{label}</span>
      <q>{text}</q>
      {text !== picture.caption && text !== "" && !picture.locked && (
        <button
          type="button"
          onClick={() => restore(text)}
        >
          Restore
        </button>
      )}
    </div>
  );
}

export function RegenerateDialog({ store }: Props) {
  if (store.asking === undefined) return null;
  const { pictures, locked, cost } = store.asking.forecast;
  const edited =
    store.asking.images.filter((image) =>
      store.pictures.some(({ sha256, source }) => sha256 === image && source === "person")
    ).length;
  return (
    <Dialog store={store} title={`Caption ${counted(pictures, "picture")} anew?`}>
      {pictures === 0 && <p>All of them are locked, and are left as they are.</p>}
      {pictures > 0 && locked > 0 && <p>Locked, and left as they are: {locked}.</p>}
      {pictures > 0 && <p>{cost ?? "This calls no model, and costs nothing."}</p>}
      {edited > 0 && (
        <p>
          {counted(edited, "caption")}{" "}
          that you wrote will give way to the new ones. Yours stay in the history.
        </p>
      )}
      <p class="buttons">
        <button
          type="button"
          class="main"
          disabled={pictures === 0}
          onClick={() => void store.regenerate()}
        >
          Caption {counted(pictures, "picture")} anew
        </button>
        <button type="button" onClick={() => store.set({ dialog: undefined })}>Leave them</button>
      </p>
    </Dialog>
  );
}
