/**
 * Runs in the worker or thread of a user's step file: says what the file declares, and calls its step. What it
 * needs of the global scope it takes before the step's module is loaded. It guards nothing: the worker's
 * permissions do, and the main process trusts no message of it.
 */
import { registerHooks } from "node:module";
import process from "node:process";
import { getHeapStatistics } from "node:v8";
import { stepLimits } from "../runtime/frames.ts";
import { pack, type Packed, PackProblem, post, posted, unpack } from "../runtime/packing.ts";
import type { AnyStep } from "../runtime/step.ts";
import type { CallResult, FromWorker, Loaded, ToWorker } from "../runtime/step_messages.ts";
import { brokenBy, declarationOf, parsed, stepIn } from "./declaration.ts";
import { type Ask, StepCalls } from "./calls.ts";
import { trapPrinting } from "./printing.ts";
import "./vocabulary.ts";

type Load = () => Promise<Readonly<Record<string, unknown>>>;

/** The way to the main process and back. */
export interface Link {
  /** Throws for what cannot be sent. */
  readonly send: (message: FromWorker) => void;
  listen(hear: (message: ToWorker) => void): void;
}

/** A port to the main process itself. */
export function plain(port: MessagePort): Link {
  return {
    send: port.postMessage.bind(port),
    listen: (hear) => port.onmessage = ({ data }: MessageEvent<ToWorker>) => hear(data),
  };
}

/** Ports of a thread to others of its process, which pass on what is packed. */
export function packing(
  { hears, says }: { readonly hears: MessagePort; readonly says: MessagePort },
): Link {
  const port = { postMessage: says.postMessage.bind(says) };
  return {
    send(message) {
      const packed = pack(message, { copies: true });
      if (packed.json.length > stepLimits.jsonBytes) {
        throw new PackProblem(
          `its rows and texts take ${inMb(packed.json.length)} MB, where ` +
            `${inMb(stepLimits.jsonBytes)} MB are the most`,
        );
      }
      post(port, packed);
    },
    listen(hear) {
      hears.onmessage = ({ data }: MessageEvent<Packed>) =>
        hear(unpack(posted(data), { isTrusted: true }) as ToWorker);
    },
  };
}

function inMb(bytes: number): number {
  return Math.ceil(bytes / 1e6);
}

/** Loads the module, and answers what comes over the link from then on. */
export function serve(load: Load, link: Link, options: { readonly isWhole: boolean }): void {
  const { send } = link;
  trapEnds((how) => send({ type: "ending", how: `called ${how}` }));
  if (!options.isWhole) useVocabulary();
  const guest = new Guest(load, send);
  trapPrinting((text) => guest.print(text));
  link.listen((message) => guest.hear(message));
  void guest.load();
}

type Send = (message: FromWorker) => void;

class Guest {
  readonly #calls: StepCalls;
  readonly #heapLimit = getHeapStatistics().heap_size_limit;
  readonly #underway = new Set<number>();
  #step: AnyStep | undefined;
  #loading: Promise<Loaded> | undefined;

  constructor(readonly module: Load, readonly send: Send) {
    const ask: Ask = (message) => send({ type: "ask", ...message });
    this.#calls = new StepCalls(ask, (call, note) => send({ type: "note", call, note }));
    addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      this.send({ type: "fault", reason: brokenBy(event.reason).message });
    });
    addEventListener("error", (event) => {
      event.preventDefault();
      this.send({ type: "fault", reason: event.message });
    });
  }

  async load(): Promise<void> {
    this.#loading = this.#loaded();
    this.send({ type: "loaded", loaded: await this.#loading });
  }

  /** What the step prints is told with the call that began last, which is the only one as a rule. */
  print(text: string): void {
    const call = [...this.#underway].at(-1);
    if (call !== undefined) this.send({ type: "note", call, note: { type: "printed", text } });
  }

  hear(message: ToWorker): void {
    if (message.type === "reply") this.#calls.hear(message.ask, message.reply);
    else if (message.type === "abort") this.#calls.abort();
    else if (message.type === "parse") this.#parse(message);
    else if (message.type === "ping") this.#answerPing();
    else void this.#call(message);
  }

  /**
   * What runs out of memory is broken off in the middle, and its promise never settles; the thread goes
   * on, with more memory than it was to have.
   */
  #answerPing() {
    if (getHeapStatistics().heap_size_limit <= this.#heapLimit) return;
    this.send({ type: "ending", how: "ran out of memory" });
  }

  async #loaded(): Promise<Loaded> {
    try {
      const found = stepIn(await this.module());
      if (typeof found === "string") return { type: "no-step", problem: found };
      this.#step = found;
      return { type: "declared", declaration: declarationOf(found) };
    } catch (error) {
      return brokenBy(error);
    }
  }

  #parse({ id, values }: Extract<ToWorker, { readonly type: "parse" }>) {
    const answer = parsed(this.#step!, revived(values));
    try {
      this.send({ type: "parsed", id, parsed: answer });
    } catch (error) {
      const message = `its parameters cannot leave its worker (${brokenBy(error).message})`;
      this.send({ type: "parsed", id, parsed: { type: "threw", message } });
    }
  }

  async #call({ id, call }: Extract<ToWorker, { readonly type: "call" }>) {
    const loaded = await this.#loading!;
    this.#underway.add(id);
    const result = this.#step === undefined
      ? notLoaded(loaded)
      : await this.#calls.call(this.#step, id, call);
    this.#underway.delete(id);
    try {
      this.send({ type: "done", id, result });
    } catch (error) {
      this.send({ type: "done", id, result: uncloneable(error) });
    }
  }
}

/** It loaded when it was checked, and does not where it has its permissions. */
function notLoaded(loaded: Loaded): CallResult {
  const why = loaded.type === "broken" ? loaded.message : "it exports no step";
  const reason = `The step's file could not be loaded: ${why}`;
  return { type: "result", result: { status: "failed", reason, stopsNode: true } };
}

function uncloneable(error: unknown): CallResult {
  const reason = `What it returned cannot leave its worker (${brokenBy(error).message})`;
  return { type: "result", result: { status: "failed", reason } };
}

/** A `Map` stands for a value that is not known yet; a schema is shown a symbol, as in a process. */
function revived(value: unknown): unknown {
  if (value instanceof Map) return Symbol("unknown value");
  if (Array.isArray(value)) return value.map(revived);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, revived(each)]));
}

/** `import … from "tintype"` gives the vocabulary, which is loaded already. */
function useVocabulary() {
  const url = new URL("./vocabulary.ts", import.meta.url).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "tintype" ? { url, shortCircuit: true } : next(specifier, context),
  });
}

/**
 * Says so when the step ends its worker, which nothing else would tell the main process. The command line
 * is none of its business.
 */
function trapEnds(tell: (how: string) => void) {
  const trap = (target: object, name: string, how: string) => {
    const end = Reflect.get(target, name) as (...parts: unknown[]) => void;
    Object.defineProperty(target, name, {
      value: (...parts: unknown[]) => {
        tell(how);
        return Reflect.apply(end, target, parts);
      },
    });
  };
  trap(Deno, "exit", "Deno.exit");
  trap(process, "exit", "process.exit");
  trap(process, "abort", "process.abort");
  trap(globalThis, "close", "close");
  Object.defineProperty(Deno, "args", { value: [] });
}
