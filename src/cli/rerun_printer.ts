import { relative } from "node:path";
import { doneWords, missingWords } from "../runtime/end_words.ts";
import type { Counts, ItemCounts, RunEvent, RunListener } from "../runtime/event.ts";
import { colours } from "./colours.ts";
import { callerFolder } from "./context.ts";
import type { Hint } from "./program.ts";
import { counted, duration, printable } from "./text.ts";

/** Problems that are shown below the line of a rerun. */
const shownProblems = 5;

/** Prints the reruns of a watched recipe, a line each, and below it what went wrong since the last. */
export class RerunPrinter {
  readonly #paint = colours();
  #problems: string[] = [];
  /** What the run before said: it is not said again. */
  #shown: ReadonlySet<string> = new Set();

  constructor(readonly hint: Hint) {}

  readonly listener: RunListener = (event) => {
    const isProblem = event.type === "task-settled" &&
      ["failed", "rejected", "waiting"].includes(event.outcome);
    if (isProblem) this.#problems.push(problemLine(event, this.hint));
    else if (event.type === "blob-lost") {
      this.#problems.push(`${where(event)}: its stored result is ${event.problem}; made again`);
    }
  };

  /** Takes what the first run said as said. */
  begin(): void {
    this.#shown = new Set(this.#problems);
    this.#problems = [];
  }

  /** The line of a rerun that has ended. */
  finish(
    changed: readonly string[],
    { counts, items, elapsedMs, at }: {
      readonly counts: Counts;
      readonly items: ItemCounts;
      readonly elapsedMs: number;
      readonly at: Date;
    },
  ): void {
    const parts = [missingWords(counts, items).join(", "), doneWords(counts)];
    const what = parts.filter((part) => part !== "").join("; ") || "nothing to do";
    console.log(`${clock(at)} ${changeWords(changed)}: ${what}, ${duration(elapsedMs)}`);
    const news = this.#problems.filter((line) => !this.#shown.has(line));
    for (const line of news.slice(0, shownProblems)) {
      console.error(this.#paint.warning(`  ${printable(line)}`));
    }
    if (news.length > shownProblems) {
      console.error(
        this.hint(`  … and ${news.length - shownProblems} more (tintype errors groups them)`),
      );
    }
    this.begin();
  }
}

/** "b.jpg", "b.jpg and 3 more changes", with paths as the caller sees them. */
export function changeWords(changed: readonly string[]): string {
  const [first = "", ...others] = changed;
  const near = relative(callerFolder(), first);
  const shown = printable(near === "" || near.startsWith("..") ? first : near);
  return others.length === 0 ? shown : `${shown} and ${counted(others.length, "more change")}`;
}

/** The hour of a place's own clock, "09:04:05". */
export function clock(at: Date): string {
  return [at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((part) => String(part).padStart(2, "0")).join(":");
}

function problemLine(
  event: Extract<RunEvent, { readonly type: "task-settled" }>,
  hint: Hint,
): string {
  const verb = { rejected: "left out: ", waiting: "waiting: " }[event.outcome as string] ?? "";
  return `${where(event)}: ${verb}${hint(event.reason ?? "")}`;
}

function where({ node, item }: { readonly node: string; readonly item?: string }): string {
  return item === undefined ? node : `${item} (${node})`;
}
