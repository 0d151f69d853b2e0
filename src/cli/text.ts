import type { ItemCounts } from "../runtime/event.ts";
import { grouping } from "../runtime/numbers.ts";

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

/** "1 picture", "24 pictures". */
export function counted(count: number, noun: string): string {
  return `${grouping(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * "9 pictures", or "1 task" where no single picture ended so: what is done for all of them, or a run of an
 * earlier version, which has tasks alone.
 */
export function endedText(pictures: number | undefined, tasks: number): string {
  return pictures === undefined || pictures === 0
    ? counted(tasks, "task")
    : counted(pictures, "picture");
}

/** What did not come through: "1 picture failed", "9 pictures left out"; none where nothing is missing. */
export function missingWords(
  counts: Readonly<Record<keyof ItemCounts, number>>,
  items?: ItemCounts,
): string[] {
  const words = { failed: "failed", rejected: "left out", waiting: "waiting" } as const;
  return (["failed", "rejected", "waiting"] as const).flatMap((outcome) =>
    counts[outcome] === 0 && (items?.[outcome] ?? 0) === 0
      ? []
      : [`${endedText(items?.[outcome], counts[outcome])} ${words[outcome]}`]
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
