/**
 * The candidate that `name` most probably meant, or undefined when none is near: one that differs by
 * letter case, separators or word order, by a slip or two of the keyboard, by a word left out or too
 * many (`short_side` for `short_side_px`, `proxy` for `image.proxy`), or another word for the same.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  return nearestOf(name, candidates)[0];
}

/** The candidate that `name` surely meant: near, and nothing else is as near. */
export function obvious(name: string, candidates: Iterable<string>): string | undefined {
  const near = nearestOf(name, candidates);
  return near.length === 1 ? near[0] : undefined;
}

/** All candidates that are equally near, in the order given; empty when none is near. */
function nearestOf(name: string, candidates: Iterable<string>): readonly string[] {
  const wanted = formOf(name);
  let best: string[] = [];
  let bestScore = Infinity;
  for (const candidate of new Set(candidates)) {
    const score = unlikeness(wanted, formOf(candidate));
    if (score === undefined || score > bestScore) continue;
    if (score < bestScore) best = [];
    bestScore = score;
    best.push(candidate);
  }
  return best;
}

/** `Did you mean "x"?`, or the list of what there is when nothing is near. */
export function suggestion(
  name: string,
  candidates: readonly string[],
  noun: string,
): string | undefined {
  const near = nearestOf(name, candidates);
  if (near.length > 0) {
    return `Did you mean ${near.slice(0, 3).map((each) => JSON.stringify(each)).join(" or ")}?`;
  }
  if (candidates.length === 0) return undefined;
  const shown = candidates.slice(0, 12).map((candidate) => JSON.stringify(candidate)).join(", ");
  return `${noun}: ${shown}${candidates.length > 12 ? ", …" : ""}`;
}

/** A name taken apart for comparison: small letters and digits only. */
interface Form {
  readonly letters: string;
  /** Without the "s" of a plural. */
  readonly words: readonly string[];
}

function formOf(name: string): Form {
  const parted = name.slice(0, 200).replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1 $2").toLowerCase();
  const words = parted.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
  return { letters: words.join(""), words: words.map(singular) };
}

function singular(word: string): string {
  if (word.length > 4 && word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  return word.length > 3 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word;
}

/** 0 for names that are the same but for case and separators; undefined for names that are not alike. */
function unlikeness(wanted: Form, candidate: Form): number | undefined {
  if (wanted.letters === "" || candidate.letters === "") return undefined;
  if (wanted.letters === candidate.letters) return 0;
  const scores = [
    isOneSlipAway(wanted.letters, candidate.letters) ? 1 : undefined,
    // Word by word where that can be: what two names share ("image.") must not excuse the rest.
    isSameLength(wanted, candidate) ? undefined : wordUnlikeness(wanted.letters, candidate.letters),
    wordsApart(wanted.words, candidate.words),
    isStartOf(wanted.letters, candidate.letters) ? 3 : undefined,
  ].filter((score) => score !== undefined);
  return scores.length === 0 ? undefined : Math.min(...scores);
}

function isSameLength(a: Form, b: Form): boolean {
  return a.words.length === b.words.length && a.words.length > 1;
}

/** Of the whole name: `fces_model` is `faces_model` rather than `model`. Digits alone say nothing. */
function isOneSlipAway(wanted: string, candidate: string): boolean {
  return Math.max(wanted.length, candidate.length) > 3 && /\p{L}/u.test(candidate) &&
    Math.abs(wanted.length - candidate.length) < 2 && editsBetween(wanted, candidate) === 1;
}

/** 0 for the same word, undefined for words that are not alike. */
function wordUnlikeness(wanted: string, candidate: string): number | undefined {
  const edits = editsBetween(wanted, candidate);
  if (edits <= allowedSlips(Math.max(wanted.length, candidate.length))) return edits;
  const isMeant = areSynonyms(wanted, candidate) || isAbbreviation(wanted, candidate) ||
    (wanted.length > 3 && sortedLetters(wanted) === sortedLetters(candidate));
  return isMeant ? 2 : undefined;
}

/** A third of the letters, roughly: more make any short name like any other. */
function allowedSlips(length: number): number {
  if (length < 3) return 0;
  return length < 6 ? 1 : Math.min(4, Math.floor(length / 3));
}

/** Where all words of the shorter name are, slips allowed, in the longer one: slips and words over. */
function wordsApart(a: readonly string[], b: readonly string[]): number | undefined {
  const [few, many] = a.length <= b.length ? [a, b] : [b, a];
  if (!few.some((word) => word.length >= 3)) return undefined;
  const rest = [...many];
  let total = 0;
  for (const word of few) {
    const scores = rest.map((other) =>
      (few === a ? wordUnlikeness(word, other) : wordUnlikeness(other, word)) ?? Infinity
    );
    const least = Math.min(...scores);
    if (least === Infinity) return undefined;
    total += least;
    rest.splice(scores.indexOf(least), 1);
  }
  // One misspelt word out of three says little.
  return total > 0 && rest.length > 1 ? undefined : 1 + total + rest.length / 2;
}

/** `min` for `minimum`, `shortside` for `short_side_px`, `automatic` for `auto`. */
function isStartOf(wanted: string, candidate: string): boolean {
  return (wanted.length >= 3 && candidate.startsWith(wanted)) ||
    (candidate.length >= 4 && wanted.startsWith(candidate));
}

/** `img` for `image`, `fmt` for `format`: its consonants, or some of them. */
function isAbbreviation(wanted: string, candidate: string): boolean {
  if (wanted.length < 3 || wanted[0] !== candidate[0] || /[aeiou]/.test(wanted.slice(1))) {
    return false;
  }
  let at = 0;
  for (const letter of candidate) if (letter === wanted[at]) at++;
  return at === wanted.length;
}

function sortedLetters(word: string): string {
  return [...word].sort().join("");
}

/** What other tools and people call the things of a recipe, one meaning a line. */
const synonyms: readonly (readonly string[])[] = [
  ["recipe", "name", "pipeline"],
  ["about", "description", "desc", "doc", "comment", "title"],
  ["params", "parameters", "variables", "vars", "inputs", "options"],
  ["steps", "nodes", "stages", "jobs", "tasks", "pipeline"],
  ["use", "uses", "step", "run", "type", "op"],
  ["from", "input", "inputs", "source", "needs", "dependson", "in"],
  ["with", "params", "parameters", "args", "arguments", "options", "config", "settings"],
  ["type", "kind"],
  ["default", "value"],
  ["minimum", "lowest", "least", "ge", "gte"],
  ["maximum", "highest", "most", "le", "lte"],
  ["choices", "values", "options", "enum", "oneof"],
  ["string", "text", "str"],
  ["integer", "int"],
  ["number", "float", "double", "decimal"],
  ["boolean", "bool", "flag"],
  ["choice", "enum", "select"],
  ["list", "array", "sequence"],
  ["folder", "directory", "dir", "path"],
  ["file", "path", "filename"],
  ["px", "pixel"],
  ["percent", "pct"],
  ["ms", "millisecond"],
];

function areSynonyms(a: string, b: string): boolean {
  return synonyms.some((words) => words.includes(a) && words.includes(b));
}

/**
 * Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (optimal string
 * alignment: Damerau 1964, with each stretch edited once).
 */
function editsBetween(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] &&
        a[row - 2] === b[column - 1];
      current[column] = Math.min(
        previous[column]! + 1,
        current[column - 1]! + 1,
        previous[column - 1]! + (isSame ? 0 : 1),
        isSwapped ? before[column - 2]! + 1 : Infinity,
      );
    }
    before = previous;
    previous = current;
  }
  return previous[b.length]!;
}
