import type { Feeds } from "../services/inference.ts";
import type { ModelEntry } from "./registry.ts";

/** Gives the ids of a text's tokens, with the marks of start and end. */
export type Tokenize = (text: string) => readonly number[];

/** Reads a `tokenizer.json` of Hugging Face. Throws what JSON and the library say of a bad one. */
export async function readTokenizer(json: Uint8Array): Promise<Tokenize> {
  const { Tokenizer } = await import("@huggingface/tokenizers");
  const tokenizer = new Tokenizer(JSON.parse(new TextDecoder().decode(json)), {});
  return (text) => tokenizer.encode(text).ids;
}

/** The tokens that CLIP's text side takes (Radford et al., section 2.4). */
const clipLength = 77;

/**
 * What a text model is fed: ids cut to its length, the mark of the end kept, and filled up with that
 * mark, as CLIP's own tokenizer of Hugging Face does. The model reads the place of the first end mark,
 * and earlier tokens do not see later ones, so what is behind it counts for nothing.
 */
export function textFeeds(ids: readonly number[], { inputs }: ModelEntry): Feeds {
  const wanted = inputs[0]?.dims[1];
  const length = typeof wanted === "number" ? wanted : clipLength;
  const end = ids.at(-1)!;
  const kept = ids.length > length ? [...ids.slice(0, length - 1), end] : ids;
  const padded = Array.from({ length }, (_, at) => BigInt(kept[at] ?? end));
  const mask = padded.map((_, at) => at < kept.length ? 1n : 0n);
  return Object.fromEntries(inputs.map(({ name }, at) => {
    const values = BigInt64Array.from(at === 0 ? padded : mask);
    return [name, { dims: [length], values }];
  }));
}

/** exp of CLIP's learned temperature, which its training stops at 100 (the same, section 2.5). */
const logitScale = 100;

/** Cosines of a picture with texts as probabilities, which add up to 1: softmax of 100 × cosine. */
export function clipProbabilities(cosines: readonly number[]): readonly number[] {
  const highest = Math.max(...cosines);
  const weights = cosines.map((cosine) => Math.exp(logitScale * (cosine - highest)));
  const sum = weights.reduce((all, weight) => all + weight, 0);
  return weights.map((weight) => weight / sum);
}
