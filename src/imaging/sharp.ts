import type sharp from "sharp";
import type { Sharp } from "sharp";
import { whileReading } from "../runtime/buffer_memory.ts";

export type SharpFactory = typeof sharp;

let loading: Promise<SharpFactory> | undefined;

/**
 * sharp, loaded when the first picture needs it: loading takes 48 ms, which a run of nothing but cache
 * hits does not have to pay.
 *
 * Its operation cache is off, since it keeps pixels of pictures that nobody asks for again. One thread a
 * picture: the run works on as many pictures as there are cores, and more threads only contend.
 */
export function loadSharp(): Promise<SharpFactory> {
  return loading ??= import("sharp").then(({ default: factory }) => {
    factory.cache(false);
    factory.concurrency(1);
    return new Proxy(factory, {
      apply(target, _, [source, options]: Parameters<SharpFactory>) {
        const pipeline = target(source, options);
        if (ArrayBuffer.isView(source)) noteReads(pipeline, source.buffer);
        return pipeline;
      },
    });
  });
}

/** What begins a native call; all else only notes what it is to do. */
const calls = ["toBuffer", "toFile", "metadata", "stats"] as const;

/** Keeps a buffer from being freed while a call of this pipeline reads it. */
function noteReads(pipeline: Sharp, buffer: ArrayBufferLike): void {
  const methods = pipeline as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  for (const name of calls) {
    const call = methods[name]!;
    methods[name] = (...args) => whileReading(buffer, () => call.apply(pipeline, args));
  }
}
