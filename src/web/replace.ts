import type { Picture } from "./dataset.ts";

export interface ReplaceOptions {
  readonly find: string;
  readonly replacement: string;
  /** Letter case counts. */
  readonly isExact: boolean;
  /** Only where the text found stands as a word. */
  readonly isWhole: boolean;
}

/** A caption before and after, cut into what stays and what changes. */
export interface Replacement {
  readonly picture: Picture;
  readonly after: string;
  readonly parts: readonly { readonly text: string; readonly kind: "same" | "old" | "new" }[];
}

/** What a replacement would do, for a preview: the captions that it changes; locked ones are left. */
export function replacements(
  pictures: readonly Picture[],
  options: ReplaceOptions,
): { readonly changed: readonly Replacement[]; readonly locked: number } {
  const pattern = patternOf(options);
  if (pattern === undefined) return { changed: [], locked: 0 };
  const found = pictures.filter(({ caption }) => caption.search(pattern) >= 0);
  const free = found.filter(({ locked }) => !locked);
  return {
    changed: free.map((picture) => replacementIn(picture, pattern, options.replacement))
      .filter(({ picture: { caption }, after }) => caption !== after),
    locked: found.length - free.length,
  };
}

function patternOf({ find, isExact, isWhole }: ReplaceOptions): RegExp | undefined {
  if (find === "") return undefined;
  const literal = find.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const bounded = isWhole ? `(?<![\\p{L}\\p{N}_])${literal}(?![\\p{L}\\p{N}_])` : literal;
  return new RegExp(bounded, isExact ? "gu" : "giu");
}

function replacementIn(picture: Picture, pattern: RegExp, replacement: string): Replacement {
  const parts: { text: string; kind: "same" | "old" | "new" }[] = [];
  const add = (text: string, kind: "same" | "old" | "new") => {
    if (text !== "") parts.push({ text, kind });
  };
  let at = 0;
  for (const match of picture.caption.matchAll(pattern)) {
    add(picture.caption.slice(at, match.index), "same");
    add(match[0], "old");
    add(replacement, "new");
    at = match.index + match[0].length;
  }
  add(picture.caption.slice(at), "same");
  const after = parts.filter(({ kind }) => kind !== "old").map(({ text }) => text).join("");
  return { picture, after, parts };
}
