import type { HeicAnswer } from "./heic_worker.ts";
import type { HeicRequest } from "./libheif.ts";

/** From here on a worker is replaced: WebAssembly never gives memory back. 20 megapixels take it. */
const mostHeapBytes = 192 * 2 ** 20;

/** Ten times what a slow core takes: 2 s for 12 megapixels. */
const limitMs = ({ width, height }: HeicRequest) =>
  30_000 + Math.round(width * height / 1e6) * 2_000;

interface Pending {
  readonly resolve: (answer: HeicAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

interface DecoderOptions {
  /** How long a picture may take, in ms; by its size when left out. */
  readonly limitMs?: number;
  /** The worker's module; the decoder's own when left out. */
  readonly module?: URL;
}

/** A worker that decodes HEIC, one picture at a time, without permissions. */
export class HeicDecoder {
  readonly #worker: Worker;
  readonly #limitMs: number | undefined;
  #pending: Pending | undefined;
  #isSpent = false;

  constructor({ limitMs, module }: DecoderOptions = {}) {
    const options = { type: "module", name: "heic", deno: { permissions: "none" } };
    const url = module ?? new URL("./heic_worker.ts", import.meta.url);
    this.#limitMs = limitMs;
    this.#worker = new Worker(url, options as WorkerOptions);
    this.#worker.onmessage = ({ data: answer }: MessageEvent<HeicAnswer>) => this.#settle(answer);
    this.#worker.onmessageerror = () => this.#break("its answer cannot be read");
    this.#worker.onerror = (event) => {
      event.preventDefault(); // else it would be an error of the whole process
      this.#break(event.message);
    };
  }

  /** Whether it has ended, or should because of what it holds. */
  get isSpent(): boolean {
    return this.#isSpent;
  }

  /** Throws an error, and ends, where the worker breaks or takes too long. */
  async decode(request: HeicRequest): Promise<HeicAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<HeicAnswer>();
    const most = this.#limitMs ?? limitMs(request);
    const slow = () => this.#break(`it took longer than ${most / 1000} s`);
    this.#worker.postMessage(request);
    this.#pending = { resolve, reject, timer: setTimeout(slow, most) };
    return await promise;
  }

  end(): void {
    this.#isSpent = true;
    this.#worker.terminate();
  }

  #settle(answer: HeicAnswer): void {
    this.#isSpent = answer.heapBytes > mostHeapBytes;
    this.#taken()?.resolve(answer);
  }

  #break(how: string): void {
    this.end();
    this.#taken()?.reject(new Error(`Cannot decode HEIC: its worker broke, ${how}`));
  }

  #taken(): Pending | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    clearTimeout(pending?.timer);
    return pending;
  }
}
