/// <reference lib="dom" />
import { Outbox, type OutboxOptions, type Shelter } from "./outbox.ts";

type Parts = Pick<OutboxOptions, "post" | "onTaken" | "onChange">;

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The outbox of this page, under a name of its own, which it holds as long as it is open. */
export function newOutbox(dataset: string, parts: Parts): Outbox {
  const by = crypto.randomUUID();
  void navigator.locks.request(lockOf(by), () => new Promise(() => {}));
  return new Outbox({ by, shelter: shelterOf(dataset, by), wait, ...parts });
}

/**
 * Sends what pages left that were closed or crashed before the server had it. A page that is open holds
 * its lock, and sends its own.
 */
export function adoptOutboxes(dataset: string, parts: Parts & { readonly own: string }): void {
  const prefix = keyOf(dataset, "");
  const left = Object.keys(localStorage).filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length)).filter((by) => by !== parts.own);
  for (const by of left) {
    void navigator.locks.request(lockOf(by), { ifAvailable: true }, async (lock) => {
      if (lock === null) return;
      await new Outbox({ by, shelter: shelterOf(dataset, by), wait, ...parts }).run();
    });
  }
}

function shelterOf(dataset: string, by: string): Shelter {
  const key = keyOf(dataset, by);
  return {
    read: () => localStorage.getItem(key),
    write(text) {
      try {
        if (text === null) localStorage.removeItem(key);
        else localStorage.setItem(key, text);
      } catch {
        // It is full or forbidden: changes wait in this page's memory, and are sent all the same.
      }
    },
  };
}

function keyOf(dataset: string, by: string): string {
  return `tintype-outbox-${dataset}-${by}`;
}

function lockOf(by: string): string {
  return `tintype-page-${by}`;
}
