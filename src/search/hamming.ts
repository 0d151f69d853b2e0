/** Counts of what a search did, for bounds that a test can hold. */
export interface HammingSearch {
  /** Pairs of hashes that were compared bit by bit. */
  readonly comparisons: number;
}

export interface HammingOptions {
  /** Bits, 0 to 64: a pair is found when every one of its hashes is within. */
  readonly distance: number;
  /** Called once for each pair, with `a` < `b`; in an order that depends on the hashes alone. */
  readonly visit: (a: number, b: number) => void;
}

/** The number of bits in which the 64-bit hashes at two places of an array differ. */
export function hammingDistance(hashes: BigUint64Array, a: number, b: number): number {
  const words = new Int32Array(hashes.buffer, hashes.byteOffset, hashes.length * 2);
  return bitsOf(words[2 * a]! ^ words[2 * b]!, words[2 * a + 1]! ^ words[2 * b + 1]!);
}

/** Bits that are set in two words of 32 bits (Warren, Hacker's Delight, 2nd ed., section 5-1). */
export function bitsOf(low: number, high: number): number {
  low -= (low >>> 1) & 0x55555555;
  high -= (high >>> 1) & 0x55555555;
  low = (low & 0x33333333) + ((low >>> 2) & 0x33333333);
  high = (high & 0x33333333) + ((high >>> 2) & 0x33333333);
  const sum = (low & 0x0f0f0f0f) + ((low >>> 4) & 0x0f0f0f0f) +
    (high & 0x0f0f0f0f) + ((high >>> 4) & 0x0f0f0f0f);
  return Math.imul(sum, 0x01010101) >>> 24;
}

/**
 * Finds all pairs of items whose 64-bit hashes are within a Hamming distance, exactly. Each of the
 * `columns` has one hash an item; a pair counts when it is within the distance in every column.
 *
 * Two hashes within d bits agree wholly in at least one of d + 1 parts (multi-index hashing; Norouzi,
 * Punjani, Fleet, "Fast search in Hamming space with multi-index hashing", CVPR 2012). So the items are
 * put into buckets by each part in turn, and only those of one bucket are compared; a bucket that is
 * still large is divided again by the bits that its items need not share, in the column where that
 * saves most. A pair is reported in the first part that it agrees in. Memory is linear in the number
 * of items.
 *
 * Pairs of equal hashes are pairs too: where there may be many, make the items distinct before.
 */
export function hammingPairs(
  columns: readonly BigUint64Array[],
  options: HammingOptions,
): HammingSearch {
  const search = new Search(columns, options);
  const count = columns[0]?.length ?? 0;
  search.divide(
    Uint32Array.from({ length: count }, (_, at) => at),
    columns.map(() => allBits),
    root,
  );
  return search;
}

/** Bits of a 64-bit hash. */
interface Mask {
  readonly low: number;
  readonly high: number;
}

const allBits: Mask = { low: -1, high: -1 };

/** A part of one column's hash, by which items were put into buckets. */
interface Part extends Mask {
  readonly column: number;
}

/**
 * By which a pair is reported once: column, low and high word of the parts that its bucket shares, and
 * of those before them, in which a pair that agrees has been reported already.
 */
interface Path {
  readonly shared: Int32Array;
  readonly earlier: Int32Array;
}

const root: Path = { shared: new Int32Array(), earlier: new Int32Array() };

function below(path: Path, part: Part, earlier: readonly Part[]): Path {
  const flat = (parts: readonly Part[]) =>
    parts.flatMap(({ column, low, high }) => [column, low, high]);
  return {
    shared: Int32Array.from([...path.shared, ...flat([part])]),
    earlier: Int32Array.from([...path.earlier, ...flat(earlier)]),
  };
}

interface Division {
  readonly parts: readonly Part[];
  /** How many pairs its buckets hold together. */
  readonly pairs: number;
}

/** Below this, comparing all is faster than looking for a division. */
const smallBucket = 512;

/** What it costs to put an item into a bucket, in comparisons. */
const costOfPlacing = 12;

class Search implements HammingSearch {
  comparisons = 0;
  readonly #words: readonly Int32Array[];
  readonly #distance: number;
  readonly #visit: (a: number, b: number) => void;
  /** Words of the bucket at hand, side by side. */
  #low = new Int32Array(1024);
  #high = new Int32Array(1024);

  constructor(columns: readonly BigUint64Array[], { distance, visit }: HammingOptions) {
    this.#words = columns.map(({ buffer, byteOffset, length }) =>
      new Int32Array(buffer, byteOffset, length * 2)
    );
    this.#distance = distance;
    this.#visit = visit;
  }

  /** Compares the items of one bucket; `free` are the bits that they need not share, by column. */
  divide(items: Uint32Array, free: readonly Mask[], path: Path): void {
    if (items.length < smallBucket) return this.#compareAll(items, path);
    const direct = items.length * (items.length - 1) / 2;
    const division = this.#bestDivision(items, free);
    const cost = division.pairs + division.parts.length * items.length * costOfPlacing;
    if (cost > 0.7 * direct) return this.#compareAll(items, path);
    division.parts.forEach((part, index) => {
      const next = below(path, part, division.parts.slice(0, index));
      const rest = free.map((mask, column) => column === part.column ? without(mask, part) : mask);
      this.#eachBucket(items, part, (bucket) => this.divide(bucket, rest, next));
    });
  }

  /** The column whose parts leave the fewest pairs. */
  #bestDivision(items: Uint32Array, free: readonly Mask[]): Division {
    let best: Division | undefined;
    free.forEach((mask, column) => {
      const parts = partsOf(mask, this.#distance + 1).map((part) => ({ ...part, column }));
      let pairs = 0;
      for (const part of parts) {
        for (const size of this.#sizes(items, part)) pairs += size * (size - 1) / 2;
      }
      if (best === undefined || pairs < best.pairs) best = { parts, pairs };
    });
    return best!;
  }

  /** How many items each bucket has; what falls together by chance shares a bucket. */
  #sizes(items: Uint32Array, part: Part): Uint32Array {
    const { words, shift } = this.#bucketing(items, part);
    const sizes = new Uint32Array(2 ** (32 - shift));
    for (let at = 0; at < items.length; at++) {
      sizes[bucketOf(words, items[at]!, part, shift)]!++;
    }
    return sizes;
  }

  #bucketing(items: Uint32Array, { column }: Part) {
    const bits = Math.min(22, Math.ceil(Math.log2(items.length)) + 1);
    return { words: this.#words[column]!, shift: 32 - bits };
  }

  #eachBucket(items: Uint32Array, part: Part, use: (bucket: Uint32Array) => void): void {
    const { words, shift } = this.#bucketing(items, part);
    const ends = this.#sizes(items, part);
    for (let bucket = 1; bucket < ends.length; bucket++) ends[bucket]! += ends[bucket - 1]!;
    const sorted = new Uint32Array(items.length);
    const starts = ends.slice();
    for (let at = items.length - 1; at >= 0; at--) {
      sorted[--starts[bucketOf(words, items[at]!, part, shift)]!] = items[at]!;
    }
    for (let bucket = 0; bucket < ends.length; bucket++) {
      const size = ends[bucket]! - starts[bucket]!;
      if (size > 1) use(sorted.subarray(starts[bucket]!, ends[bucket]!));
    }
  }

  /** Items keep their order within buckets, so that `a` < `b` comes out by itself. */
  #compareAll(items: Uint32Array, path: Path): void {
    this.#gather(items);
    const low = this.#low;
    const high = this.#high;
    const distance = this.#distance;
    for (let i = 1; i < items.length; i++) {
      const ownLow = low[i]!;
      const ownHigh = high[i]!;
      for (let j = 0; j < i; j++) {
        if (bitsOf(ownLow ^ low[j]!, ownHigh ^ high[j]!) > distance) continue;
        const a = items[j]!;
        const b = items[i]!;
        if (this.#isNew(a, b, path) && this.#isNearElsewhere(a, b)) this.#visit(a, b);
      }
    }
    this.comparisons += items.length * (items.length - 1) / 2;
  }

  #gather(items: Uint32Array): void {
    if (this.#low.length < items.length) {
      this.#low = new Int32Array(items.length * 2);
      this.#high = new Int32Array(items.length * 2);
    }
    const words = this.#words[0]!;
    for (let at = 0; at < items.length; at++) {
      this.#low[at] = words[2 * items[at]!]!;
      this.#high[at] = words[2 * items[at]! + 1]!;
    }
  }

  /** Whether a pair is within the distance in the columns after the first. */
  #isNearElsewhere(a: number, b: number): boolean {
    for (let column = 1; column < this.#words.length; column++) {
      const words = this.#words[column]!;
      const bits = bitsOf(words[2 * a]! ^ words[2 * b]!, words[2 * a + 1]! ^ words[2 * b + 1]!);
      if (bits > this.#distance) return false;
    }
    return true;
  }

  /** Whether this bucket is the first that a pair is in. */
  #isNew(a: number, b: number, { shared, earlier }: Path): boolean {
    for (let at = 0; at < shared.length; at += 3) {
      if (this.#differ(a, b, shared, at) !== 0) return false;
    }
    for (let at = 0; at < earlier.length; at += 3) {
      if (this.#differ(a, b, earlier, at) === 0) return false;
    }
    return true;
  }

  #differ(a: number, b: number, parts: Int32Array, at: number): number {
    const words = this.#words[parts[at]!]!;
    return (words[2 * a]! ^ words[2 * b]!) & parts[at + 1]! |
      (words[2 * a + 1]! ^ words[2 * b + 1]!) & parts[at + 2]!;
  }
}

/** Multiplicative hashing (Knuth, The Art of Computer Programming, vol. 3, section 6.4). */
function bucketOf(words: Int32Array, item: number, { low, high }: Mask, shift: number): number {
  const mixed = Math.imul(words[2 * item]! & low, 0x9e3779b1) ^
    Math.imul(words[2 * item + 1]! & high, 0x85ebca77);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> shift;
}

function without(mask: Mask, part: Mask): Mask {
  return { low: mask.low & ~part.low, high: mask.high & ~part.high };
}

/**
 * Deals the bits of a mask out into parts, one to each in turn: neighbouring bits of a perceptual hash
 * go together, so parts of neighbours would have fewer different values.
 */
function partsOf(mask: Mask, count: number): Mask[] {
  const parts = Array.from({ length: count }, () => ({ low: 0, high: 0 }));
  let dealt = 0;
  for (let bit = 0; bit < 64; bit++) {
    const word = bit < 32 ? "low" : "high";
    const one = 1 << (bit & 31);
    if ((mask[word] & one) !== 0) parts[dealt++ % count]![word] |= one;
  }
  return parts;
}
