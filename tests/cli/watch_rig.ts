import type { RunEvent } from "../../src/runtime/event.ts";
import type { PictureRig } from "../picture_rig.ts";
import { mainModule } from "./rig.ts";

/** What is waited for comes within this time on a busy machine too, or the test has failed. */
const longestMs = 120_000;

/**
 * Saves files as editors and copying programs do: each is whole when it takes its name, so that it is
 * one change, however long a busy machine takes to write it.
 */
export function save(rig: PictureRig, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    rig.write({ ".part": content });
    Deno.renameSync(rig.path(".part"), rig.path(name));
  }
}

/** A run of a watched recipe, as its events tell it. */
export interface WatchedRun {
  readonly events: readonly RunEvent[];
  readonly finished: Extract<RunEvent, { readonly type: "run-finished" }>;
  /** When its first and its last event were heard, by `performance.now`. */
  readonly startedMs: number;
  readonly finishedMs: number;
}

/** `tintype run --watch` as its own process, with `--json` unless told otherwise; what it says is waited for. */
export class WatchProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: Lines;
  readonly #errors: Lines;

  constructor(rig: PictureRig, args: readonly string[], { json = true } = {}) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", mainModule, "run", ...args, "--watch", ...json ? ["--json"] : []],
      cwd: rig.folder,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#lines = new Lines(this.#child.stdout);
    this.#errors = new Lines(this.#child.stderr);
  }

  /** The next event of a type that nobody took yet; those before it are passed over. */
  async event<Type extends RunEvent["type"]>(type: Type) {
    for (;;) {
      const event = JSON.parse((await this.#lines.next()).text) as RunEvent;
      if (event.type === type) return event as Extract<RunEvent, { readonly type: Type }>;
    }
  }

  /** The next whole run. */
  async run(): Promise<WatchedRun> {
    const events: RunEvent[] = [];
    let startedMs = 0;
    for (;;) {
      const { text, atMs } = await this.#lines.next();
      const event = JSON.parse(text) as RunEvent;
      if (event.type === "run-started") startedMs = atMs;
      events.push(event);
      if (event.type === "run-finished") {
        return { events, finished: event, startedMs, finishedMs: atMs };
      }
    }
  }

  /** Runs until one of them is as it should be: a change of many files may take more than one. */
  async runUntil(isIt: (run: WatchedRun) => boolean): Promise<WatchedRun> {
    for (;;) {
      const run = await this.run();
      if (isIt(run)) return run;
    }
  }

  /** The next line of standard output that matches. */
  async prints(pattern: RegExp): Promise<string> {
    for (;;) {
      const { text } = await this.#lines.next();
      if (pattern.test(text)) return text;
    }
  }

  /** The next line of standard error that matches. */
  async says(pattern: RegExp): Promise<string> {
    for (;;) {
      const { text } = await this.#errors.next();
      if (pattern.test(text)) return text;
    }
  }

  /** Ctrl-C; gives the exit code. */
  async interrupt(): Promise<number> {
    this.#child.kill("SIGINT");
    return (await this.#child.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#child.status;
    await this.#lines.end();
    await this.#errors.end();
  }
}

interface Line {
  readonly text: string;
  readonly atMs: number;
}

/** The lines of a stream, to be waited for. */
class Lines {
  readonly #lines: Line[] = [];
  readonly #reading: Promise<void>;
  #isOver = false;
  #wake: () => void = () => {};

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reading = this.#read(stream);
  }

  async next(): Promise<Line> {
    const untilMs = performance.now() + longestMs;
    while (this.#lines.length === 0) {
      const leftMs = untilMs - performance.now();
      if (this.#isOver || leftMs <= 0) throw new Error("Nothing more was said");
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, leftMs);
      await promise;
      clearTimeout(timer);
    }
    return this.#lines.shift()!;
  }

  async end() {
    await this.#reading;
  }

  async #read(stream: ReadableStream<Uint8Array>) {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      const atMs = performance.now();
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const text of lines) this.#lines.push({ text, atMs });
      this.#wake();
    }
    this.#isOver = true;
    this.#wake();
  }
}
