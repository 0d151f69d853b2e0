import type { ArtifactRef, Blob, Handle, Kind } from "../runtime/artifact.ts";
import { checkedEncoded } from "../runtime/foreign_result.ts";
import { localDisk } from "../runtime/local_disk.ts";
import { Rejection } from "../runtime/rejection.ts";
import type {
  AnyStep,
  InputPorts,
  InputValues,
  Member,
  Port,
  StepContext,
  StepResult,
} from "../runtime/step.ts";
import type {
  CallMessage,
  CallResult,
  FromWorker,
  InputMessage,
  NoteMessage,
  OutputMessage,
  Reply,
} from "../runtime/step_messages.ts";

/** Asks the main process for what a handle stands for; the answer comes by `ask`. */
export type Ask = (message: Omit<Extract<FromWorker, { type: "ask" }>, "type">) => void;

type Question = Extract<FromWorker, { type: "ask" }>["question"];
type Result = StepResult<Readonly<Record<string, unknown>>>;

/** Of an item whose worker ended between its preparation and its call: both are made again. */
const lost: Result = {
  status: "failed",
  reason: "What was prepared for it is gone with the worker that it was prepared in",
  isRetriable: true,
};

/** Calls of a step in its worker. */
export class StepCalls {
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #prepared = new Map<number, { readonly value: unknown }>();
  readonly #aborting = new AbortController();
  #asks = 0;

  constructor(
    readonly ask: Ask,
    readonly note: (call: number, note: NoteMessage) => void,
  ) {}

  /** An answer from the main process. */
  hear(ask: number, reply: Reply): void {
    this.#waiting.get(ask)?.(reply);
    this.#waiting.delete(ask);
  }

  /** The run is being given up. */
  abort(): void {
    this.#aborting.abort();
  }

  async call(step: AnyStep, id: number, message: CallMessage): Promise<CallResult> {
    const call = new StepCall(step, message, {
      id,
      signal: this.#aborting.signal,
      ask: (handle, question) => this.#ask(id, handle, question),
      note: (note) => this.note(id, note),
    });
    try {
      return await this.#answer(step, message, call);
    } catch (error) {
      return { type: "result", result: thrown(error) };
    } finally {
      await call.release();
    }
  }

  async #answer(step: AnyStep, message: CallMessage, call: StepCall): Promise<CallResult> {
    const { params } = message;
    switch (message.method) {
      case "run":
        return call.result(await step.run!(call.inputs(), params, call.context()));
      case "prepare": {
        const [prepared] = message.prepared!;
        const value = await step.batch!.prepare(call.inputs(), params, call.context());
        this.#prepared.set(prepared!, { value });
        return { type: "prepared", prepared: prepared! };
      }
      case "runBatch": {
        const all = message.prepared!.map((each) => this.#take(each));
        const kept = all.flatMap((each) => each === undefined ? [] : [each.value]);
        const results = kept.length === 0
          ? []
          : [...await step.batch!.run(kept, params, call.context())];
        return {
          type: "results",
          results: all.map((each) =>
            each === undefined ? lost : call.result(results.shift()!).result
          ),
        };
      }
      case "isCurrent": {
        const value = await step.isCurrent!(call.inputs(), params, call.context());
        return { type: "value", value };
      }
      case "tools":
        return { type: "value", value: await step.tools!(params, call.context()) };
      case "forecast": {
        const value = await step.forecast!(message.count!, params, call.context());
        return { type: "value", value };
      }
    }
  }

  /** Undefined for what was prepared in another worker. */
  #take(prepared: number): { readonly value: unknown } | undefined {
    const found = this.#prepared.get(prepared);
    this.#prepared.delete(prepared);
    return found;
  }

  async #ask(call: number, handle: number, question: Question): Promise<unknown> {
    const ask = ++this.#asks;
    const { promise, resolve } = Promise.withResolvers<Reply>();
    this.#waiting.set(ask, resolve);
    this.ask({ call, ask, handle, question });
    const reply = await promise;
    if ("value" in reply) return reply.value;
    if ("error" in reply) throw new Error(reply.error);
    throw new Rejection(reply.rejection, reply.numbers);
  }
}

interface CallLinks {
  readonly id: number;
  readonly signal: AbortSignal;
  ask(handle: number, question: Question): Promise<unknown>;
  note(note: NoteMessage): void;
}

/** One call: its inputs, and its result as a message. */
class StepCall {
  readonly #handles = new WeakMap<object, number>();
  readonly #opened: GuestHandle[] = [];

  constructor(
    readonly step: AnyStep,
    readonly message: CallMessage,
    readonly links: CallLinks,
  ) {}

  inputs(): InputValues<InputPorts> {
    const values = Object.entries(this.message.inputs).map(([port, input]) => {
      const { kind } = (this.step.inputs as InputPorts)[port]!;
      return [port, this.#input(input, kind)] as const;
    });
    return Object.fromEntries(values) as unknown as InputValues<InputPorts>;
  }

  context(): StepContext {
    const { note, signal } = this.links;
    const { name } = this.step;
    const given = this.message.context ??
      { itemName: "", members: [], absent: [], isComplete: true, owner: "", tools: {} };
    return {
      ...given,
      signal,
      warn: (text) => note({ type: "warning", text: String(text) }),
      summarize: (text) => note({ type: "summary", text: String(text) }),
      remoteCalled: (call) => note({ type: "remote", call }),
      service: (key) => {
        throw new TypeError(
          `Step "${name}" wants "${key.name}", which a step file cannot have (it has what its permissions allow)`,
        );
      },
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      disk: localDisk,
    };
  }

  result(result: Result): { readonly type: "result"; readonly result: unknown } {
    if (result?.status !== "produced") return { type: "result", result };
    const outputs = Object.entries(this.step.outputs as Readonly<Record<string, Port>>)
      .map(([name, port]) => [name, this.#output(result.outputs[name], port)]);
    return { type: "result", result: { ...result, outputs: Object.fromEntries(outputs) } };
  }

  async release(): Promise<void> {
    for (const handle of this.#opened) await handle.release();
  }

  #input(input: InputMessage, kind: Kind): GuestHandle | ReadonlyMap<Member, GuestHandle> {
    if ("handle" in input) return this.#handle(input.handle, input.ref, kind, input);
    return new Map(
      input.members.map((member, index) => [
        member,
        this.#handle(input.from + index, input.refs[index]!, kind, { isMember: true }),
      ]),
    );
  }

  #handle(
    number: number,
    ref: ArtifactRef,
    kind: Kind,
    { isMember = false, bytes }: { readonly isMember?: boolean; readonly bytes?: Uint8Array },
  ): GuestHandle {
    const ask = (question: Question) =>
      question.type === "bytes" && bytes !== undefined
        ? Promise.resolve(bytes.slice())
        : this.links.ask(number, question);
    const handle = new GuestHandle(ref, kind, ask);
    this.#handles.set(handle, number);
    // The values of an `all` port are opened anew at each read, so that nothing piles up.
    if (isMember) handle.keepsValue = false;
    else this.#opened.push(handle);
    return handle;
  }

  #output(value: unknown, { kind, flow }: Port): unknown {
    if (value === undefined) return undefined;
    if (flow === "many") {
      return Array.from(value as Iterable<{ name: string; value?: unknown; file?: unknown }>)
        .map(({ name, ...birth }) =>
          "value" in birth
            ? { name, value: this.#made(birth.value, kind) }
            : { name, file: birth.file }
        );
    }
    if (!(value instanceof Map) || flow !== "each") return this.#made(value, kind);
    return new Map(
      Array.from(value, ([member, each]) => [member, this.#memberOutput(each, kind)]),
    );
  }

  #memberOutput(value: unknown, kind: Kind): OutputMessage {
    const { status } = (value ?? {}) as { readonly status?: unknown };
    const isVerdict = status === "rejected" || status === "failed";
    return isVerdict ? { verdict: value } : this.#made(value, kind);
  }

  #made(value: unknown, kind: Kind): OutputMessage {
    const handle = typeof value === "object" && value !== null
      ? this.#handles.get(value)
      : undefined;
    if (handle !== undefined) return { handle };
    if (this.message.shared.includes(kind.name)) return { made: value };
    return { encoded: checkedEncoded(kind.encode(value), kind) };
  }
}

/** An artifact in the worker: its bytes and pixels come from the main process when they are read. */
class GuestHandle implements Handle {
  keepsValue = true;
  #value: Promise<unknown> | undefined;

  constructor(
    readonly ref: ArtifactRef,
    readonly kind: Kind,
    readonly ask: (question: Question) => Promise<unknown>,
  ) {}

  read(): Promise<unknown> {
    if (!this.keepsValue) return this.#open();
    return this.#value ??= this.#open().catch((error) => {
      this.#value = undefined;
      throw error;
    });
  }

  async bytes(): Promise<Uint8Array> {
    return await this.ask({ type: "bytes" }) as Uint8Array;
  }

  async release(): Promise<void> {
    const value = await this.#value?.catch(() => undefined);
    if (value !== undefined) this.kind.release?.(value);
  }

  async #open(): Promise<unknown> {
    const { kind, ref: { hash, byteLength } } = this;
    const blob: Blob = { hash, byteLength, bytes: () => this.bytes() };
    if (kind.afar === undefined) return await kind.open(blob);
    return kind.afar.open(blob, (question) => this.ask({ type: "value", question }));
  }
}

/** What a step throws: a rejection is expected, anything else is a failure. */
function thrown(error: unknown): Result {
  if (error instanceof Rejection) {
    return { status: "rejected", reason: error.message, numbers: error.numbers };
  }
  const reason = error instanceof Error ? error.message : String(error);
  return { status: "failed", reason: reason === "" ? "It failed without a message" : reason };
}
