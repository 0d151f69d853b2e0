import type { Counts, ItemCounts } from "./event.ts";
import { grouping } from "./numbers.ts";

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

/** What was done about the others: "4 tasks ran, 4 cached"; "" where nothing was. */
export function doneWords(counts: Counts): string {
  const parts = (["ran", "cached", "skipped"] as const).filter((outcome) => counts[outcome] > 0);
  return parts.map((outcome, index) => {
    const count = counts[outcome];
    return `${index === 0 ? counted(count, "task") : grouping(count)} ${outcome}`;
  }).join(", ");
}
