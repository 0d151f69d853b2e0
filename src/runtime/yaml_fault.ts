/** Something wrong in a YAML text, with the ways to mend it so that the rest can be read too. */
export interface Fault {
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly help?: string;
  readonly related?: readonly {
    readonly message: string;
    readonly start: number;
    readonly end: number;
  }[];
  /** The mend is a guess about the shape of the whole, which shows in whether it makes a recipe. */
  readonly isShaky?: boolean;
  /** The most likely first; the one is taken after which the text reads furthest. */
  readonly mends: readonly Mend[];
}

/** Edits made together, in the order of the text. */
export type Mend = readonly Edit[];

export interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

export function insertion(at: number, insert: string): Edit {
  return { at, remove: 0, insert };
}

export function removal(at: number, remove: number): Edit {
  return { at, remove, insert: "" };
}

/**
 * Quotes around a value that begins at `start`, for each place where it may end: before a comma or
 * closing bracket, or with its line; the shortest first.
 */
export function quotings(text: string, start: number, end: number): readonly QuotedMend[] {
  const written = text.slice(start, end).replace(/\s+#.*$/, "").trimEnd();
  const ends = [written.length];
  for (const { index } of written.matchAll(/\s*[,}\]]/g)) ends.push(index);
  return ends.filter((length) => length > 0).sort((a, b) => a - b).map((length) => {
    const value = written.slice(0, length);
    const quoted = quote(value);
    return { value, quoted, mend: [{ at: start, remove: length, insert: quoted }] };
  });
}

export interface QuotedMend {
  readonly value: string;
  readonly quoted: string;
  readonly mend: Mend;
}

/** A text as messages show it: cut where it is long. */
export function shown(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** A text in quotes: double ones where nothing in it means something there. */
export function quote(text: string): string {
  return /["\\]/.test(text) ? `'${text.replaceAll("'", "''")}'` : `"${text}"`;
}
