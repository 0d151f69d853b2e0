/** A square matrix, row-major, and how many rows it has. */
export interface SquareMatrix {
  readonly size: number;
  readonly values: Float64Array;
}

/** The mean of each column of some rows that are equally long. */
export function meanOf(rows: readonly Float64Array[]): Float64Array {
  const sums = new Float64Array(rows[0]?.length ?? 0);
  for (const row of rows) row.forEach((value, at) => sums[at]! += value);
  return sums.map((sum) => sum / rows.length);
}

/** The covariance of the columns, divided by one less than there are rows; of at least two rows. */
export function covarianceOf(rows: readonly Float64Array[]): SquareMatrix {
  const mean = meanOf(rows);
  const size = mean.length;
  const values = new Float64Array(size * size);
  for (const row of rows) {
    const centred = row.map((value, at) => value - mean[at]!);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) values[i * size + j]! += centred[i]! * centred[j]!;
    }
  }
  return { size, values: values.map((sum) => sum / (rows.length - 1)) };
}

/** The eigenvalues of a symmetric matrix, and its eigenvectors as columns. */
interface Eigen {
  readonly eigenvalues: Float64Array;
  readonly vectors: Float64Array;
}

const MOST_SWEEPS = 60;

/** By Jacobi's cyclic rotations (Golub, Van Loan, "Matrix Computations", section 8.5). */
function eigenOf(matrix: SquareMatrix): Eigen {
  const { size } = matrix;
  const a = matrix.values.slice();
  const vectors = new Float64Array(size * size);
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1;
  const scale = Math.hypot(...a);
  for (let sweep = 0; sweep < MOST_SWEEPS && offDiagonal(a, size) > 1e-15 * scale; sweep++) {
    for (let p = 0; p < size - 1; p++) {
      for (let q = p + 1; q < size; q++) rotate({ a, vectors, size }, p, q);
    }
  }
  return { eigenvalues: Float64Array.from({ length: size }, (_, i) => a[i * size + i]!), vectors };
}

function offDiagonal(a: Float64Array, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) sum += a[i * size + j]! ** 2;
  return Math.sqrt(2 * sum);
}

/** Turns the matrix in the plane of p and q so that their common element becomes 0. */
function rotate(
  { a, vectors, size }: {
    readonly a: Float64Array;
    readonly vectors: Float64Array;
    readonly size: number;
  },
  p: number,
  q: number,
) {
  const apq = a[p * size + q]!;
  if (apq === 0) return;
  const tau = (a[q * size + q]! - a[p * size + p]!) / (2 * apq);
  const tangent = tau >= 0
    ? 1 / (tau + Math.sqrt(1 + tau * tau))
    : -1 / (-tau + Math.sqrt(1 + tau * tau));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  const sine = tangent * cosine;
  const turn = (values: Float64Array, one: number, other: number) => {
    const [x, y] = [values[one]!, values[other]!];
    values[one] = cosine * x - sine * y;
    values[other] = sine * x + cosine * y;
  };
  for (let k = 0; k < size; k++) turn(a, k * size + p, k * size + q);
  for (let k = 0; k < size; k++) turn(a, p * size + k, q * size + k);
  for (let k = 0; k < size; k++) turn(vectors, k * size + p, k * size + q);
}

/**
 * `vᵀ M⁺ v`, with the pseudo-inverse of a symmetric matrix: eigenvalues below 1e-15 of the largest count
 * as 0, as in NumPy's `pinv`. Not negative for what is a covariance but for rounding.
 */
export function inverseForm(matrix: SquareMatrix, vector: Float64Array): number {
  const { size } = matrix;
  const { eigenvalues, vectors } = eigenOf(matrix);
  const largest = eigenvalues.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let sum = 0;
  eigenvalues.forEach((eigenvalue, at) => {
    if (Math.abs(eigenvalue) <= 1e-15 * largest) return;
    let along = 0;
    for (let k = 0; k < size; k++) along += vector[k]! * vectors[k * size + at]!;
    sum += along * along / eigenvalue;
  });
  return Math.max(0, sum);
}
