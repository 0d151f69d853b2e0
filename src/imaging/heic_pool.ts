import { DecodeGate } from "./decode_gate.ts";
import { HeicDecoder } from "./heic_decoder.ts";
import type { HeicAnswer } from "./heic_worker.ts";
import type { HeicRequest } from "./libheif.ts";

/** A process cannot end beside a worker, and one takes 0.15 s to start. */
const IDLE_MS = 1_000;

interface PoolOptions {
  /** The most workers; as many as the machine has cores when left out. */
  readonly size?: number;
  /** How long a worker that nobody needs may stay, in ms; a second when left out. */
  readonly idleMs?: number;
  readonly start?: () => HeicDecoder;
}

/**
 * Workers that decode HEIC, started when there is a picture that no idle one can take. They are let go
 * by `release`, and a moment after the last picture.
 */
export class HeicPool {
  readonly #places: DecodeGate;
  readonly #start: () => HeicDecoder;
  readonly #idleMs: number;
  readonly #idle: HeicDecoder[] = [];
  #busy = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ size = navigator.hardwareConcurrency, idleMs, start }: PoolOptions = {}) {
    this.#idleMs = idleMs ?? IDLE_MS;
    this.#places = new DecodeGate(Math.max(1, size));
    this.#start = start ?? (() => new HeicDecoder());
  }

  /** How many workers there are. */
  get workers(): number {
    return this.#idle.length + this.#busy;
  }

  /** Only the picture that a worker was at when it broke is lost; another takes its place. */
  decode(request: HeicRequest): Promise<HeicAnswer> {
    return this.#places.run(1, async () => {
      clearTimeout(this.#timer);
      const decoder = this.#takeIdle() ?? this.#start();
      this.#busy++;
      try {
        return await decoder.decode(request);
      } finally {
        this.#busy--;
        if (decoder.isSpent) decoder.end();
        else this.#idle.push(decoder);
        if (this.#busy === 0) this.#timer = setTimeout(() => this.release(), this.#idleMs);
      }
    });
  }

  /** One may have broken since its last picture. */
  #takeIdle(): HeicDecoder | undefined {
    let decoder = this.#idle.pop();
    while (decoder?.isSpent) decoder = this.#idle.pop();
    return decoder;
  }

  /** Ends the workers that are idle. */
  release(): void {
    clearTimeout(this.#timer);
    for (const decoder of this.#idle) decoder.end();
    this.#idle.length = 0;
  }
}
