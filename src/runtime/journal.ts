import type { RunEvent, RunListener } from "./event.ts";

const flushBytes = 64 * 1024;
const flushMs = 100;

/**
 * Writes a run's events to `journal.jsonl`, one JSON object a line, `at` first. Lines reach the file
 * at most 100 ms late; a killed run leaves at worst one partial line at the end.
 */
export class Journal {
  readonly #file: Deno.FsFile;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #size = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(path: string, readonly now: () => Date) {
    this.#file = Deno.openSync(path, { write: true, createNew: true });
  }

  readonly listener: RunListener = (event) => {
    const line = `{"at":"${this.now().toISOString()}",${JSON.stringify(event).slice(1)}\n`;
    this.#lines.push(line);
    this.#size += line.length;
    if (this.#size >= flushBytes || event.type === "run-finished") this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), flushMs);
  };

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    const bytes = this.#encoder.encode(this.#lines.join(""));
    this.#lines = [];
    this.#size = 0;
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
  }

  close(): void {
    this.flush();
    this.#file.syncDataSync();
    this.#file.close();
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
