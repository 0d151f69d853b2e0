import { waitForPlace, workAtPlace } from "../runtime/task_time.ts";

/** What pictures that are decoded at the same time may take together, in bytes. */
const budget = 4 * 2 ** 30;

interface Waiting {
  readonly bytes: number;
  readonly start: () => void;
}

/**
 * Memory that is shared by all decoding of a process. A machine of many cores works on as many pictures
 * at a time: ordinary ones never wait, giants of a gigabyte each do.
 */
export class DecodeGate {
  #taken = 0;
  readonly #waiting: Waiting[] = [];

  constructor(readonly bytes: number = budget) {}

  /** Does the work when there is room for it, in the order of asking; the first always has room. */
  async run<Value>(bytes: number, work: () => Promise<Value>): Promise<Value> {
    if (this.#waiting.length > 0 || !this.#hasRoom(bytes)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push({ bytes, start: resolve });
      await waitForPlace(promise);
    } else this.#taken += bytes;
    try {
      return await workAtPlace(work);
    } finally {
      this.#taken -= bytes;
      while (this.#waiting.length > 0 && this.#hasRoom(this.#waiting[0]!.bytes)) {
        const next = this.#waiting.shift()!;
        this.#taken += next.bytes;
        next.start();
      }
    }
  }

  #hasRoom(bytes: number): boolean {
    return this.#taken === 0 || this.#taken + bytes <= this.bytes;
  }
}

export const decodeGate: DecodeGate = new DecodeGate();
