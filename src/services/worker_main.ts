/// <reference lib="deno.worker" />
/**
 * Runs in each worker of a `WorkerPool`: loads the module that a call names and calls its `compute`. What
 * that throws goes back as the call's answer, so that the worker lives on.
 */
import type { WorkerCall, WorkerReply } from "./worker_pool.ts";

async function answer({ module, input }: WorkerCall): Promise<WorkerReply> {
  try {
    const { compute } = await import(module) as { compute(input: unknown): unknown };
    return { result: await compute(input) };
  } catch (error) {
    return error instanceof Error
      ? { error: { name: error.name, message: error.message, stack: error.stack } }
      : { error: { name: "Error", message: String(error) } };
  }
}

self.onmessage = async ({ data: call }: MessageEvent<WorkerCall>) => {
  const reply = await answer(call);
  try {
    self.postMessage(reply);
  } catch (error) {
    // The result is nothing that can be cloned.
    self.postMessage({ error: { name: "TypeError", message: (error as Error).message } });
  }
};
