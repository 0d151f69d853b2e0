import type { RunEvent } from "../runtime/event.ts";
import { type Failure, type FailureWords, groupFailures, wordsOf } from "../runtime/failures.ts";

/** Pictures that the page names of one cause at most. */
const mostNames = 50;

/** What came to nothing in a run, in the words of `tintype errors`, as its events tell. */
export class RunFailures {
  readonly #failures: Failure[] = [];
  #steps: Readonly<Record<string, string>> = {};

  /** `isOwn` says which nodes are the recipe's; those that only watch for the page do not count. */
  constructor(
    readonly isOwn: (node: string) => boolean,
    readonly pasteable = (text: string): string => text,
  ) {}

  hear(event: RunEvent): void {
    if (event.type === "run-started") this.#steps = event.nodes;
    if (event.type !== "task-settled" || !this.isOwn(event.node)) return;
    const { node, item, outcome, reason = "" } = event;
    if (outcome === "ran" || outcome === "cached") return;
    this.#failures.push({ node, item, outcome, reason });
  }

  words(): readonly FailureWords[] {
    const groups = groupFailures(this.#failures, this.#steps, { mostExamples: mostNames });
    return groups.map(wordsOf)
      .map((words) => ({ ...words, advice: words.advice.map(this.pasteable) }));
  }
}
