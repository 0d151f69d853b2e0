import assert from "node:assert/strict";
import { sha256 } from "../../src/runtime/hash.ts";
import type { EditOutcome } from "../../src/web/dataset.ts";
import { Outbox, type Shelter } from "../../src/web/page/outbox.ts";
import { freePort } from "../free_port.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { ServerProcess } from "./server_process.ts";

/** Numbers in [0, 1), the same for the same seed (Numerical Recipes, 3rd edition, section 7.1.1). */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (state * 1664525 + 1013904223) >>> 0) / 2 ** 32;
}

class Memory implements Shelter {
  text: string | null = null;

  read(): string | null {
    return this.text;
  }

  write(text: string | null): void {
    this.text = text;
  }
}

interface Line {
  readonly image: string;
  readonly field: string;
  readonly after: string;
  readonly by: string;
  readonly number?: number;
}

/** The lines that are whole; what a killed server left half is no line. */
function linesOf(path: string): readonly Line[] {
  const lines = Deno.readTextFileSync(path).split("\n");
  lines.pop();
  return lines.map((line) => JSON.parse(line) as Line);
}

/** A page as a browser has it: it may be closed, and what it kept be sent by the next one. */
class OpenPage {
  readonly #drained = new Set<() => void>();
  #isClosed = false;
  acknowledged = 0;
  readonly outbox: Outbox;

  constructor(
    readonly by: string,
    readonly options: {
      readonly port: number;
      readonly isUp: () => Promise<void>;
      readonly kept?: Memory;
    },
    readonly memory: Memory = options.kept ?? new Memory(),
  ) {
    this.outbox = new Outbox({
      by,
      shelter: memory,
      wait: () => this.#isClosed ? new Promise(() => {}) : options.isUp(),
      post: (by, edits) =>
        this.#isClosed ? new Promise(() => {}) : post(options.port, { by, edits }),
      onTaken: ({ last }) => this.acknowledged = Math.max(this.acknowledged, last),
      onChange: () => this.outbox?.pending.length === 0 && this.#tellDrained(),
    });
  }

  drained(): Promise<void> {
    if (this.outbox.pending.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.add(resolve));
  }

  close(): void {
    this.#isClosed = true;
  }

  #tellDrained() {
    for (const resolve of this.#drained) resolve();
    this.#drained.clear();
  }
}

const edits = 1000;

Deno.test("1,000 edits with the server killed at random: what was acknowledged is there, once and in order", async () => {
  await using rig = new PictureRig();
  const images: string[] = [];
  for (let seed = 1; seed <= 4; seed++) {
    const bytes = await photo(60, 40, { seed });
    rig.write({ [`photos/${seed}.jpg`]: bytes });
    images.push(sha256(bytes));
  }
  const port = freePort();
  const file = rig.path("out/decisions.jsonl");
  let server = await ServerProcess.start(rig.folder, port);
  let isUp: Promise<void> = Promise.resolve();
  const random = chance(20261121);
  const options = { port, isUp: () => isUp };
  const typed: { readonly image: string; readonly text: string }[] = [];
  let page = new OpenPage("page-00001", options);
  let kills = 0;
  let closed = 0;
  const type = () => {
    // Two changes of one picture in a row would be sent as one.
    const others = images.filter((image) => image !== typed.at(-1)?.image);
    const image = others[Math.floor(random() * others.length)]!;
    const text = `photo of main_hall, words ${typed.length + 1} ${random()} “ü”`;
    const before = typed.findLast((each) => each.image === image)?.text ?? "";
    typed.push({ image, text });
    page.outbox.add([{ image, field: "caption", before, after: text }]);
  };
  while (typed.length < edits) {
    for (let burst = Math.ceil(random() * 12); burst > 0 && typed.length < edits; burst--) type();
    if (random() >= 0.09) {
      if (random() < 0.5) await page.drained();
      continue;
    }
    // Mostly with requests under way, now and then in peace.
    if (random() < 0.3) await page.drained();
    const restarted = Promise.withResolvers<void>();
    isUp = restarted.promise;
    const sure = page.acknowledged;
    await server.kill();
    kills++;
    assert.ok(lastNumber(file, page.by) >= sure, "an acknowledged change is not in the file");
    server = await ServerProcess.start(rig.folder, port);
    if (random() < 0.4) {
      // The browser was ended as well: the next page sends what this one kept.
      page.close();
      const left = new OpenPage(page.by, { ...options, kept: page.memory });
      restarted.resolve();
      await left.outbox.run();
      page = new OpenPage(`page-${String(++closed).padStart(5, "x")}`, options);
    } else {
      restarted.resolve();
      page.outbox.retryNow();
    }
  }
  await page.drained();
  await server.kill();
  assert.ok(kills >= 6 && closed >= 1, `killed ${kills} times, closed ${closed} times`);
  const written = linesOf(file).filter(({ number }) => number !== undefined);
  assert.deepEqual(
    written.map(({ image, after }) => ({ image, text: after.replace("{trigger}", "main_hall") })),
    typed,
  );
});

/** The highest number of a page in the whole lines of the file. */
function lastNumber(file: string, by: string): number {
  try {
    return linesOf(file).filter((line) => line.by === by)
      .reduce((most, { number = 0 }) => Math.max(most, number), 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

async function post(port: number, body: unknown): Promise<EditOutcome> {
  const response = await fetch(`http://127.0.0.1:${port}/api/edits`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: `http://127.0.0.1:${port}` },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return await response.json() as EditOutcome;
}
