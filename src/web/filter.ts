import { isEmpty } from "../captions/empty.ts";
import type { Picture } from "./dataset.ts";

/** Says which pictures are shown. */
export type Filter = (picture: Picture) => boolean;

/** What the help says of the filter box, each with an example. */
export const filterHelp = [
  ["needs review", "captions that a person should look at"],
  ["auto, edited, approved, failed, waiting", "where a caption stands"],
  ["draft, empty, locked", "composed without a model; of no words; held fast"],
  ["repeated", "photos that are there more than once, byte for byte"],
  ["window", "the word, or part of one, in the caption or the file's name"],
  ['"long table"', "these words one after the other; also a state as a plain word"],
  ["NOT window", "without the word (capitals)"],
  ["edited NOT window", "both: a blank means and"],
] as const;

const states: Readonly<Record<string, Filter>> = {
  "needs review": ({ state }) => state === "needs_review",
  needs_review: ({ state }) => state === "needs_review",
  auto: ({ state }) => state === "auto",
  edited: ({ state }) => state === "edited",
  approved: ({ state }) => state === "approved",
  failed: ({ state }) => state === "failed",
  waiting: ({ state }) => state === "waiting",
  draft: ({ source }) => source === "draft",
  empty: ({ state, caption }) => state !== "failed" && state !== "waiting" && isEmpty(caption),
  locked: ({ locked }) => locked,
  repeated: ({ repeats }) => repeats > 0,
};

interface Term {
  readonly text: string;
  readonly isQuoted: boolean;
}

/**
 * Reads a filter: terms with blanks between, all of which must hold. A term is a state, a word, or
 * "words in quotes"; `NOT` turns the next one round. Letter case does not count, but for `NOT` and `AND`.
 */
export function parseFilter(text: string): Filter {
  const filters: Filter[] = [];
  const terms = termsOf(text);
  let isTurned = false;
  for (let at = 0; at < terms.length; at++) {
    const term = terms[at]!;
    if (!term.isQuoted && term.text === "NOT" && at < terms.length - 1) {
      isTurned = !isTurned;
      continue;
    }
    if (!term.isQuoted && term.text === "AND") continue;
    const next = terms[at + 1];
    const isPair = !term.isQuoted && next !== undefined && !next.isQuoted &&
      term.text.toLowerCase() === "needs" && next.text.toLowerCase() === "review";
    if (isPair) at++;
    const holds = isPair ? states["needs review"]! : filterOf(term);
    filters.push(isTurned ? (picture) => !holds(picture) : holds);
    isTurned = false;
  }
  return (picture) => filters.every((holds) => holds(picture));
}

function filterOf({ text, isQuoted }: Term): Filter {
  const wanted = plain(text);
  const state = isQuoted || !Object.hasOwn(states, wanted) ? undefined : states[wanted];
  return state ??
    (({ caption, name }) => plain(caption).includes(wanted) || plain(name).includes(wanted));
}

/** A quote that is not closed yet, while somebody types, goes on to the end. */
function termsOf(text: string): Term[] {
  return [...text.matchAll(/["“”]([^"“”]*)(?:["“”]|$)|([^\s"“”]+)/g)].flatMap(
    ([, quoted, bare]) => {
      const term = { text: quoted ?? bare ?? "", isQuoted: quoted !== undefined };
      return term.text.trim() === "" ? [] : [term];
    },
  );
}

function plain(text: string): string {
  return text.normalize("NFC").toLowerCase();
}
