import type { RunEvent, RunListener } from "./event.ts";

const flushBytes = 64 * 1024;
const flushMs = 100;

/** What a journal needs beside its file. */
export interface JournalEffects {
  readonly now: () => Date;
  /** Makes the results durable that the next lines tell of: no line may speak of what can be lost. */
  readonly beforeWrite?: () => void;
}

/**
 * Writes a run's events to `journal.jsonl`, one JSON object a line, `at` first. Lines reach the file
 * at most 100 ms late; a killed run leaves at worst one partial line at the end.
 */
export class Journal {
  readonly #file: Deno.FsFile;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #size = 0;
  #timeMs = NaN;
  #timeText = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Why lines could not be written by the timer, which nobody could be told. */
  #failure: unknown;

  constructor(path: string, readonly effects: JournalEffects) {
    this.#file = Deno.openSync(path, { write: true, createNew: true });
  }

  /** Throws where lines could not be written, then or since the event before. */
  readonly listener: RunListener = (event) => {
    this.#assertWhole();
    const line = `{"at":"${this.#time()}",${JSON.stringify(event).slice(1)}\n`;
    this.#lines.push(line);
    this.#size += line.length;
    if (this.#size >= flushBytes || event.type === "run-finished") this.flush();
    else this.#timer ??= setTimeout(() => this.#flushLater(), flushMs);
  };

  /** Written out once a millisecond: a rerun has a hundred events in one. */
  #time(): string {
    const now = this.effects.now();
    if (now.getTime() !== this.#timeMs) {
      this.#timeMs = now.getTime();
      this.#timeText = now.toISOString();
    }
    return this.#timeText;
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    this.effects.beforeWrite?.();
    const bytes = this.#encoder.encode(this.#lines.join(""));
    this.#lines = [];
    this.#size = 0;
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
  }

  /** Throws where not all lines could be written; the file is closed all the same. */
  close(): void {
    try {
      this.flush();
      this.#file.syncDataSync();
      this.#assertWhole();
    } finally {
      this.#file.close();
    }
  }

  #flushLater() {
    try {
      this.flush();
    } catch (error) {
      this.#failure ??= error;
    }
  }

  #assertWhole() {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** An event as the journal has it. */
export type JournalEntry = RunEvent & { readonly at: string };

/** The events of a journal in order; a partial last line is passed over. */
export function* readJournal(path: string): Iterable<JournalEntry> {
  for (const line of Deno.readTextFileSync(path).split("\n")) {
    if (!line.endsWith("}")) continue;
    yield JSON.parse(line) as JournalEntry;
  }
}
