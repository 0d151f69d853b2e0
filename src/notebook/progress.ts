import type { RunEvent, RunListener } from "../runtime/event.ts";
import { kernelShow, type Show } from "./kernel.ts";

export interface ProgressOptions {
  /** Where the line goes; the running cell when left out. */
  readonly show?: Show;
  /** Milliseconds from any beginning. */
  readonly now?: () => number;
}

/** The line is drawn anew at most this often; the kernel's channel takes no flood of messages. */
const redrawMs = 150;

let lines = 0;

/**
 * Shows a run in one line that is drawn anew as tasks settle. A listener for `session.run`; outside a
 * notebook it shows nothing.
 */
export function progress(options: ProgressOptions = {}): RunListener {
  const { show = kernelShow() ?? (() => {}), now = () => performance.now() } = options;
  const line = new ProgressLine();
  const id = `tintype-progress-${++lines}-${crypto.randomUUID()}`;
  let drawn = -Infinity;
  return (event) => {
    line.take(event);
    const isEnd = event.type === "run-finished";
    if (!isEnd && now() - drawn < redrawMs) return;
    drawn = now();
    show({ "text/plain": line.text() }, id);
  };
}

/** What is known of a run, as a line of text. */
class ProgressLine {
  #recipe = "";
  #done = 0;
  #total = 0;
  #node = "";
  #end: string | undefined;
  readonly #problems = { rejected: 0, failed: 0 };

  take(event: RunEvent): void {
    switch (event.type) {
      case "run-started":
        this.#recipe = event.recipe;
        break;
      case "items-found":
        this.#total += event.tasks;
        break;
      case "task-settled":
        this.#done++;
        this.#node = event.node;
        if (event.outcome === "rejected") this.#problems.rejected++;
        if (event.outcome === "failed") this.#problems.failed++;
        break;
      case "run-finished":
        this.#end = endText(event);
        break;
      default:
        break;
    }
  }

  text(): string {
    if (this.#end !== undefined) return `${this.#recipe}: ${this.#end}`;
    // Tasks on the whole collection are not announced, so the end can be a little further off.
    const total = Math.max(this.#total, this.#done);
    const share = total === 0 ? 0 : this.#done / total;
    const filled = Math.round(share * barLength);
    const bar = "█".repeat(filled) + "░".repeat(barLength - filled);
    const { rejected, failed } = this.#problems;
    return [
      `${this.#recipe} ${bar} ${this.#done} of ${total} tasks`,
      rejected > 0 ? `${rejected} left out` : "",
      failed > 0 ? `${failed} failed` : "",
      this.#node,
    ].filter((part) => part !== "").join(", ");
  }
}

const barLength = 24;

type Finished = Extract<RunEvent, { readonly type: "run-finished" }>;

function endText({ status, counts, elapsedMs }: Finished): string {
  const { ran, cached, rejected, skipped, failed, waiting } = counts;
  const others = [
    [rejected, "left out"],
    [skipped, "skipped"],
    [failed, "failed"],
    [waiting, "waiting"],
  ] as const;
  const parts = others.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return `${status} in ${(elapsedMs / 1000).toFixed(1)} s: ` +
    [`${ran} ran`, `${cached} cached`, ...parts].join(", ");
}
