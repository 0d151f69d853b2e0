import { hammingPairs } from "../src/search/hamming.ts";
import { eachCosineTile } from "../src/search/cosine.ts";
import type { Benchmark } from "./benchmark.ts";
import { barLine, grouped, seconds } from "./wording.ts";

/** Searches of `dedupe.group`, in this process: their bars are seconds, not ratios. */
export const search: Benchmark = {
  name: "search",
  about: "1,000,000 hashes within 4 bits, and all pairs of 20,000 embeddings",
  async run({ isQuick, say }) {
    const hashes = isQuick ? 100_000 : 1_000_000;
    const vectors = isQuick ? 4000 : 20_000;
    say(
      `\nsearch: ${grouped(hashes)} hashes at distance ≤ 4; ${grouped(vectors)} × 512 embeddings`,
    );
    for (
      const [name, made] of [["random", random(hashes)], ["clustered", clustered(hashes)]] as const
    ) {
      let pairs = 0;
      const elapsedMs = timed(() => hammingPairs([made], { distance: 4, visit: () => pairs++ }));
      say(bar(`${name} hashes, ${grouped(pairs)} pairs`, elapsedMs));
    }
    let over = 0;
    const started = performance.now();
    await eachCosineTile(unitVectors(vectors), ({ cosines }) => {
      for (const cosine of cosines) if (cosine >= 0.9) over++;
    });
    say(bar(`embeddings, ${grouped(over)} cosines ≥ 0.9`, performance.now() - started));
  },
};

const mostMs = 20_000;

function bar(text: string, elapsedMs: number): string {
  return barLine({ text: `${text}: ≤ 20 s`, isMet: elapsedMs <= mostMs }, seconds(elapsedMs));
}

function timed(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

/** Linear congruential (Knuth), upper bits mixed in. */
function words(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state ^ (state >>> 13)) >>> 0;
  };
}

function random(count: number): BigUint64Array {
  const word = words();
  return BigUint64Array.from({ length: count }, () => BigInt(word()) << 32n | BigInt(word()));
}

/** A hundred around each centre, up to 4 bits from it. */
function clustered(count: number): BigUint64Array {
  const word = words();
  const centres = random(Math.ceil(count / 100));
  return BigUint64Array.from({ length: count }, () => {
    let hash = centres[word() % centres.length]!;
    for (let flips = word() % 5; flips > 0; flips--) hash ^= 1n << BigInt(word() >>> 26);
    return hash;
  });
}

function unitVectors(count: number) {
  const word = words();
  const dimensions = 512;
  const values = new Float32Array(count * dimensions);
  for (let from = 0; from < values.length; from += dimensions) {
    let length = 0;
    for (let at = from; at < from + dimensions; at++) {
      values[at] = word() / 2 ** 32 - 0.5;
      length += values[at]! ** 2;
    }
    for (let at = from; at < from + dimensions; at++) values[at]! /= Math.sqrt(length);
  }
  return { dimensions, values };
}
