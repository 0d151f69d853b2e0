const missing = "–";

/** `12,345.6`; a dash where there is no number. */
export function numberText(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return missing;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

/** A measured number at a precision that fits its size: `2,048`, `48.2`, `0.0312`. */
export function measuredText(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return missing;
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return numberText(value);
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}

/** Decimal units: `512 bytes`, `48.2 kB`, `3.1 MB`, `1.25 GB`. */
export function bytesText(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined || !Number.isFinite(bytes)) return missing;
  const [unit, size, digits] = bytes >= 1e9
    ? ["GB", 1e9, 2] as const
    : bytes >= 1e6
    ? ["MB", 1e6, 1] as const
    : bytes >= 1e3
    ? ["kB", 1e3, 1] as const
    : [bytes === 1 ? "byte" : "bytes", 1, 0] as const;
  return `${numberText(bytes / size, digits)} ${unit}`;
}

/** `−63 %`, `+2.5 %`: how a number changed; "no change" from nothing to nothing. */
export function changeText(before: number, after: number): string {
  if (before === after) return "no change";
  if (before === 0) return missing;
  const percent = (after - before) / Math.abs(before) * 100;
  const digits = Math.abs(percent) < 10 ? 1 : 0;
  const rounded = Number(percent.toFixed(digits));
  return rounded === 0
    ? "no change"
    : `${rounded < 0 ? "−" : "+"}${numberText(Math.abs(rounded), digits)} %`;
}

/** `1 picture`, `1,204 pictures`. */
export function countText(count: number, noun: string, plural = `${noun}s`): string {
  return `${numberText(count)} ${count === 1 ? noun : plural}`;
}

/** `4000 × 3000`. */
export function sizeText(width: number, height: number): string {
  return `${width} × ${height}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listText(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join("");
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

const measureNames: Readonly<Record<string, string>> = {
  bytes: "file size",
  jpeg_quality: "JPEG quality",
  clipped: "clipped pixels",
};

/** What a measure of a baseline is called in a sentence: `long side`, `file size`. */
export function measureName(measure: string): string {
  return Object.hasOwn(measureNames, measure)
    ? measureNames[measure]!
    : measure.replaceAll("_", " ");
}

/** Why a picture is an outlier, as a baseline says it, its measure in words. */
export function outlierText(why: string): string {
  return why.replace(/^[a-z_]+(?= )/, measureName);
}

/** A sentence with a capital first letter and a full stop. */
export function sentenceText(text: string): string {
  const [first = "", ...rest] = text;
  return first.toUpperCase() + rest.join("").replace(/[.\s]*$/, ".");
}
