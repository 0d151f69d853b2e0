import type { Edit, EditOutcome } from "../dataset.ts";

/** Where changes wait until the server has them: the browser's localStorage, by one key. */
export interface Shelter {
  read(): string | null;
  write(text: string | null): void;
}

/** Why changes were not taken. */
export class NotTaken extends Error {
  override readonly name = "NotTaken";
}

export interface OutboxOptions {
  /** The page that the changes come from. */
  readonly by: string;
  readonly shelter: Shelter;
  /** Resolves when the server has them on its disk; throws `NotTaken` with its reason, else is offline. */
  readonly post: (by: string, edits: readonly Edit[]) => Promise<EditOutcome>;
  readonly onTaken: (outcome: EditOutcome) => void;
  readonly onChange: () => void;
  readonly wait: (ms: number) => Promise<void>;
}

export type SaveState =
  | { readonly type: "saved" | "saving" }
  | { readonly type: "offline" | "refused"; readonly waiting: number; readonly reason?: string };

/** A pause between sends while somebody types, so that not every letter is a request. */
const pauseMs = 150;
/** Waits between tries, the last one for good; `retryNow` does not wait. */
const retriesMs = [250, 500, 1000, 2000, 3000];
const mostAtOnce = 200;

type Change = Edit extends infer Each ? Each extends Edit ? Omit<Each, "number"> : never : never;

/**
 * A page's changes on their way to the server, in order. Each has a number; it is kept in the browser
 * until the server says that it is on the disk, and sent again after a lost connection, a reload or a
 * crash. The server passes over numbers that it has.
 */
export class Outbox {
  #pending: Edit[] = [];
  /** So many of the pending ones are being sent, and are no longer changed. */
  #sending = 0;
  #next = 1;
  #isRunning = false;
  #wake: () => void = () => {};
  #trouble: { readonly type: "offline" | "refused"; readonly reason?: string } | undefined;

  constructor(readonly options: OutboxOptions) {
    const kept = options.shelter.read();
    if (kept !== null) this.#restore(kept);
  }

  get pending(): readonly Edit[] {
    return this.#pending;
  }

  get state(): SaveState {
    if (this.#pending.length === 0) return { type: "saved" };
    if (this.#trouble === undefined) return { type: "saving" };
    return { ...this.#trouble, waiting: this.#pending.length };
  }

  /** Takes changes up; more typing in the same caption takes the place of what is not sent yet. */
  add(changes: readonly Change[]): void {
    for (const change of changes) {
      const last = this.#pending.at(-1);
      const isMore = last !== undefined && this.#pending.length > this.#sending &&
        last.field === change.field && last.image === change.image;
      const { number, before } = isMore ? last : { number: this.#next++, before: change.before };
      const edit = { ...change, number, before } as Edit;
      if (isMore) this.#pending[this.#pending.length - 1] = edit;
      else this.#pending.push(edit);
    }
    this.#keep();
    this.options.onChange();
    void this.run();
  }

  /** Tries again at once: the connection is back. */
  retryNow(): void {
    this.#wake();
    void this.run();
  }

  /** Sends until nothing is left. */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (let failures = 0; this.#pending.length > 0;) {
        if (await this.#send()) failures = 0;
        else await this.#pause(retriesMs[Math.min(failures++, retriesMs.length - 1)]!);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  async #send(): Promise<boolean> {
    const { by, post, onTaken, onChange, wait } = this.options;
    const edits = this.#pending.slice(0, mostAtOnce);
    this.#sending = edits.length;
    try {
      const outcome = await post(by, edits);
      this.#pending = this.#pending.filter(({ number }) => number > outcome.last);
      this.#sending = 0;
      this.#trouble = undefined;
      this.#keep();
      onTaken(outcome);
      onChange();
      await wait(pauseMs);
      return true;
    } catch (error) {
      // They may have arrived all the same: they stay as they are, and are sent again.
      this.#trouble = error instanceof NotTaken
        ? { type: "refused", reason: error.message }
        : { type: "offline" };
      onChange();
      return false;
    }
  }

  async #pause(ms: number): Promise<void> {
    await Promise.race([
      this.options.wait(ms),
      new Promise<void>((resolve) => this.#wake = resolve),
    ]);
  }

  #keep() {
    const text = this.#pending.length === 0
      ? null
      : JSON.stringify({ next: this.#next, pending: this.#pending });
    this.options.shelter.write(text);
  }

  #restore(text: string) {
    try {
      const kept = JSON.parse(text) as { readonly next: number; readonly pending: Edit[] };
      this.#pending = kept.pending;
      this.#sending = kept.pending.length;
      this.#next = kept.next;
    } catch {
      this.options.shelter.write(null); // not written by this page
    }
  }
}
