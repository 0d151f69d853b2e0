import { type LocatedEntry, type LocatedMap, type LocatedScalar, writtenText } from "./located.ts";
import type { Span } from "./source.ts";

/** Whether a key between braces stands alone, without colon and value: "dog" in `{ labels: cat, dog }`. */
export function isBare({ key: { span }, value }: LocatedEntry): boolean {
  if (value.type !== "scalar" || value.value !== null) return false;
  return /^\s*[,}]/.test(span.file.text.slice(span.end));
}

/** The text that a bare key was probably a part of, as it was written: "how good, really". */
export function textAround(map: LocatedMap, entry: LocatedEntry): string | undefined {
  if (!isBare(entry)) return undefined;
  const end = map.entries.indexOf(entry);
  const start = map.entries.slice(0, end).findLastIndex((each) => !isBare(each));
  const holder = map.entries[start]?.value;
  if (holder?.type !== "scalar" || typeof holder.value !== "string") return undefined;
  return writtenText(stretch(holder, [entry]));
}

/** The value of an entry with the bare keys behind it that have no meaning of their own. */
export function listWithoutBrackets(
  { entries }: LocatedMap,
  holder: LocatedEntry,
  known: readonly string[],
): { readonly elements: readonly LocatedScalar[]; readonly span: Span } | undefined {
  const { value } = holder;
  if (value.type !== "scalar" || value.value === null) return undefined;
  const behind = entries.slice(entries.indexOf(holder) + 1);
  const end = behind.findIndex((each) => !isBare(each) || known.includes(each.key.name));
  const bare = end < 0 ? behind : behind.slice(0, end);
  if (bare.length === 0) return undefined;
  const elements = bare.map(({ key: { name, ...place } }): LocatedScalar => ({
    ...place,
    type: "scalar",
    value: typeof value.value === "number" && /^\d+(\.\d+)?$/.test(name) ? Number(name) : name,
  }));
  return { elements: [value, ...elements], span: stretch(value, bare) };
}

function stretch({ span }: LocatedScalar, bare: readonly LocatedEntry[]): Span {
  return { ...span, end: bare.at(-1)!.key.span.end };
}
