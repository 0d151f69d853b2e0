import { causeOf, isUnknownCause, patternOf, type Shortfall, wayOutOf } from "./cause.ts";

/** A task that came to nothing. */
export interface Failure {
  readonly node: string;
  /** Undefined for a task on the whole collection. */
  readonly item?: string;
  readonly outcome: Shortfall;
  readonly reason: string;
}

/** Failures of one node with one cause. */
export interface FailureGroup {
  readonly node: string;
  /** The step that the node uses; "" where it is not known. */
  readonly step: string;
  readonly outcome: Exclude<Shortfall, "skipped">;
  /** Stable: see `causeOf`. */
  readonly code: string;
  /** What that is, for a person. */
  readonly title: string;
  readonly count: number;
  /** How it was put, without names and numbers, the commonest first. */
  readonly wordings: readonly { readonly text: string; readonly count: number }[];
  /** A few in full, or as many as were asked for; one a wording first. */
  readonly examples: readonly { readonly item?: string; readonly reason: string }[];
  /** Tasks that were skipped because of these items or this node. */
  readonly skipped: number;
  /** What can be done, the reason's own way out first. */
  readonly advice: readonly string[];
}

export interface GroupOptions {
  /** Examples that a group has at most. */
  readonly mostExamples?: number;
}

const fewExamples = 3;
const mostAdvice = 3;
const mostWordings = 5;

const order: readonly Shortfall[] = ["failed", "waiting", "rejected", "skipped"];

/**
 * Groups what came to nothing by node and cause: failures first, then what waits, then what was left
 * out, each with the largest group in front. Reasons that no rule knows are told apart by their words.
 * `steps` has the step of each node.
 */
export function groupFailures(
  failures: Iterable<Failure>,
  steps: Readonly<Record<string, string>> = {},
  { mostExamples = fewExamples }: GroupOptions = {},
): FailureGroup[] {
  const groups = new Map<string, OpenGroup>();
  const skips: Failure[] = [];
  for (const failure of failures) {
    if (failure.outcome === "skipped") {
      skips.push(failure);
      continue;
    }
    const key = keyOf(failure);
    let group = groups.get(key);
    if (group === undefined) {
      group = new OpenGroup(failure, steps[failure.node] ?? "", mostExamples);
      groups.set(key, group);
    }
    group.add(failure);
  }
  countSkips([...groups.values()], skips);
  return [...groups.values()].map((group) => group.close()).sort((a, b) =>
    order.indexOf(a.outcome) - order.indexOf(b.outcome) || b.count - a.count ||
    compare(a.node, b.node) || compare(a.code, b.code) ||
    compare(a.wordings[0]!.text, b.wordings[0]!.text)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function keyOf({ node, item, outcome, reason }: Failure): string {
  const cause = causeOf(outcome, reason);
  const words = isUnknownCause(cause) ? patternOf(reason, item) : "";
  return [outcome, node, cause.code, words].join("\0");
}

class OpenGroup {
  readonly #wordings = new Map<string, { count: number; readonly examples: Failure[] }>();
  readonly items = new Set<string | undefined>();
  #count = 0;
  skipped = 0;

  constructor(
    readonly first: Failure,
    readonly step: string,
    readonly mostExamples: number,
  ) {}

  add(failure: Failure): void {
    this.#count++;
    this.items.add(failure.item);
    const text = patternOf(failure.reason, failure.item);
    const wording = this.#wordings.get(text) ?? { count: 0, examples: [] };
    wording.count++;
    if (wording.examples.length < this.mostExamples) wording.examples.push(failure);
    this.#wordings.set(text, wording);
  }

  close(): FailureGroup {
    const { node, outcome, reason } = this.first;
    const { code, title, advice } = causeOf(outcome, reason);
    const wordings = [...this.#wordings].sort((a, b) => b[1].count - a[1].count);
    const waysOut = wordings.flatMap(([, { examples }]) => wayOutOf(examples[0]!.reason) ?? []);
    return {
      node,
      step: this.step,
      outcome: outcome as FailureGroup["outcome"],
      code,
      title,
      count: this.#count,
      wordings: wordings.slice(0, mostWordings).map(([text, { count }]) => ({ text, count })),
      examples: examplesOf(wordings.map(([, { examples }]) => examples), this.mostExamples),
      skipped: this.skipped,
      advice: [...new Set([...waysOut.slice(0, mostAdvice - 1), advice])],
    };
  }
}

/** One of each wording, then the second of each, until there are enough. */
function examplesOf(
  wordings: readonly (readonly Failure[])[],
  most: number,
): FailureGroup["examples"] {
  const examples: Failure[] = [];
  const turns = Math.max(...wordings.map(({ length }) => length));
  for (let turn = 0; turn < turns && examples.length < most; turn++) {
    examples.push(...wordings.flatMap((each) => each[turn] ?? []));
  }
  return examples.slice(0, most).map(({ item, reason }) => ({ item, reason }));
}

/** A skipped task names the node that it waited for: `left out at "a": left out at "b": why`. */
const blame = /(?:left out|held up) at "([^"]*)"/g;

function countSkips(groups: readonly OpenGroup[], skips: readonly Failure[]) {
  const byTask = new Map<string, OpenGroup>();
  const byNode = new Map<string, OpenGroup>();
  for (const group of groups) {
    const { node } = group.first;
    byNode.set(node, byNode.get(node) ?? group);
    for (const item of group.items) byTask.set(`${node}\0${item ?? ""}`, group);
  }
  for (const { item, reason } of skips) {
    const node = [...reason.matchAll(blame)].at(-1)?.[1];
    if (node === undefined) continue;
    const group = byTask.get(`${node}\0${item ?? ""}`) ?? byTask.get(`${node}\0`) ??
      byNode.get(node);
    if (group !== undefined) group.skipped++;
  }
}

/** A group as a person reads it, the same on a terminal and on every page. JSON. */
export interface FailureWords {
  readonly outcome: FailureGroup["outcome"];
  /** `3 pictures failed: the file is cut short (file-truncated at proxies, image.proxy)` */
  readonly headline: string;
  /** How often it was put how: `2 × JPEG ends after N bytes`; none for a single one. */
  readonly wordings: readonly string[];
  readonly examples: FailureGroup["examples"];
  /** How many there are besides the examples. */
  readonly more: number;
  /** What else did not happen: `4 tasks skipped because of this`. */
  readonly consequence?: string;
  /** What can be done, as sentences without full stops. */
  readonly advice: readonly string[];
}

const outcomeWords = { failed: "failed", rejected: "left out", waiting: "waiting" } as const;

/** Puts a group into words. */
export function wordsOf(group: FailureGroup): FailureWords {
  const { node, step, outcome, code, title, count, wordings, examples, skipped, advice } = group;
  const noun = examples.some(({ item }) => item !== undefined) ? "picture" : "task";
  const place = [node, step].filter((each) => each !== "").join(", ");
  const isSingle = wordings.length === 1 && wordings[0]!.count === 1;
  return {
    outcome,
    headline: `${counted(count, noun)} ${outcomeWords[outcome]}: ${title} (${code}${
      place === "" ? "" : ` at ${place}`
    })`,
    wordings: isSingle
      ? []
      : wordings.map(({ text, count: times }) => `${times.toLocaleString("en")} × ${text}`),
    examples,
    more: count - examples.length,
    ...skipped > 0 ? { consequence: `${counted(skipped, "task")} skipped because of this` } : {},
    advice,
  };
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
