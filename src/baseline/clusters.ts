import type { Baseline, Cluster } from "./baseline.ts";
import { tenDigits } from "./distribution.ts";

/** What clusters are made by. */
export interface Sized {
  /** Pixels, upright, at least 1. */
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
}

export interface Clustering {
  readonly clusters: Baseline["clusters"];
  /** The cluster of each picture, from 1, in the order that they were given in. */
  readonly assigned: Uint16Array;
}

/** The method in words, with its numbers. */
const method =
  "k-means (ml-kmeans 7, k-means++) on the binary logarithms of pixels and bytes, each " +
  "divided by its standard deviation, or by a tenth of an octave where that is more; as many clusters " +
  "as have the highest mean silhouette, at most 8, none of less than 1 % of the pictures; a single one " +
  "where the silhouette stays below 0.5";

const mostClusters = 8;

/** Kaufman and Rousseeuw, "Finding Groups in Data" (1990): above 0.5 the structure is reasonable. */
const reasonableSilhouette = 0.5;

/** A smaller group is a matter of outliers. */
const leastShare = 0.01;

/** Enough to find groups of 1 %; more would cost time, and move no centre by much. */
const sampleSize = 1000;
const silhouetteSampleSize = 400;

/** k-means++ begins at random: of so many beginnings the tightest clustering is taken. */
const beginnings = 3;

/** Differences of less than 7 % are no difference in kind, however alike the pictures are. */
const leastDeviation = 0.1;

type Point = readonly [pixels: number, bytes: number];

/**
 * Groups pictures that are alike in resolution and file size, the largest group first.
 *
 * The method is the library's k-means on a sample of 1,000: pictures in order of their pixels and
 * bytes, taken at equal distances, with fixed seeds, so that neither chance nor the order of the
 * pictures counts. The number of clusters is chosen by P. J. Rousseeuw's mean silhouette (Journal of
 * Computational and Applied Mathematics 20, 1987) over 400 of the sample. Every picture then belongs
 * to the nearest centre.
 */
export async function clustersOf(pictures: readonly Sized[]): Promise<Clustering> {
  const order = orderOf(pictures);
  const points = standardised(order.map((at) => logPoint(pictures[at]!)));
  const sample = spaced(points, sampleSize);
  const fitted = await bestFit(sample);
  const nearest = points.map((point) => nearestCentre(point, fitted.centres));
  const members = membersOf(order, nearest, fitted.centres.length);
  const assigned = new Uint16Array(pictures.length);
  const clusters = members.map((group, index): Cluster => {
    for (const at of group) assigned[at] = index + 1;
    return clusterOf(group.map((at) => pictures[at]!), index + 1, pictures.length);
  });
  const silhouette = members.length > 1 ? Number(fitted.silhouette.toFixed(4)) : null;
  return { clusters: { method, silhouette, clusters }, assigned };
}

/** Positions by pixels, then bytes, then shape: pictures that tie are alike. */
function orderOf(pictures: readonly Sized[]): number[] {
  const pixels = Float64Array.from(pictures, ({ width, height }) => width * height);
  return Array.from(pictures.keys()).sort((a, b) =>
    pixels[a]! - pixels[b]! || pictures[a]!.bytes - pictures[b]!.bytes ||
    pictures[a]!.width - pictures[b]!.width
  );
}

function logPoint({ width, height, bytes }: Sized): Point {
  return [Math.log2(width * height), Math.log2(Math.max(1, bytes))];
}

function standardised(points: readonly Point[]): Point[] {
  const [byPixels, byBytes] = [scaleOf(points, 0), scaleOf(points, 1)];
  return points.map(([pixels, bytes]) => [byPixels(pixels), byBytes(bytes)]);
}

function scaleOf(points: readonly Point[], axis: 0 | 1): (value: number) => number {
  const mean = points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const squares = points.reduce((sum, point) => sum + (point[axis] - mean) ** 2, 0);
  const deviation = Math.max(leastDeviation, Math.sqrt(squares / points.length));
  return (value) => (value - mean) / deviation;
}

/** At most `count` of them, at equal distances, the first and the last among them. */
function spaced<Value>(values: readonly Value[], count: number): readonly Value[] {
  if (values.length <= count) return values;
  const step = (values.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, index) => values[Math.round(index * step)]!);
}

interface Fit {
  readonly centres: readonly Point[];
  /** Mean, −1 to 1; 0 for one centre. */
  readonly silhouette: number;
}

/** The clustering with the highest silhouette; of several, the one with the fewest centres. */
async function bestFit(sample: readonly Point[]): Promise<Fit> {
  const single: Fit = { centres: sample.length === 0 ? [] : [[0, 0]], silhouette: 0 };
  const distinct = new Set(sample.map((point) => point.join())).size;
  const most = Math.min(mostClusters, distinct, sample.length - 1);
  if (most < 2) return single;
  const { kmeans } = await import("ml-kmeans");
  const judged = spaced(sample, silhouetteSampleSize);
  let best = single;
  for (let count = 2; count <= most; count++) {
    const centres = tightest(sample, count, kmeans);
    if (smallestCluster(sample, centres) < Math.max(2, sample.length * leastShare)) continue;
    const silhouette = silhouetteOf(judged, centres);
    if (silhouette > best.silhouette + 1e-9) best = { centres, silhouette };
  }
  return best.silhouette < reasonableSilhouette ? single : best;
}

type KMeans = typeof import("ml-kmeans").kmeans;

/** The centres of the beginning whose squared distances to the nearest centre add up to the least. */
function tightest(sample: readonly Point[], count: number, kmeans: KMeans): readonly Point[] {
  const points = sample as unknown as number[][]; // the library does not change them
  let best: { readonly centres: readonly Point[]; readonly sum: number } | undefined;
  for (let seed = 1; seed <= beginnings; seed++) {
    const { centroids } = kmeans(points, count, { seed, initialization: "kmeans++" });
    const centres = centroids as unknown as readonly Point[];
    const sum = sample.reduce(
      (total, point) => total + distanceSquared(point, centres[nearestCentre(point, centres)]!),
      0,
    );
    if (best === undefined || sum < best.sum - 1e-9) best = { centres, sum };
  }
  return best!.centres;
}

function smallestCluster(points: readonly Point[], centres: readonly Point[]): number {
  const counts = centres.map(() => 0);
  for (const point of points) counts[nearestCentre(point, centres)]!++;
  return Math.min(...counts);
}

function nearestCentre(point: Point, centres: readonly Point[]): number {
  let [nearest, least] = [0, Infinity];
  for (let at = 0; at < centres.length; at++) {
    const distance = distanceSquared(point, centres[at]!);
    if (distance < least) [nearest, least] = [at, distance];
  }
  return nearest;
}

function distanceSquared(a: Point, b: Point): number {
  return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2;
}

/**
 * The mean over points of `(b − a) / max(a, b)`: `a` the mean distance to the point's own cluster, `b`
 * that to the nearest other one. 0 for a point that is a cluster by itself.
 */
function silhouetteOf(points: readonly Point[], centres: readonly Point[]): number {
  const clusters = points.map((point) => nearestCentre(point, centres));
  const counts = centres.map((_, centre) => clusters.filter((each) => each === centre).length);
  const sums = new Float64Array(centres.length);
  let total = 0;
  points.forEach((point, at) => {
    const own = clusters[at]!;
    if (counts[own]! < 2) return;
    sums.fill(0);
    points.forEach((other, index) => {
      sums[clusters[index]!]! += Math.sqrt(distanceSquared(point, other));
    });
    const within = sums[own]! / (counts[own]! - 1);
    const beside = Math.min(
      ...counts.flatMap((count, each) => each !== own && count > 0 ? [sums[each]! / count] : []),
    );
    const larger = Math.max(within, beside);
    if (larger > 0 && Number.isFinite(larger)) total += (beside - within) / larger;
  });
  return total / points.length;
}

/** Positions by cluster, the largest first, then the one of larger pictures; empty ones left out. */
function membersOf(order: readonly number[], nearest: readonly number[], count: number) {
  const members = Array.from({ length: count }, (): { at: number; rank: number }[] => []);
  order.forEach((at, rank) => members[nearest[rank]!]!.push({ at, rank }));
  return members.filter((group) => group.length > 0)
    .sort((a, b) => b.length - a.length || b[0]!.rank - a[0]!.rank)
    .map((group) => group.map(({ at }) => at));
}

/** Of members in order of pixels. */
function clusterOf(members: readonly Sized[], cluster: number, all: number): Cluster {
  const middle = (members.length - 1) >> 1;
  const { width, height } = members[middle]!;
  const bytes = Float64Array.from(members, (member) => member.bytes).sort()[middle]!;
  return {
    cluster,
    count: members.length,
    share: tenDigits(members.length / all),
    width,
    height,
    bytes,
  };
}
