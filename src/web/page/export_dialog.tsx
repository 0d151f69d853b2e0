/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import type { ExportOutcome, Picture, Preview } from "../dataset.ts";
import { parseFilter } from "../filter.ts";
import { pictureCount } from "../picture_count.ts";
import { Dialog } from "./dialog.tsx";
import { server } from "./link.ts";
import type { Store } from "./store.ts";
import { counted, listed, listedNames, progressWords, sizeWords } from "./words.ts";

interface Props {
  readonly store: Store;
}

export function PreviewDialog({ store }: Props) {
  const [preview, setPreview] = useState<Preview>();
  const { type } = store.saveState;
  useEffect(() => {
    // What is not saved yet would be missing in it.
    if (type === "saved") void store.tell(async () => setPreview(await server.preview()));
  }, [type]);
  const marked = preview?.files.flatMap(({ lines }) => lines).filter(({ marks }) =>
    marks.length > 0
  );
  return (
    <Dialog store={store} title="Preview of metadata.txt">
      {preview === undefined && (
        <p class="muted">
          {(store.progress && progressWords(store.progress)) || "Putting it together …"}
        </p>
      )}
      {preview !== undefined && (
        <p class="muted">It lies beside the zip, which has the same names and captions.</p>
      )}
      {marked !== undefined && marked.length > 0 && (
        <p class="note">
          {counted(marked.length, "line")}{" "}
          marked: drafts, or captions that need review. The marks are not in the file.
        </p>
      )}
      {preview?.leftOut.length !== 0 && preview !== undefined && (
        <p class="note">
          {counted(preview.leftOut.length, "picture")} without a caption left out:{" "}
          {listed(preview.leftOut)}
        </p>
      )}
      {preview?.files.map(({ path, lines }) => (
        <div key={path}>
          <h3>{path}, {counted(lines.length, "line")}</h3>
          <ol class="metadata" tabIndex={0} aria-label={path}>
            {lines.map(({ text, marks }, index) => (
              <li key={index}>
                <code>{text}</code>
                {marks.map((mark) => (
                  <span key={mark} class={`badge ${mark === "draft" ? mark : "needs_review"}`}>
                    {mark}
                  </span>
                ))}
              </li>
            ))}
          </ol>
        </div>
      ))}
    </Dialog>
  );
}

/** Says what would be exported, exports, and shows what the trainer's own rules found in the zip. */
export function ExportDialog({ store }: Props) {
  const [outcome, setOutcome] = useState<ExportOutcome>();
  const [isBusy, setBusy] = useState(false);
  const { about, pictures, progress, saveState } = store;
  const start = async (overwrite: boolean) => {
    setBusy(true);
    setOutcome(undefined);
    await store.tell(async () => setOutcome(await server.export(overwrite)));
    setBusy(false);
  };
  const isSaved = saveState.type === "saved";
  return (
    <Dialog store={store} title="Export zip">
      {about !== undefined && (
        <p>
          A zip for <b>{about.target ?? "no trainer"}</b> with{" "}
          {pictureCount(pictures.filter(hasCaption))} and their captions goes to{" "}
          <code>{about.folder}</code>. It is opened again and read by the trainer’s own rules.
        </p>
      )}
      {outcome?.type !== "written" && <Warnings store={store} />}
      {about?.isDefaultTrigger && (
        <p class="note">
          The trigger word is still{" "}
          <code>{about.trigger}</code>, which only holds the place of yours. To choose one, start
          again with <code>--set trigger=your_word</code>.
        </p>
      )}
      {!isSaved && (
        <p class="note">Your last changes are not saved yet; the export waits for them.</p>
      )}
      <div aria-live="polite">
        {isBusy && progress !== undefined && (
          <p class="busy">{progressWords(progress) || "Exporting …"}</p>
        )}
        {outcome?.type === "written" && <Written outcome={outcome} />}
        {outcome?.type === "failed" && <p class="note bad">{outcome.reason}</p>}
        {outcome?.type === "exists" && (
          <div class="note">
            <p>{outcome.reason}. Replace what is there?</p>
            <p class="buttons">
              <button type="button" class="main" onClick={() => void start(true)}>
                Replace it
              </button>
              <button type="button" onClick={() => setOutcome(undefined)}>
                Keep what is there
              </button>
            </p>
          </div>
        )}
      </div>
      {outcome?.type !== "exists" && (
        <p class="buttons">
          <button
            type="button"
            autofocus
            class={outcome === undefined ? "main" : ""}
            disabled={isBusy || !isSaved || pictures.length === 0}
            onClick={() => void start(false)}
          >
            {outcome === undefined ? "Export now" : "Export again"}
          </button>
        </p>
      )}
    </Dialog>
  );
}

function hasCaption({ state }: Picture): boolean {
  return state !== "failed" && state !== "waiting";
}

/** What a person should know before an export, by the filter that shows which pictures it is about. */
const warnings = [
  ["empty", "empty, and trained on without a description"],
  ["needs review NOT empty", "marked as needs review"],
  ["repeated", "there more than once, byte for byte, and trained on as often"],
  ["draft", "drafts, put together without a model that sees"],
  ["auto", "neither approved nor edited by anybody"],
  ["failed", "without a caption, and left out"],
  ["waiting", "still without a caption, and left out"],
] as const;

function Warnings({ store }: Props) {
  const { pictures } = store;
  const found = warnings.map(([filter, what]) => ({
    filter,
    what,
    names: pictures.filter(parseFilter(filter)).map(({ name }) => name),
  })).filter(({ names }) => names.length > 0);
  if (found.length === 0) return null;
  return (
    <ul class="problems warnings">
      {found.map(({ filter, what, names }) => (
        <li key={filter} class="calm">
          <span>
            {names.length} of {pictures.length}: {what}
            {names.length <= listedNames && <>: {listed(names)}</>}
          </span>
          <button
            type="button"
            class="small"
            aria-label={`Show the ${names.length}: ${what}`}
            onClick={() => store.set({ dialog: undefined, pane: "grid", filter })}
          >
            Show
          </button>
        </li>
      ))}
    </ul>
  );
}

function Written({ outcome }: { readonly outcome: Extract<ExportOutcome, { type: "written" }> }) {
  const { zips, folder, target, leftOut } = outcome;
  return (
    <div class="note good">
      {zips.map(({ file, bytes, sha256, verification, empty, notes, ...counts }) => (
        <div key={file}>
          <h3>✓ {file} is ready</h3>
          <p>
            Read by the rules of {target}: <b>{verification}</b>
          </p>
          <ul>
            {counts.prepared > 0 && (
              <li>{counts.prepared} prepared (turned upright or converted)</li>
            )}
            {counts.drafts > 0 && (
              <li>{counts.drafts} {counts.drafts === 1 ? "is a draft" : "are drafts"}</li>
            )}
            {counts.need_review > 0 && (
              <li>{counts.need_review === 1 ? "1 needs" : `${counts.need_review} need`} review</li>
            )}
            {empty.length > 0 && (
              <li>
                <b>{empty.length} {empty.length === 1 ? "is" : "are"} empty</b>: {listed(empty)}
              </li>
            )}
            {notes.map((note) => <li key={note}>{note}</li>)}
          </ul>
          <p>
            <a class="button main" href={`/zip/${sha256}`} download={file.split("/").at(-1)}>
              Download {file.split("/").at(-1)} ({sizeWords(bytes)})
            </a>
          </p>
          <p class="muted">
            It is also in <code>{folder}</code>
          </p>
        </div>
      ))}
      {leftOut.length > 0 && (
        <p>Left out: {leftOut.slice(0, 5).join("; ")}{leftOut.length > 5 && " …"}</p>
      )}
    </div>
  );
}
