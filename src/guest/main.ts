/**
 * Runs in the worker or thread of a user's step file: says what the file declares, and calls its step. What it
 * needs of the global scope it takes before the step's module is loaded. It guards nothing: the worker's
 * permissions do, and the main process trusts no message of it.
 */
import { registerHooks } from "node:module";
import process from "node:process";
import { getHeapStatistics } from "node:v8";
import type { AnyStep } from "../runtime/step.ts";
import type { CallResult, FromWorker, Loaded, ToWorker } from "../runtime/step_messages.ts";
import { brokenBy, declarationOf, parsed, stepIn } from "./declaration.ts";
import { type Ask, StepCalls } from "./calls.ts";
import "./vocabulary.ts";

type Load = () => Promise<Readonly<Record<string, unknown>>>;

/** Loads the module, and answers what comes to the port from then on. */
export function serve(load: Load, port: MessagePort, options: { readonly isWhole: boolean }): void {
  const send = port.postMessage.bind(port);
  trapEnds((how) => send({ type: "ending", how: `called ${how}` } satisfies FromWorker));
  if (!options.isWhole) useVocabulary();
  const guest = new Guest(load, send);
  port.onmessage = ({ data }: MessageEvent<ToWorker>) => guest.hear(data);
  void guest.load();
}

type Send = (message: FromWorker) => void;

class Guest {
  readonly #calls: StepCalls;
  readonly #heapLimit = getHeapStatistics().heap_size_limit;
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
    const result = this.#step === undefined
      ? notLoaded(loaded)
      : await this.#calls.call(this.#step, id, call);
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
 * Says so when the step ends its worker, which nothing else would tell the main process. The lines that
 * it prints go where they do not mix with results, and the command line is none of its business.
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
  for (const name of ["log", "info", "debug"] as const) console[name] = console.error;
}
