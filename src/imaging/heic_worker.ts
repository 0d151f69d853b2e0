/// <reference lib="deno.worker" />
import createLibheif from "libheif-js/libheif-wasm/libheif-bundle.mjs";
import { HeicProblem, type HeicRequest, libheifOf, type ProblemKind } from "./libheif.ts";

// The worker of `HeicDecoder`: decodes one picture after the other.

export type HeicAnswer =
  & {
    /** What WebAssembly has taken, which only grows. */
    readonly heapBytes: number;
  }
  & (
    /** The head and the pixels: interleaved, 8 bits a channel, row-major, upright. */
    | { readonly made: Uint8Array<ArrayBuffer> }
    | { readonly problem: ProblemKind }
  );

let libheif: ReturnType<typeof libheifOf> | undefined;

self.onmessage = ({ data: request }: MessageEvent<HeicRequest>) => {
  const answer = answerTo(request);
  self.postMessage(answer, "made" in answer ? [answer.made.buffer] : []);
};

function answerTo(request: HeicRequest): HeicAnswer {
  libheif ??= libheifOf(createLibheif);
  try {
    const made = libheif.decode(request);
    return { made, heapBytes: libheif.heapBytes() };
  } catch (error) {
    if (error instanceof HeicProblem) {
      return { problem: error.kind, heapBytes: libheif.heapBytes() };
    }
    // After a trap nothing in it can be relied on.
    return { problem: "damaged", heapBytes: Infinity };
  }
}
