import type progress from "cli-progress";
import process from "node:process";
import { endedText, missingWords } from "../runtime/end_words.ts";
import type { Outcome, RunEvent, RunListener } from "../runtime/event.ts";
import { membersLeftOut } from "../runtime/failure_record.ts";
import { forcedNode, forcing } from "../runtime/forcing.ts";
import { bornSpace, type Graph } from "../runtime/graph.ts";
import { hasItemTasks } from "../runtime/stages.ts";
import type { RunReport } from "../runtime/session.ts";
import { colours } from "./colours.ts";
import { type Hint, pasteableIn } from "./program.ts";
import { counted, duration, printable } from "./text.ts";

/** Problems of one kind shown one by one; the rest is a count. */
const shownProblems = 20;

const problems: ReadonlySet<string> = new Set(["rejected", "failed", "waiting"]);

/** Plain lines say how far a run is this often. */
const plainMs = 10_000;

type Forcing = Awaited<ReturnType<typeof forcing>>;
type Call = Extract<RunEvent, { readonly type: "remote-called" }>;
type Settled = Extract<RunEvent, { readonly type: "task-settled" }>;
type Problem = Pick<Settled, "node" | "item" | "outcome" | "reason">;

/**
 * Shows a run to a person: a bar with rate and time left on a terminal, plain lines elsewhere, and
 * at the end what was left out, what failed and what came of it.
 */
export class RunPrinter {
  readonly #paint = colours();
  readonly #hint: Hint;
  #bar: progress.SingleBar | undefined;
  readonly #problems: Problem[] = [];
  /** Nodes that were done for all pictures at once. */
  readonly #forAll = new Set<string>();
  readonly #warnings: string[] = [];
  /** Warnings by node and words: where the line is, and about how many more items. */
  readonly #alike = new Map<
    string,
    { readonly first: Extract<RunEvent, { type: "warning" }>; readonly at: number; more: number }
  >();
  readonly #summaries: string[] = [];
  readonly #calls: Call[] = [];
  /** Pictures that were to be done again, as it was given, as long as none came. */
  readonly #unmet: Map<string, Forcing>;
  /** Since the run has its turn in the workspace. */
  #started = performance.now();
  #total = 0;
  #done = 0;
  #lastPlain = performance.now();

  private constructor(
    readonly graph: Graph,
    { workspace, forced, bars }: {
      readonly workspace: string;
      readonly forced: ReadonlyMap<string, Forcing>;
      readonly bars: typeof progress | undefined;
    },
  ) {
    this.#hint = pasteableIn(workspace);
    this.#unmet = new Map(forced);
    if (bars === undefined) return;
    this.#bar = new bars.SingleBar({
      format:
        "{bar} {percentage}% | {value}/{total} tasks | {rate}/s | {eta_formatted} left | {node}",
      barCompleteChar: "█",
      barIncompleteChar: "░",
      barsize: 24,
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      etaBuffer: 200,
      fps: 10,
    }, bars.Presets.shades_classic);
  }

  /** Loads what draws the bar only where there is a terminal to draw it on. */
  static async create(
    graph: Graph,
    { workspace, force = [] }: { readonly workspace: string; readonly force?: readonly string[] },
  ): Promise<RunPrinter> {
    const bars = Deno.stderr.isTerminal() ? (await import("cli-progress")).default : undefined;
    const ofItems = force.filter((each) => forcedNode(each) !== each);
    const forced = await Promise.all(
      ofItems.map(async (each) => [each, await forcing([each])] as const),
    );
    return new RunPrinter(graph, { workspace, forced: new Map(forced), bars });
  }

  readonly listener: RunListener = (event) => {
    switch (event.type) {
      case "run-started":
        this.#started = performance.now();
        this.#lastPlain = this.#started;
        this.#say(`${this.#paint.strong(event.recipe)} · run ${event.run}`);
        this.#total =
          this.graph.nodes.filter((node) => node.id in event.nodes && !hasItemTasks(node)).length;
        if (event.shard !== undefined) this.#summaries.push(shardLine(event));
        this.#bar?.start(this.#total, 0, { node: "", rate: 0 });
        break;
      case "items-found":
        this.#total += event.tasks;
        this.#bar?.setTotal(this.#total);
        if (this.#bar === undefined) this.#say(`${event.node}: ${counted(event.count, "picture")}`);
        break;
      case "task-settled":
        this.#settled(event);
        break;
      case "task-retried":
        this.#warnings.push(`${where(event)}: tried again (${event.reason})`);
        break;
      case "warning":
        this.#warn(event);
        break;
      case "blob-lost":
        this.#warnings.push(`${where(event)}: its stored result is ${event.problem}; made again`);
        break;
      case "remote-called":
        this.#calls.push(event);
        break;
      case "summary":
        this.#summaries.push(`${event.node}: ${event.line}`);
        break;
      default:
        break;
    }
  };

  /** The same words about many items are said once. */
  #warn(event: Extract<RunEvent, { readonly type: "warning" }>) {
    const key = `${event.node ?? ""}\0${event.message}`;
    const known = this.#alike.get(key);
    if (known !== undefined) {
      known.more++;
      const { first, more } = known;
      this.#warnings[known.at] = `${where(first)} and ${counted(more, "more item")}: ${
        this.#hint(first.message)
      }`;
      return;
    }
    this.#alike.set(key, { first: event, at: this.#warnings.length, more: 0 });
    this.#warnings.push(`${where(event)}: ${this.#hint(event.message)}`);
  }

  #settled(event: Settled) {
    this.#done++;
    for (const [force, isMeant] of this.#unmet) {
      if (isMeant(event.node, event.item)) this.#unmet.delete(force);
    }
    if (problems.has(event.outcome)) this.#problems.push(event);
    else if (event.item === undefined) this.#forAll.add(event.node);
    const now = performance.now();
    const seconds = (now - this.#started) / 1000;
    if (this.#bar !== undefined) {
      const rate = (this.#done / Math.max(seconds, 0.001)).toFixed(seconds > 1 ? 1 : 0);
      this.#bar.update(this.#done, { node: event.node, rate });
    } else if (now - this.#lastPlain > plainMs) {
      this.#lastPlain = now;
      const rate = this.#done / seconds;
      const left = duration((this.#total - this.#done) / rate * 1000);
      this.#say(`${this.#done} of ${this.#total} tasks, ${rate.toFixed(1)}/s, ${left} left`);
    }
  }

  /** Takes the bar away for good. */
  close(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  /** Prints the end of a run. */
  finish(report: RunReport): void {
    this.close();
    for (const force of this.#unmet.keys()) {
      this.#warnings.push(`--force ${force}: there was no such picture to do again`);
    }
    this.#list(`Warnings (${this.#warnings.length})`, this.#warnings, {
      paint: this.#paint.warning,
      more: "--json prints all",
    });
    const said = this.#problems.filter(({ outcome }) => outcome === "rejected");
    // The tables of 100,000 pictures are not read for nothing.
    if (picturesIn(said, this.graph) < report.items.rejected) {
      const members = membersLeftOut(report.folder, this.#forAll, this.#problems);
      for (const each of members) this.#problems.push(each);
    }
    this.#listProblems("Left out", "rejected", this.#paint.warning);
    this.#listProblems("Waiting for a person", "waiting", this.#paint.warning);
    this.#listProblems("Failed", "failed", this.#paint.error);
    if (report.counts.failed > 0) {
      console.error(this.#hint("  (tintype errors says what can be done about it)"));
    }
    for (const line of this.#summaries) console.log(this.#hint(printable(line)));
    for (const line of callLines(this.#calls)) console.log(line);
    const { ran, cached, rejected, skipped, failed, waiting } = report.counts;
    const time = duration(performance.now() - this.#started);
    const missing = missingWords(report.counts, report.items);
    console.log(
      `${[`${report.status} in ${time}`, ...missing].join(", ")}; tasks: ` +
        `${ran} ran, ${cached} cached, ${rejected} left out, ${skipped} skipped, ${failed} failed, ${waiting} waiting`,
    );
  }

  /** What ended so, a picture once for the same reason at several nodes. */
  #listProblems(title: string, outcome: Outcome, paint: (text: string) => string) {
    const events = this.#problems.filter((event) => event.outcome === outcome);
    const spaceOf = (id: string) => spaceIn(this.graph, id);
    const byReason = Map.groupBy(events, (event) => alikeKey(event, spaceOf(event.node)));
    const lines = [...byReason.values()].map((alike) => {
      const [{ item, reason = "" }] = alike as [Problem];
      const nodes = alike.map(({ node }) => node).join(", ");
      return `${item === undefined ? nodes : `${item} (${nodes})`}: ${this.#hint(reason)}`;
    });
    const heading = `${title} (${endedText(picturesIn(events, this.graph), events.length)})`;
    this.#list(heading, lines, { paint, more: "tintype errors groups them" });
  }

  #list(
    title: string,
    lines: readonly string[],
    { paint, more }: { readonly paint: (text: string) => string; readonly more: string },
  ) {
    if (lines.length === 0) return;
    console.error(paint(title));
    for (const line of lines.slice(0, shownProblems)) {
      console.error(`  ${printable(line)}`);
    }
    if (lines.length > shownProblems) {
      console.error(this.#hint(`  … and ${lines.length - shownProblems} more (${more})`));
    }
  }

  #say(line: string) {
    console.error(line);
  }
}

/** The same picture or whole set, and the same reason; a task of its own for all items is never alike. */
function alikeKey({ node, item, reason }: Problem, space: string): string {
  return item === undefined ? `\0${node}` : `${space}\0${item}\0${reason}`;
}

function picturesIn(events: readonly Problem[], graph: Graph): number {
  return new Set(
    events.flatMap(({ node, item }) =>
      item === undefined ? [] : [`${spaceIn(graph, node)}\0${item}`]
    ),
  ).size;
}

/** The key space of the items that a node names: those that it is given, or that a scan finds. */
function spaceIn({ nodes }: Graph, id: string): string {
  const node = nodes.find((each) => each.id === id)!;
  return node.space ?? bornSpace(id, Object.keys(node.step.outputs)[0]!);
}

/** What a shard leaves undone, and when that is done. */
function shardLine(event: Extract<RunEvent, { readonly type: "run-started" }>): string {
  const { shard, held = [] } = event;
  if (held.length === 0) return `shard ${shard}: every node takes part`;
  return `shard ${shard}: held for the run without --shard: ${held.join(", ")}`;
}

/** A line for each node that asked a model: how often, and what that cost. */
function callLines(calls: readonly Call[]): string[] {
  return [...Map.groupBy(calls, ({ node }) => node)].map(([node, calls]) => {
    const sum = (read: (call: Call) => number | undefined) =>
      calls.reduce((total, call) => total + (read(call) ?? 0), 0);
    const tokens = sum((call) => call.inputTokens) + sum((call) => call.outputTokens);
    const isPriced = calls.every(({ cost }) => cost !== undefined);
    const cost = sum((call) => call.cost);
    const price = !isPriced
      ? "price unknown"
      : cost === 0
      ? "free of charge"
      : `about $${cost.toPrecision(2)}`;
    const models = [...new Set(calls.map(({ model }) => model))].join(", ");
    return `${node}: ${counted(calls.length, "call")} to ${models}, ` +
      `${tokens.toLocaleString("en")} tokens, ${price}`;
  });
}

function where(event: { readonly node?: string; readonly item?: string }): string {
  return event.item === undefined
    ? event.node ?? "run"
    : `${printable(event.item)} (${event.node})`;
}
