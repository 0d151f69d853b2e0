/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import type { Picture } from "../dataset.ts";
import { tokenEstimate, tokenizerName, tokenLimit } from "../tokens.ts";
import { approveAndGoOn, step } from "./keys.ts";
import { canApprove, type Store } from "./store.ts";
import { listed, stateWords } from "./words.ts";

/** The picture that is open, its caption, and what can be done with it. */
export function DetailPane({ store }: { readonly store: Store }) {
  const { picture } = store;
  usePrefetch(store);
  if (picture === undefined) {
    return (
      <section class="detail-pane none" aria-label="Picture">
        <p class="muted">Choose a picture to read and correct its caption.</p>
      </section>
    );
  }
  return (
    <section class="detail-pane" aria-label={`Picture ${picture.name}`}>
      <Head store={store} picture={picture} />
      <View picture={picture} />
      <CaptionBox store={store} picture={picture} />
      <Actions store={store} picture={picture} />
    </section>
  );
}

function Head({ store, picture }: Props) {
  const { visible } = store;
  const at = visible.findIndex(({ sha256 }) => sha256 === picture.sha256);
  const { name, state, source, locked, width, height } = picture;
  return (
    <div class="detail-head">
      <button type="button" class="back" onClick={() => store.set({ pane: "grid" })}>
        ‹ All pictures
      </button>
      <h2>{name}</h2>
      <span class={`badge ${state}`}>{stateWords[state]}</span>
      {source === "draft" && <span class="badge draft">draft</span>}
      {locked && <span class="badge locked">locked</span>}
      <span class="muted size">{width} × {height}</span>
      <span class="steps">
        <button
          type="button"
          disabled={at <= 0}
          onClick={() => step(store, -1)}
          title="Previous (←)"
          aria-label="Previous"
        >
          ‹<span class="wide">Previous</span>
        </button>
        <span class="muted">{at + 1} of {visible.length}</span>
        <button
          type="button"
          disabled={at >= visible.length - 1}
          onClick={() => step(store, 1)}
          title="Next (→)"
          aria-label="Next"
        >
          <span class="wide">Next</span>›
        </button>
      </span>
    </div>
  );
}

interface Props {
  readonly store: Store;
  readonly picture: Picture;
}

/** The thumbnail, which is there already, stands in until the large picture has come. */
function View({ picture: { sha256, name, width, height } }: { readonly picture: Picture }) {
  const [unreadable, setUnreadable] = useState("");
  return (
    <div class="view">
      {unreadable === sha256
        ? (
          <p class="muted">
            This picture cannot be shown: it is damaged, or was changed or removed.
          </p>
        )
        : (
          <img
            key={sha256}
            class="large"
            src={`/large/${sha256}`}
            width={width}
            height={height}
            alt={`The photo ${name}`}
            style={{ backgroundImage: `url(/thumbnail/${sha256})` }}
            onError={() => setUnreadable(sha256)}
          />
        )}
    </div>
  );
}

function CaptionBox({ store, picture }: Props) {
  const { caption, copies, locked, problems, reason, repeats, source, trigger, state } = picture;
  const tokens = tokenEstimate(caption);
  return (
    <div class="caption">
      <label for="caption">Caption</label>
      <textarea
        id="caption"
        value={caption}
        rows={4}
        maxLength={10_000}
        readOnly={locked}
        spellcheck
        lang="en"
        aria-describedby="caption-facts caption-problems"
        placeholder={state === "waiting" && reason === null
          ? "The caption is on its way; you can write your own."
          : ""}
        onKeyDown={(event) => {
          // A caption is one line.
          if (event.key === "Enter" && !event.isComposing) event.preventDefault();
        }}
        onInput={({ currentTarget }) => {
          const text = currentTarget.value.replace(/\s*[\r\n\u2028\u2029\v\f]+\s*/g, " ");
          if (text !== currentTarget.value) currentTarget.value = text;
          store.type(text);
        }}
      />
      <div id="caption-facts" class="facts muted">
        <span class={tokens > tokenLimit ? "over" : ""}>
          about {tokens} of {tokenLimit} tokens ({tokenizerName}, estimated)
        </span>
        <span>{caption.length} characters</span>
        <span>{originOf(picture)}</span>
      </div>
      <ul id="caption-problems" class="problems" aria-live="polite">
        {locked && (
          <li class="calm">
            Locked: asking anew and replacing leave it as it is. Unlock to write.
          </li>
        )}
        {source === "draft" && (
          <li class="calm">
            Draft: put together from measurements, by no model that sees. Please rewrite it.
          </li>
        )}
        {copies.length > 0 && (
          <li class="calm">
            The same file is there as {listed(copies)}; this caption is for all of them.
            {repeats > 0 && ` Left in the folder, it is trained on ${repeats + 1} times.`}
          </li>
        )}
        {tokens > tokenLimit && (
          <li>Longer than {tokenizerName} reads: words past token {tokenLimit} may not count.</li>
        )}
        {problems.map((problem) => <li key={problem}>{problem}</li>)}
        {caption !== "" && !caption.includes(trigger) && problems.length === 0 && (
          <li>the trigger word “{trigger}” is not in it</li>
        )}
        {reason !== null && <li>{reason}</li>}
        {reason !== null && (state === "failed" || state === "waiting") && caption !== "" && (
          <li>Your text is kept. It can be exported once captioning this picture works.</li>
        )}
      </ul>
    </div>
  );
}

function originOf({ source, model }: Picture): string {
  if (source === "person") return "written by you";
  if (source === "draft") return "a draft, without a model";
  return source === "model" ? `by ${model ?? "a model"}` : "";
}

function Actions({ store, picture }: Props) {
  const { sha256, state, locked, source } = picture;
  const isApproved = state === "approved";
  return (
    <div class="actions" role="group" aria-label="What to do with this caption">
      <button
        type="button"
        class="main"
        aria-keyshortcuts="Control+Enter"
        disabled={!canApprove(picture)}
        onClick={() => approveAndGoOn(store)}
      >
        Approve, next <kbd>Ctrl ⏎</kbd>
      </button>
      <button
        type="button"
        aria-pressed={isApproved}
        aria-keyshortcuts="A"
        disabled={!canApprove(picture)}
        onClick={() => store.approve(picture)}
      >
        {isApproved ? "Approved ✓" : "Approve"} <kbd>A</kbd>
      </button>
      <button
        type="button"
        aria-keyshortcuts="M"
        disabled={state === "needs_review" || state === "failed" || state === "waiting"}
        onClick={() => store.change(picture, { state: "needs_review" })}
      >
        Mark for review <kbd>M</kbd>
      </button>
      <button
        type="button"
        aria-pressed={locked}
        aria-keyshortcuts="L"
        onClick={() => store.change(picture, { locked: !locked })}
      >
        {locked ? "Unlock" : "Lock"} <kbd>L</kbd>
      </button>
      <button
        type="button"
        aria-keyshortcuts="Control+Z"
        disabled={!store.canUndo(sha256)}
        onClick={() => store.undo(sha256)}
      >
        Undo <kbd>U</kbd>
      </button>
      <button
        type="button"
        aria-keyshortcuts="Control+Y"
        disabled={!store.canRedo(sha256)}
        onClick={() => store.redo(sha256)}
      >
        Redo <kbd>⇧U</kbd>
      </button>
      <button
        type="button"
        aria-keyshortcuts="Y"
        onClick={() => store.set({ dialog: "history" })}
      >
        History <kbd>Y</kbd>
      </button>
      <button
        type="button"
        aria-keyshortcuts="B"
        disabled={source !== "person" || locked}
        onClick={() => store.change(picture, { state: "auto" })}
      >
        Back to the model’s <kbd>B</kbd>
      </button>
      <button
        type="button"
        aria-keyshortcuts="R"
        disabled={locked}
        onClick={() => store.askAnew("one")}
      >
        Caption anew <kbd>R</kbd>
      </button>
    </div>
  );
}

/** The pictures so many places on are fetched and decoded before anybody asks for them. */
const ahead = [1, 2, 3, -1];

function usePrefetch(store: Store) {
  const { current, visible } = store;
  useEffect(() => {
    for (const steps of ahead) {
      const next = store.neighbour(steps);
      if (current === undefined || next === undefined) continue;
      const image = new Image();
      image.src = `/large/${next.sha256}`;
      image.decode().catch(() => {});
    }
  }, [current, visible.length]);
}
