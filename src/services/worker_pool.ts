import type { Computing } from "./computing.ts";

/** What a worker is told. */
export interface WorkerCall {
  readonly module: string;
  readonly input: unknown;
}

/** What it answers. */
export type WorkerReply =
  | { readonly result: unknown }
  | {
    readonly error: { readonly name: string; readonly message: string; readonly stack?: string };
  };

interface Waiting {
  readonly call: WorkerCall;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface PoolOptions {
  /** The most workers; as many as the machine has cores when left out. */
  readonly size?: number;
}

/** How long a worker that nobody asks anything may stay, since a process cannot end beside it. */
const IDLE_MS = 1_000;

/**
 * Module workers, started when there is work that no idle one can take, at most as many as cores, each
 * with one call at a time. They are let go by `release`, and a moment after the last call.
 */
export class WorkerPool implements Computing {
  readonly #size: number;
  readonly #waiting: Waiting[] = [];
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Waiting>();
  #idleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor({ size = navigator.hardwareConcurrency }: PoolOptions = {}) {
    this.#size = Math.max(1, size);
  }

  call<Input, Result>(
    module: URL,
    input: Input,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.push({ call: { module: module.href, input }, transfer, resolve, reject });
    this.#next();
    return promise as Promise<Result>;
  }

  /** Ends all workers. A call that is still under way is rejected. */
  release(): Promise<void> {
    clearTimeout(this.#idleTimer);
    for (const worker of [...this.#idle, ...this.#busy.keys()]) worker.terminate();
    const unanswered = [...this.#busy.values(), ...this.#waiting];
    this.#idle.length = 0;
    this.#waiting.length = 0;
    this.#busy.clear();
    for (const { reject } of unanswered) {
      reject(new Error("Cannot finish a computation: its workers were released"));
    }
    return Promise.resolve();
  }

  #next() {
    while (this.#waiting.length > 0) {
      const worker = this.#idle.pop() ?? this.#started();
      if (worker === undefined) return;
      this.#give(worker, this.#waiting.shift()!);
    }
    if (this.#busy.size === 0 && this.#idle.length > 0) this.#endSoon();
  }

  #give(worker: Worker, waiting: Waiting) {
    clearTimeout(this.#idleTimer);
    this.#busy.set(worker, waiting);
    try {
      worker.postMessage(waiting.call, [...waiting.transfer]);
    } catch (error) {
      // The input cannot be cloned.
      this.#settle(worker, { error: error as Error });
    }
  }

  /** A new worker; undefined when there are as many as there may be. */
  #started(): Worker | undefined {
    if (this.#idle.length + this.#busy.size >= this.#size) return undefined;
    const worker = new Worker(new URL("./worker_main.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data: reply }: MessageEvent<WorkerReply>) => this.#settle(worker, reply);
    worker.onmessageerror = () => this.#broke(worker, "its answer cannot be read");
    worker.onerror = (event) => {
      // Else it would be an error of the whole process.
      event.preventDefault();
      this.#broke(worker, event.message);
    };
    return worker;
  }

  #settle(worker: Worker, reply: WorkerReply) {
    const waiting = this.#busy.get(worker);
    if (waiting === undefined) return;
    this.#busy.delete(worker);
    this.#idle.push(worker);
    if ("error" in reply) waiting.reject(errorOf(reply.error));
    else waiting.resolve(reply.result);
    this.#next();
  }

  /** Only the call that the worker was at is lost; another worker takes its place. */
  #broke(worker: Worker, reason: string) {
    worker.terminate();
    const waiting = this.#busy.get(worker);
    this.#busy.delete(worker);
    const idle = this.#idle.indexOf(worker);
    if (idle >= 0) this.#idle.splice(idle, 1);
    waiting?.reject(new Error(`Cannot finish a computation: its worker broke, ${reason}`));
    this.#next();
  }

  #endSoon() {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      if (this.#busy.size === 0) void this.release();
    }, IDLE_MS);
  }
}

function errorOf({ name, message, stack }: Extract<WorkerReply, { error: unknown }>["error"]) {
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
