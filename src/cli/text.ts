export { counted } from "../runtime/end_words.ts";

/** Rows with their columns lined up; the last column is not padded. */
export function alignedRows(
  rows: readonly (readonly string[])[],
  alignments: readonly ("left" | "right")[] = [],
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => widths[column] = Math.max(widths[column] ?? 0, cell.length));
  }
  return rows.map((row) =>
    row.map((cell, column) => {
      if (alignments[column] === "right") return cell.padStart(widths[column]!);
      return column === row.length - 1 ? cell : cell.padEnd(widths[column]!);
    }).join("  ").trimEnd()
  );
}

/** A time span for people: "0.4 s", "3 min 5 s". */
export function duration(elapsedMs: number): string {
  const seconds = elapsedMs / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** A text from outside, such as a file name, without what could steer a terminal. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu,
    (each) => `\\u${each.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
}

/** A word as a POSIX shell reads it back. */
export function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) && !text.startsWith("-")
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}
