/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/// <reference lib="dom" />
import type { ComponentChild } from "preact";
import { useEffect, useState } from "preact/hooks";
import { DetailPane } from "./detail.tsx";
import { HelpDialog, HistoryDialog, RegenerateDialog } from "./dialogs.tsx";
import { ExportDialog, PreviewDialog } from "./export_dialog.tsx";
import { FailureGroups } from "./failures.tsx";
import { GridPane } from "./grid.tsx";
import { ReplaceDialog } from "./replace_dialog.tsx";
import { type DialogName, stays, type Store } from "./store.ts";
import { progressWords, saveWords } from "./words.ts";

interface Props {
  readonly store: Store;
}

/** The whole page. */
export function App({ store }: Props) {
  const [, draw] = useState(0);
  useEffect(() => store.subscribe(() => draw((count) => count + 1)), []);
  return (
    <div class={`page shows-${store.pane}`}>
      <TopBar store={store} />
      <Banner store={store} />
      <main>
        <GridPane store={store} />
        <DetailPane store={store} />
      </main>
      <StatusBar store={store} />
      <OpenDialog store={store} />
    </div>
  );
}

function TopBar({ store }: Props) {
  const { about, pictures } = store;
  const approved = pictures.filter(({ state }) => state === "approved").length;
  const open = (dialog: DialogName) => () => store.set({ dialog });
  return (
    <header class="top">
      <div class="titles">
        <h1>
          Captions for <code>{about?.trigger}</code>
        </h1>
        <p class="muted">
          1 correct, 2 approve ({approved} of {pictures.length})
          <span class="wide">, 3 export</span>
        </p>
      </div>
      <nav aria-label="Tools">
        <button type="button" aria-keyshortcuts="F" onClick={open("replace")}>
          <span>
            Find <span class="wide">and replace</span>
          </span>
        </button>
        <button
          type="button"
          aria-keyshortcuts="Shift+R"
          disabled={store.filtered.length === 0}
          onClick={() => void store.askAnew("filtered")}
        >
          Caption {store.filter.trim() === "" ? "all" : "filtered"} anew
        </button>
        <button type="button" aria-keyshortcuts="P" onClick={open("preview")}>
          <span>
            Preview <span class="wide">metadata.txt</span>
          </span>
        </button>
        <button type="button" aria-keyshortcuts="?" onClick={open("help")}>
          Help <kbd>?</kbd>
        </button>
        <button type="button" class="main" aria-keyshortcuts="X" onClick={open("export")}>
          Export zip
        </button>
      </nav>
    </header>
  );
}

/** How far the run is, and what is wrong with the dataset as a whole. */
function Banner({ store }: Props) {
  const { progress, pictures, about } = store;
  if (progress === undefined) return null;
  const { phase, done, total, problems, failures } = progress;
  const isDraft = phase === "idle" && about?.provider === "draft" &&
    pictures.some(({ source }) => source === "draft");
  return (
    <>
      <div class="progress" role="status">
        {phase !== "idle" && (
          <>
            <progress value={done} max={Math.max(1, total)} aria-label="Progress" />
            <span>{progressWords(progress)}</span>
          </>
        )}
      </div>
      {(about?.isDefaultTrigger || isDraft) && (
        <div class="banner">
          {about?.isDefaultTrigger && (
            <p>
              The trigger word <code>{about.trigger}</code>{" "}
              only holds the place of yours. Start again with <code>--set trigger=your_word</code>
              <span class="wide">: every caption takes it over, edited ones too</span>.
            </p>
          )}
          {isDraft && (
            <p>
              These captions are <b>drafts</b>
              <span class="wide">, put together from measurements</span>. For captions by a model
              that sees, start with <code>--set provider=gemini</code>
              <span class="wide">&#32;(or bedrock, openai_compatible)</span>.
            </p>
          )}
        </div>
      )}
      {phase === "idle" && (problems.length > 0 || failures.length > 0) && (
        <div class="banner bad" role="alert">
          <div class="causes">
            {problems.length > 0 && (
              <ul>{problems.map((problem) => <li key={problem}>{problem}</li>)}</ul>
            )}
            <FailureGroups failures={failures} />
          </div>
          <button
            type="button"
            onClick={() =>
              store.look()}
          >
            Try again
          </button>
        </div>
      )}
    </>
  );
}

/** What is saved, and the newest message: in a row of its own, so that it covers nothing. */
function StatusBar({ store }: Props) {
  const { notice, saveState, isConnected } = store;
  const isCalm = isConnected && (saveState.type === "saved" || saveState.type === "saving");
  return (
    <footer class="status-bar">
      <span id="save-state" role="status" class={`save ${isCalm ? saveState.type : "trouble"}`}>
        {saveWords(saveState, isConnected)}
      </span>
      <div class="notice">
        <span role="status">{notice?.isUrgent ? "" : notice?.text}</span>
        {notice?.isUrgent && <span role="alert" class="bad">{notice.text}</span>}
        {notice?.actions?.map(({ label, does }) => (
          <button key={label} type="button" class="small" onClick={does}>{label}</button>
        ))}
        {notice !== undefined && stays(notice) && (
          <button
            type="button"
            class="small"
            onClick={() => store.notify(undefined)}
          >
            Dismiss
          </button>
        )}
      </div>
    </footer>
  );
}

const dialogs: Readonly<Record<DialogName, (props: Props) => ComponentChild>> = {
  help: HelpDialog,
  history: HistoryDialog,
  regenerate: RegenerateDialog,
  replace: ReplaceDialog,
  preview: PreviewDialog,
  export: ExportDialog,
};

function OpenDialog({ store }: Props) {
  if (store.dialog === undefined) return null;
  const Shown = dialogs[store.dialog];
  return <Shown key={store.dialog} store={store} />;
}
