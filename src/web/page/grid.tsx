/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/// <reference lib="dom" />
import { memo } from "preact/compat";
import { useEffect, useRef } from "preact/hooks";
import type { Picture } from "../dataset.ts";
import type { Store } from "./store.ts";
import { isAlwaysOffered, labelOf, offeredFilters, stateWords } from "./words.ts";
import { parseFilter } from "../filter.ts";

const isEmpty = parseFilter("empty");

/** Filter box and chips, and below them the pictures that they let through. */
export function GridPane({ store }: { readonly store: Store }) {
  return (
    <section class="grid-pane" aria-label="Pictures">
      <FilterBar store={store} />
      {store.filtered.length === 0 && store.visible.length > 0 && (
        <p class="banner">No picture matches. The one below is here because it is open.</p>
      )}
      <Grid store={store} pictures={store.visible} current={store.current} />
    </section>
  );
}

function FilterBar({ store }: { readonly store: Store }) {
  const { filter, pictures, filtered } = store;
  return (
    <div class="filter-bar" role="search">
      <div class="filter-row">
        <label for="filter">Filter</label>
        <input
          id="filter"
          type="search"
          value={filter}
          placeholder="needs review, window …"
          autocomplete="off"
          spellcheck={false}
          aria-describedby="filter-count"
          onInput={({ currentTarget }) => store.set({ filter: currentTarget.value })}
        />
        <span id="filter-count" class="muted" role="status">
          {filtered.length === pictures.length
            ? `${pictures.length}`
            : `${filtered.length} of ${pictures.length}`}
        </span>
      </div>
      <div class="chips" role="group" aria-label="Show only">
        {offeredFilters.map(([text, label]) => {
          const count = pictures.filter(parseFilter(text)).length;
          if (count === 0 && !isAlwaysOffered(text)) return null;
          return (
            <button
              key={text}
              type="button"
              class="chip"
              aria-pressed={filter.trim() === text}
              onClick={() => store.set({ filter: text })}
            >
              {label} <b>{count}</b>
            </button>
          );
        })}
      </div>
    </div>
  );
}

interface GridProps {
  readonly store: Store;
  readonly pictures: readonly Picture[];
  readonly current: string | undefined;
}

/**
 * Cards in rows; those out of sight are neither laid out nor painted (`content-visibility`), and their
 * pictures not fetched.
 */
const Grid = memo(function Grid({ store, pictures, current }: GridProps) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const card = list.current?.querySelector<HTMLElement>('[aria-selected="true"]');
    card?.scrollIntoView({ block: "nearest" });
    if (list.current?.contains(document.activeElement)) card?.focus({ preventScroll: true });
  }, [current]);
  if (pictures.length === 0) return <Empty store={store} />;
  const isOpen = pictures.some(({ sha256 }) => sha256 === current);
  return (
    <ul
      ref={list}
      class="grid"
      role="listbox"
      aria-label="Pictures; arrow keys choose one, Enter writes its caption"
      onKeyDown={(event) => rowKeys(event, store, list.current!)}
    >
      {pictures.map((picture, index) => (
        <Card
          key={picture.sha256}
          picture={picture}
          isOpen={picture.sha256 === current}
          isReached={isOpen ? picture.sha256 === current : index === 0}
          store={store}
        />
      ))}
    </ul>
  );
});

interface CardProps {
  readonly picture: Picture;
  readonly isOpen: boolean;
  /** Tab stops at one card only; arrows go on from it. */
  readonly isReached: boolean;
  readonly store: Store;
}

const Card = memo(function Card({ picture, isOpen, isReached, store }: CardProps) {
  const { sha256, name, copies, state, source, locked, caption } = picture;
  const open = () => {
    store.set({ pane: "picture" });
    store.open(sha256);
  };
  return (
    <li
      class={`card ${state}`}
      role="option"
      aria-selected={isOpen}
      aria-label={labelOf(picture)}
      tabIndex={isReached ? 0 : -1}
      onClick={open}
    >
      <img
        src={`/thumbnail/${sha256}`}
        alt=""
        loading="lazy"
        decoding="async"
        draggable={false}
        onError={({ currentTarget }) => currentTarget.classList.add("unreadable")}
      />
      <div class="marks">
        <span class={`badge ${state}`}>{stateWords[state]}</span>
        {source === "draft" && <span class="badge draft">draft</span>}
        {locked && <span class="badge locked">locked</span>}
        {copies.length > 0 && <span class="badge copies">× {copies.length + 1}</span>}
      </div>
      <div class="name" title={name}>{name}</div>
      <div class="words">{isEmpty(picture) ? <em>empty</em> : caption}</div>
    </li>
  );
});

/** Up and down go by rows, as they are on the screen; Home and End to the ends. */
function rowKeys(event: KeyboardEvent, store: Store, list: HTMLElement) {
  const pictures = store.visible;
  const at = pictures.findIndex(({ sha256 }) => sha256 === store.current);
  const columns = getComputedStyle(list).gridTemplateColumns.split(" ").length;
  const places: Readonly<Record<string, number>> = {
    ArrowDown: at + columns,
    ArrowUp: at - columns,
    Home: 0,
    End: pictures.length - 1,
  };
  const place = places[event.key];
  if (place === undefined) return;
  event.preventDefault();
  const picture = pictures[place];
  if (picture !== undefined) store.open(picture.sha256);
}

function Empty({ store }: { readonly store: Store }) {
  const { about, progress, pictures, filter } = store;
  if (pictures.length > 0) {
    return (
      <div class="empty">
        <p>No picture matches “{filter}”.</p>
        <button type="button" onClick={() => store.set({ filter: "" })}>Show all pictures</button>
      </div>
    );
  }
  if (progress?.phase !== "idle") {
    return (
      <div class="empty">
        <p>Looking at the folder …</p>
      </div>
    );
  }
  if (progress.problems.length > 0 || progress.failures.length > 0) {
    return (
      <div class="empty">
        <p>No picture could be shown; the reason is said above.</p>
      </div>
    );
  }
  return (
    <div class="empty">
      <h2>There are no pictures yet</h2>
      <p>Put your photos into this folder:</p>
      <p>
        <code>{about?.source}</code>
      </p>
      <p>
        <button type="button" class="main" onClick={() => store.look()}>Look again</button>
      </p>
    </div>
  );
}
