import { hammingDistance } from "../search/hamming.ts";
import { cosineOf, type Vectors } from "../search/cosine.ts";
import { areDifferentShots, type Shot } from "./bursts.ts";
import { thumbnailDistance, thumbnailsAgree, turnedThumbnail } from "./thumbnail.ts";

export interface Fingerprint {
  readonly pixels: string;
  readonly width: number;
  readonly height: number;
  readonly dhash: string;
  readonly phash: string;
  readonly dhash_black: string | null;
  readonly phash_black: string | null;
  readonly is_flat: boolean;
  readonly dhash_orientations: readonly string[];
  readonly phash_orientations: readonly string[];
}

/** What is known of one file's bytes, however many items have them. */
export interface Content {
  readonly sha256: string;
  readonly fingerprint: Fingerprint;
  /** See `thumbnailOf`. */
  readonly thumbnail: Uint8Array | undefined;
  /** Of unit length. */
  readonly embedding: Float32Array | undefined;
  readonly shot: Shot | undefined;
  /** Items that have it. */
  readonly copies: number;
}

/** Bits of 64 between two pictures: the larger of both backgrounds, at the nearest orientation. */
export interface HashDistance {
  readonly dhash: number;
  readonly phash: number;
  /** EXIF's, 1 to 8, of the second picture. */
  readonly orientation: number;
}

/** Sides' ratios of the same picture agree within this, as rounding of scaled sizes needs. */
const aspectTolerance = 0.03;

/** dHash and pHash on white and on black, the same where nothing is transparent. */
export function hashesOf({ fingerprint: own }: Content): readonly string[] {
  return [own.dhash, own.phash, own.dhash_black ?? own.dhash, own.phash_black ?? own.phash];
}

/** The hashes under an orientation above 1; undefined where they are not known. */
export function turnedHashes({ fingerprint }: Content, orientation: number) {
  const { dhash_orientations: dhashes, phash_orientations: phashes, dhash_black } = fingerprint;
  const [dhash, phash] = [dhashes[orientation - 1], phashes[orientation - 1]];
  if (dhash === undefined || phash === undefined || dhash_black !== null) return undefined;
  return [dhash, phash, dhash, phash] as const;
}

/** Null where one of them is flat: its hashes say nothing. */
export function hashDistance(one: Content, other: Content, turns: boolean): HashDistance | null {
  if (one.fingerprint.is_flat || other.fingerprint.is_flat) return null;
  const own = hashesOf(one);
  let best: HashDistance | null = null;
  for (let orientation = 1; orientation <= (turns ? 8 : 1); orientation++) {
    const theirs = orientation === 1 ? hashesOf(other) : turnedHashes(other, orientation);
    if (theirs === undefined) continue;
    const [d, p, dBlack, pBlack] = own.map((hash, at) => bitsBetween(hash, theirs[at]!));
    const found = { dhash: Math.max(d!, dBlack!), phash: Math.max(p!, pBlack!), orientation };
    if (best === null || largest(found) < largest(best)) best = found;
  }
  return best;
}

/** The distance that a pair is judged by: the larger of dHash's and pHash's. */
export function largest({ dhash, phash }: HashDistance): number {
  return Math.max(dhash, phash);
}

function bitsBetween(one: string, other: string): number {
  return hammingDistance(BigUint64Array.of(BigInt(`0x${one}`), BigInt(`0x${other}`)), 0, 1);
}

/** How two pictures are laid on each other. */
interface Overlay {
  /** EXIF's, 1 to 8, of the second. */
  readonly orientation: number;
  /** Levels by which their thumbnails may be further apart than they are; 0 when left out. */
  readonly slack?: number;
}

/** Whether nothing but their hashes speaks against two pictures being the same one. */
export function mayBeSame(
  one: Content,
  other: Content,
  { orientation, slack }: Overlay,
): boolean {
  if (areDifferentShots(one.shot, other.shot)) return false;
  const theirs = aspectOf(other, orientation >= 5);
  if (Math.abs(Math.log(aspectOf(one, false) / theirs)) > aspectTolerance) return false;
  if (one.thumbnail === undefined || other.thumbnail === undefined) return true;
  return thumbnailsAgree(one.thumbnail, turnedThumbnail(other.thumbnail, orientation), slack);
}

/** The largest difference of a cell of their thumbnails, or above `most`; 0 where one has none. */
export function thumbnailsApart(one: Content, other: Content, most: number): number {
  if (one.thumbnail === undefined || other.thumbnail === undefined) return 0;
  return thumbnailDistance(one.thumbnail, other.thumbnail, most);
}

function aspectOf({ fingerprint: { width, height } }: Content, isSideways: boolean): number {
  return isSideways ? height / width : width / height;
}

/** In float64; null where one has no embedding, or one of another model. */
export function cosineBetween(one: Content, other: Content): number | null {
  if (one.embedding === undefined || other.embedding === undefined) return null;
  const dimensions = one.embedding.length;
  if (other.embedding.length !== dimensions) return null;
  const values = new Float32Array(2 * dimensions);
  values.set(one.embedding);
  values.set(other.embedding, dimensions);
  const pair: Vectors = { dimensions, values };
  return cosineOf(pair, 0, 1);
}
