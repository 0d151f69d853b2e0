/** Sides of the grey pictures that the hashes are made from. */
export const DHASH_SIZE = { width: 9, height: 8 } as const;
export const PHASH_SIZE = { width: 32, height: 32 } as const;

/** Coefficients a side that pHash keeps. */
const KEPT = 8;

/** Bits as hexadecimal digits, the first bit the highest of the first digit. */
function hexadecimal(bits: readonly boolean[]): string {
  let digits = "";
  for (let at = 0; at < bits.length; at += 4) {
    const nibble = bits.slice(at, at + 4).reduce((sum, bit) => sum * 2 + Number(bit), 0);
    digits += nibble.toString(16);
  }
  return digits;
}

/**
 * The difference hash (N. Krawetz, "Kind of Like That", 2013) of 9 × 8 grey levels, row-major: a bit is 1
 * where a pixel is brighter than the one to its left; row by row. The same as in imagededup.
 */
export function dHash(grey: ArrayLike<number>): string {
  const bits: boolean[] = [];
  for (let row = 0; row < DHASH_SIZE.height; row++) {
    for (let column = 1; column < DHASH_SIZE.width; column++) {
      const at = row * DHASH_SIZE.width + column;
      bits.push(grey[at]! > grey[at - 1]!);
    }
  }
  return hexadecimal(bits);
}

/**
 * The perceptual hash (N. Krawetz, "Looks Like It", 2011) of 32 × 32 grey levels, row-major, as imagededup
 * defines it: of the two-dimensional DCT-II the 8 × 8 lowest frequencies, row by row; a bit is 1 where a
 * coefficient is at least the median of the 63 that are not the mean.
 */
export function pHash(grey: ArrayLike<number>): string {
  const coefficients = lowFrequencies(grey);
  const sorted = coefficients.slice(1).sort();
  const median = sorted[sorted.length >> 1]!;
  return hexadecimal(Array.from(coefficients, (coefficient) => coefficient >= median));
}

/** `cos(π k (2 n + 1) / 64)` at k × 32 + n. */
const cosines = Float64Array.from(
  { length: KEPT * PHASH_SIZE.width },
  (_, at) => Math.cos(Math.PI * (at >> 5) * (2 * (at & 31) + 1) / 64),
);

/** `Σ Σ grey cos cos`, rows by vertical frequency. Rounded, so that what is 0 in theory is 0. */
function lowFrequencies(grey: ArrayLike<number>): Float64Array {
  const { width, height } = PHASH_SIZE;
  const across = new Float64Array(height * KEPT);
  for (let row = 0; row < height; row++) {
    for (let k = 0; k < KEPT; k++) {
      let sum = 0;
      for (let n = 0; n < width; n++) sum += grey[row * width + n]! * cosines[k * width + n]!;
      across[row * KEPT + k] = sum;
    }
  }
  const coefficients = new Float64Array(KEPT * KEPT);
  for (let at = 0; at < coefficients.length; at++) {
    let sum = 0;
    for (let row = 0; row < height; row++) {
      sum += across[row * KEPT + at % KEPT]! * cosines[(at >> 3) * height + row]!;
    }
    coefficients[at] = Math.round(sum * 1e6) / 1e6;
  }
  return coefficients;
}

/** How many bits two hashes differ in, 0 to 64. */
export function hammingDistance(one: string, other: string): number {
  let bits = BigInt(`0x${one}`) ^ BigInt(`0x${other}`);
  let count = 0;
  for (; bits !== 0n; bits &= bits - 1n) count++;
  return count;
}
