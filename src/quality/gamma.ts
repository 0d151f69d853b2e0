/** Coefficients of the Lanczos approximation with g = 7 and nine terms; relative error below 1e-14. */
const lanczosTerms = [
  0.99999999999980993,
  676.5203681218851,
  -1259.1392167224028,
  771.32342877765313,
  -176.61502916214059,
  12.507343278686905,
  -0.13857109526572012,
  9.9843695780195716e-6,
  1.5056327351493116e-7,
] as const;

/** The gamma function of a positive number (C. Lanczos, 1964). */
export function gamma(x: number): number {
  if (x < 0.5) return Math.PI / (Math.sin(Math.PI * x) * gamma(1 - x));
  let sum: number = lanczosTerms[0];
  for (let term = 1; term < lanczosTerms.length; term++) {
    sum += lanczosTerms[term]! / (x - 1 + term);
  }
  const base = x + 6.5;
  return Math.sqrt(2 * Math.PI) * base ** (x - 0.5) * Math.exp(-base) * sum;
}
