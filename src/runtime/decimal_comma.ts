import type { Diagnostic } from "./diagnostic.ts";
import { type Located, type LocatedEntry, writtenText } from "./located.ts";

/** Says of `0,92` between braces, which YAML reads as 0 and a key "92", that it needs a point. */
export function decimalComma(
  map: Located | undefined,
  entry: LocatedEntry,
): Diagnostic | undefined {
  if (map?.type !== "map" || !/^\d+$/.test(entry.key.name)) return undefined;
  const number = map.entries[map.entries.indexOf(entry) - 1]?.value;
  if (number?.type !== "scalar" || typeof number.value !== "number") return undefined;
  const span = { ...number.span, end: entry.key.span.end };
  const written = writtenText(span);
  if (!/^[-+]?\d+,\d+$/.test(written)) return undefined;
  return {
    code: "bad-value",
    severity: "error",
    message: `"${written}" is no number: the comma begins another key`,
    span,
    help: /^[-+]?[1-9]\d{0,2},\d{3}$/.test(written)
      ? `Write ${written.replace(",", "")}, or ${written.replace(",", ".")} for a fraction`
      : `Write ${written.replace(",", ".")}`,
  };
}
