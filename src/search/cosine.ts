import type { InferenceSession } from "onnxruntime-node";
import { productModel } from "./product_model.ts";

/** Vectors of unit length, one after the other. */
export interface Vectors {
  readonly dimensions: number;
  /** `count × dimensions`; float32 in rows. */
  readonly values: Float32Array;
}

/** Cosines of some vectors with some others, `rows × columns`, row-major. */
export interface CosineTile {
  /** The first vector of the rows, and of the columns. */
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
  /** Reused for the next tile. */
  readonly cosines: Float32Array;
}

/** Vectors on a side of a tile: 4 MB of cosines, about what stays in a cache, 25 ms of work. */
const tileSide = 1024;

/**
 * The cosines of all pairs of some vectors, exactly, tile by tile: rows ascending, within them columns
 * ascending from the row's own. Where `row` equals `column`, only what is right of the diagonal is new.
 * They are products in float32, within 1e-6 of float64 for vectors of unit length (512 roundings of
 * 2⁻²⁴, relative to a sum of products that is at most 1). `cosineOf` gives a pair in float64.
 *
 * Products are made by onnxruntime, which uses all cores: 20,000 × 512 is 2 × 10¹¹ operations.
 */
export async function eachCosineTile(
  vectors: Vectors,
  visit: (tile: CosineTile) => void,
  signal?: AbortSignal,
): Promise<void> {
  const count = countOf(vectors);
  if (count === 0) return;
  await withProducts(vectors, async (products) => {
    for (let row = 0; row < count; row += tileSide) {
      for (let column = row; column < count; column += tileSide) {
        signal?.throwIfAborted();
        visit(await products(row, column));
      }
    }
  });
}

/** The cosines of some vectors, by their places, with all: one array of `count` each. */
export async function cosinesWithAll(
  vectors: Vectors,
  places: readonly number[],
  visit: (place: number, cosines: Float32Array) => void,
): Promise<void> {
  const { dimensions, values } = vectors;
  const count = countOf(vectors);
  const chosen = new Float32Array(places.length * dimensions);
  places.forEach((place, at) =>
    chosen.set(values.subarray(place * dimensions, (place + 1) * dimensions), at * dimensions)
  );
  const session = await openProducts();
  const { Tensor } = await import("onnxruntime-node");
  const all = places.map(() => new Float32Array(count));
  const a = new Tensor("float32", chosen, [places.length, dimensions]);
  for (let from = 0; from < count; from += tileSide) {
    const to = Math.min(count, from + tileSide);
    const part = values.subarray(from * dimensions, to * dimensions);
    const b = new Tensor("float32", part, [to - from, dimensions]);
    const made = (await session.run({ a, b }))["c"]!.data as Float32Array;
    all.forEach((own, at) =>
      own.set(made.subarray(at * (to - from), (at + 1) * (to - from)), from)
    );
  }
  await session.release();
  places.forEach((place, at) => visit(place, all[at]!));
}

/** The cosine of two of the vectors in float64, -1 to 1; 0 where one has no length. */
export function cosineOf({ dimensions, values }: Vectors, a: number, b: number): number {
  let product = 0;
  let own = 0;
  let other = 0;
  for (let at = 0, i = a * dimensions, j = b * dimensions; at < dimensions; at++, i++, j++) {
    product += values[i]! * values[j]!;
    own += values[i]! * values[i]!;
    other += values[j]! * values[j]!;
  }
  const lengths = Math.sqrt(own * other);
  return lengths === 0 ? 0 : Math.max(-1, Math.min(1, product / lengths));
}

export function countOf({ dimensions, values }: Vectors): number {
  return dimensions === 0 ? 0 : values.length / dimensions;
}

async function openProducts(): Promise<InferenceSession> {
  const { InferenceSession } = await import("onnxruntime-node");
  return await InferenceSession.create(productModel(), { logSeverityLevel: 3 });
}

type Products = (row: number, column: number) => Promise<CosineTile>;

/** Lets `use` ask for tiles; all of them share one array. */
async function withProducts(vectors: Vectors, use: (products: Products) => Promise<void>) {
  const { Tensor } = await import("onnxruntime-node");
  const session = await openProducts();
  const { dimensions, values } = vectors;
  const count = countOf(vectors);
  const room = new Float32Array(Math.min(tileSide, count) ** 2);
  const side = (from: number) => {
    const length = Math.min(tileSide, count - from);
    const part = values.subarray(from * dimensions, (from + length) * dimensions);
    return { length, tensor: new Tensor("float32", part, [length, dimensions]) };
  };
  try {
    await use(async (row, column) => {
      const [a, b] = [side(row), side(column)];
      const cosines = room.subarray(0, a.length * b.length);
      const c = new Tensor("float32", cosines, [a.length, b.length]);
      await session.run({ a: a.tensor, b: b.tensor }, { c });
      return { row, column, rows: a.length, columns: b.length, cosines };
    });
  } finally {
    await session.release();
  }
}
