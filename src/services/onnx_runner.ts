/** Where a network can run, best first. */
export const providers = ["cuda", "coreml", "dml", "webgpu", "cpu"] as const;

export type Provider = (typeof providers)[number];

/** An input or output as a network declares it. */
export interface TensorFacts {
  readonly name: string;
  readonly type: string;
  /** Free dimensions have names. */
  readonly dims: readonly (number | string)[];
}

/** Samples as they are in memory: row-major, in the byte order of the machine. */
export interface RawTensor {
  readonly type: "float32" | "float16" | "int64" | "int32";
  readonly dims: readonly number[];
  readonly buffer: ArrayBuffer;
}

export type RawTensors = Readonly<Record<string, RawTensor>>;

/** A network that is loaded. */
export interface Network {
  readonly id: number;
  readonly inputs: readonly TensorFacts[];
  readonly outputs: readonly TensorFacts[];
}

export interface OpenRequest {
  readonly path: string;
  readonly provider: Provider;
  /** Outputs that are wanted; an inner value of the network of that name is made an output. */
  readonly outputs: readonly string[];
}

export interface RunRequest {
  readonly id: number;
  /** Their buffers are moved, not copied. */
  readonly feeds: RawTensors;
  readonly outputs: readonly string[];
}

/** What runs networks: one at a time, in the order that it is asked. */
export interface Runner {
  /** The names of the execution providers that it was built with. */
  backends(): Promise<readonly string[]>;
  open(request: OpenRequest): Promise<Network>;
  /** Throws the runtime's own error. */
  run(request: RunRequest): Promise<RawTensors>;
  drop(id: number): Promise<void>;
  /** Lets go of everything; it cannot be used again. */
  close(): Promise<void>;
}

/** What is sent to the worker. */
export type WorkerCall =
  | { readonly call: number; readonly method: "backends" }
  | { readonly call: number; readonly method: "open"; readonly request: OpenRequest }
  | { readonly call: number; readonly method: "run"; readonly request: RunRequest }
  | { readonly call: number; readonly method: "drop"; readonly id: number }
  | { readonly call: number; readonly method: "close" };

/** What it answers. */
export type WorkerAnswer =
  | { readonly call: number; readonly value: unknown; readonly problem?: undefined }
  | { readonly call: number; readonly problem: string };

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * onnxruntime-node in a worker: its `run` is synchronous inside (38 ms without a timer for a
 * YOLOX-nano on the main thread; 7 ms with a worker beside it, at the same 18 ms an image).
 */
export class WorkerRunner implements Runner {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;
  #isClosed = false;

  constructor() {
    this.#worker = new Worker(new URL("./onnx_worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data: answer }: MessageEvent<WorkerAnswer>) => {
      const pending = this.#pending.get(answer.call);
      this.#pending.delete(answer.call);
      if (answer.problem === undefined) pending?.resolve(answer.value);
      else pending?.reject(new Error(answer.problem));
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#end(event.message);
    };
  }

  async backends(): Promise<readonly string[]> {
    return await this.#send({ method: "backends" }) as string[];
  }

  async open(request: OpenRequest): Promise<Network> {
    return await this.#send({ method: "open", request }) as Network;
  }

  async run(request: RunRequest): Promise<RawTensors> {
    const buffers = Object.values(request.feeds).map(({ buffer }) => buffer);
    return await this.#send({ method: "run", request }, buffers) as RawTensors;
  }

  async drop(id: number): Promise<void> {
    await this.#send({ method: "drop", id });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.#send({ method: "close" }).catch(() => {});
    this.#end("it was closed");
  }

  #send(call: Unnumbered<WorkerCall>, transfer: ArrayBuffer[] = []): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new Error("the worker has ended"));
    return new Promise((resolve, reject) => {
      const number = this.#calls++;
      this.#pending.set(number, { resolve, reject });
      this.#worker.postMessage({ ...call, call: number }, transfer);
    });
  }

  #end(why: string) {
    this.#isClosed = true;
    this.#worker.terminate();
    for (const { reject } of this.#pending.values()) {
      reject(new Error(`the worker has ended: ${why}`));
    }
    this.#pending.clear();
  }
}

type Unnumbered<Call> = Call extends unknown ? Omit<Call, "call"> : never;
