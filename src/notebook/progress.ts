import { doneWords, missingWords } from "../runtime/end_words.ts";
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
  readonly #tasks = { rejected: 0, failed: 0, waiting: 0 };
  readonly #items = {
    rejected: new Set<string>(),
    failed: new Set<string>(),
    waiting: new Set<string>(),
  };

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
        this.#noteProblem(event);
        break;
      case "run-finished":
        this.#end = endText(event);
        break;
      default:
        break;
    }
  }

  #noteProblem({ outcome, item }: Extract<RunEvent, { readonly type: "task-settled" }>) {
    if (outcome !== "rejected" && outcome !== "failed" && outcome !== "waiting") return;
    this.#tasks[outcome]++;
    if (item !== undefined) this.#items[outcome].add(item);
  }

  text(): string {
    if (this.#end !== undefined) return `${this.#recipe}: ${this.#end}`;
    // Tasks on the whole collection are not announced, so the end can be a little further off.
    const total = Math.max(this.#total, this.#done);
    const share = total === 0 ? 0 : this.#done / total;
    const filled = Math.round(share * barLength);
    const bar = "█".repeat(filled) + "░".repeat(barLength - filled);
    const { rejected, failed, waiting } = this.#items;
    const items = { rejected: rejected.size, failed: failed.size, waiting: waiting.size };
    return [
      `${this.#recipe} ${bar} ${this.#done} of ${total} tasks`,
      ...missingWords(this.#tasks, items),
      this.#node,
    ].filter((part) => part !== "").join(", ");
  }
}

const barLength = 24;

type Finished = Extract<RunEvent, { readonly type: "run-finished" }>;

function endText({ status, counts, items, elapsedMs }: Finished): string {
  const time = `${status} in ${(elapsedMs / 1000).toFixed(1)} s`;
  const words = [[time, ...missingWords(counts, items)].join(", "), doneWords(counts)];
  return words.filter((part) => part !== "").join("; ");
}
