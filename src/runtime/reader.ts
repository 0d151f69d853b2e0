import { textAround } from "./bare_keys.ts";
import { type Diagnostic, obvious, type Related, suggestion } from "./diagnostic.ts";
import {
  describeLocated,
  type Located,
  type LocatedEntry,
  type LocatedKey,
  type LocatedMap,
  type LocatedScalar,
  writtenText,
} from "./located.ts";
import type { Span } from "./source.ts";
import { valueHelp } from "./value_help.ts";

/** What ids may be. */
const idPattern = /^[a-z][a-z0-9_]*$/;
const idRule = "small letters, digits and underscores, a letter first";

/** Whether a text can name a node or a parameter. */
export function isId(text: string): boolean {
  return idPattern.test(text);
}

/** A map's entries by the keys they were meant to have. */
export interface MatchedKeys {
  get(name: string): LocatedEntry | undefined;
  readonly unknown: readonly UnknownKey[];
}

export interface UnknownKey {
  readonly entry: LocatedEntry;
  /** The known key that it stands for; what follows from the slip is not reported. */
  readonly meant?: string;
  /** The text whose comma made it a key, with what stands before. */
  readonly around?: string;
}

/**
 * Sorts a map's entries by known keys; a misspelt key stands for the one that is not there, if
 * `isPlausible` says that its value can be that.
 */
export function matchKeys(
  map: LocatedMap,
  known: readonly string[],
  isPlausible: (name: string, value: Located) => boolean = () => true,
): MatchedKeys {
  const found = new Map<string, LocatedEntry>();
  for (const entry of map.entries) {
    if (known.includes(entry.key.name)) found.set(entry.key.name, entry);
  }
  const unknown: UnknownKey[] = [];
  for (const entry of map.entries) {
    if (known.includes(entry.key.name)) continue;
    const missing = known.filter((name) => !found.has(name));
    const near = obvious(entry.key.name, missing);
    const meant = near !== undefined && isPlausible(near, entry.value) ? near : undefined;
    if (meant !== undefined) found.set(meant, entry);
    unknown.push({ entry, meant, around: textAround(map, entry) });
  }
  return { get: (name) => found.get(name), unknown };
}

/** Reads parts of a recipe by their shape, and keeps what is wrong with them. */
export class Reader {
  constructor(readonly diagnostics: Diagnostic[]) {}

  error(
    code: string,
    message: string,
    at: Span | Located | LocatedKey,
    more: { readonly help?: string; readonly related?: readonly Related[] } = {},
  ): void {
    const span = "span" in at ? at.span : at;
    const writtenAt = "span" in at ? at.writtenAt : undefined;
    const related = [...more.related ?? [], ...writtenWhere(writtenAt)];
    this.diagnostics.push({
      code,
      severity: "error",
      message,
      span,
      help: more.help,
      related: related.length > 0 ? related : undefined,
    });
  }

  /** `form` is how the key is written, for one that is empty. */
  text(entry: LocatedEntry | undefined, key: string, form?: string): string | undefined {
    if (entry === undefined) return undefined;
    const { value } = entry;
    if (value.type === "scalar" && typeof value.value === "string") return value.value;
    this.error("bad-value", `"${key}" is text, not ${describeLocated(value)}`, value, {
      help: inQuotes(value) ?? onlyText(value) ?? (form === undefined ? form : `Write ${form}`),
    });
    return undefined;
  }

  number(entry: LocatedEntry | undefined): number | undefined {
    if (entry === undefined) return undefined;
    const { key, value } = entry;
    if (value.type === "scalar" && typeof value.value === "number") return value.value;
    this.error("bad-value", `"${key.name}" is a number, not ${describeLocated(value)}`, value, {
      help: value.type !== "scalar"
        ? undefined
        : value.value === null
        ? "Give it a number, or remove it"
        : valueHelp(value.value, sourceOf(value), [{ type: "number" }]),
    });
    return undefined;
  }

  id({ name, ...place }: LocatedKey, noun: string): void {
    if (isId(name)) return;
    this.badName(name, { name, ...place }, noun);
  }

  badName(name: string, at: Located | LocatedKey, noun: string): void {
    const mended = idFrom(name);
    this.error("bad-name", `"${name}" cannot name a ${noun} (${idRule})`, at, {
      help: mended === undefined ? undefined : `Write "${mended}"`,
    });
  }

  unknownKeys(
    { unknown }: Pick<MatchedKeys, "unknown">,
    known: readonly string[],
    sentence: string,
  ): void {
    for (const { entry: { key }, meant, around } of unknown) {
      this.error("unknown-key", `${sentence} "${key.name}"`, key, {
        help: meant !== undefined
          ? `Did you mean "${meant}"?`
          : around !== undefined
          ? commaHelp(around)
          : suggestion(key.name, known, "Keys"),
      });
    }
  }
}

/** For a key that the comma of a text between braces made. */
export function commaHelp(around: string): string {
  return `If the comma belongs to the text, put it in quotes: ${JSON.stringify(around)}`;
}

/** For what an alias put in: where it was written. */
export function writtenWhere(span: Span | undefined): readonly Related[] {
  return span === undefined ? [] : [{ message: "It was written here", span }];
}

/** `Put it in quotes: "1.10"`, for a number or the like where text is wanted. */
export function inQuotes(value: Located): string | undefined {
  if (value.type !== "scalar" || value.value === null || typeof value.value === "string") {
    return undefined;
  }
  return `Put it in quotes: "${sourceOf(value)}"`;
}

/** `Write px`, for a list of one text. */
function onlyText(value: Located): string | undefined {
  const only = value.type === "list" && value.elements.length === 1 ? value.elements[0] : undefined;
  const isText = only?.type === "scalar" && typeof only.value === "string";
  return isText ? `Write ${sourceOf(only)}` : undefined;
}

/** A scalar as it was written. */
export function sourceOf(scalar: LocatedScalar): string {
  return writtenText(scalar.writtenAt ?? scalar.span);
}

function idFrom(name: string): string | undefined {
  const id = name.normalize("NFKD").replace(/\p{M}/gu, "").replaceAll("ß", "ss")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase()
    .replace(/[^a-z0-9]+/g, "_").replace(/^[_0-9]+|_+$/g, "");
  return isId(id) ? id : undefined;
}
