import { z } from "zod";
import { type Kind, rowKind } from "../../runtime/artifact.ts";

/** A vector, and what is kept beside it of the model that made it. */
export interface MadeEmbedding {
  readonly vector: Float32Array;
  readonly model: string;
  /** The entry's `similar_from`, which reaches `dedupe.group` as a fact. */
  readonly similar_from: number | null;
}

/** Bytes before and behind the vector. */
const countBytes = 4;
const similarBytes = 8;

/**
 * A picture as a model sees it: unit-length float32, as long as the model makes it (CLIP ViT-B/32: 512).
 * An empty vector means that no model was there to ask.
 *
 * Stored little-endian: its length as uint32, the vector, and `similar_from` as float64, 0 where there
 * is none. That is in the bytes since what follows from it has to be done anew when it changes.
 */
export const embedding: Kind<"embedding", Float32Array, Float32Array | MadeEmbedding> = {
  name: "embedding",
  doc: "a picture as a vector of unit length",
  isRow: false,
  columns: [{ name: "dimensions", type: "BIGINT" }, { name: "model", type: "VARCHAR" }],
  encode(made) {
    const { vector, model = null, similar_from = null } = made instanceof Float32Array
      ? { vector: made }
      : made;
    const bytes = new Uint8Array(countBytes + vector.byteLength + similarBytes);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, vector.length, true);
    bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), countBytes);
    view.setFloat64(countBytes + vector.byteLength, similar_from ?? 0, true);
    return { bytes, facts: { dimensions: vector.length, model, similar_from } };
  },
  async open(blob) {
    const bytes = await blob.bytes();
    return new Float32Array(bytes.slice(countBytes, bytes.length - similarBytes).buffer);
  },
};

/** Upright pixels of the whole picture: origin at the top left, parts of pixels allowed. */
export const boxShape = z.object({
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
});

export type Box = z.output<typeof boxShape>;

const score = z.number().min(0).max(1);

/** What is where in a picture, surest first. */
export const objects = rowKind(
  "objects",
  "what is where in a picture",
  z.object({
    /** Detections over the threshold; null where no model was there to ask. */
    count: z.int().nullable(),
    /** How many of each label: `{"person": 2}`. */
    labels: z.record(z.string(), z.int()),
    /** Of the picture's upright pixels. */
    width: z.int(),
    height: z.int(),
    boxes: z.array(boxShape.extend({ label: z.string(), score })).readonly(),
    faces: z.array(boxShape.extend({
      score,
      /** Right eye, left eye, nose, right and left corner of the mouth, as x and y. */
      landmarks: z.array(z.tuple([z.number(), z.number()])).readonly(),
    })).readonly(),
    /** Pixels of the shorter side of the smallest face; null without faces. */
    smallest_face_px: z.number().nullable(),
  }),
);

/** What a picture shows, out of a list of labels, likeliest first. */
export const labels = rowKind(
  "labels",
  "what a picture shows, out of a list",
  z.object({
    /** Null where no model was there to ask. */
    label: z.string().nullable(),
    score: score.nullable(),
    /** Softmax over the list; adds up to 1. */
    scores: z.array(z.object({ label: z.string(), score })).readonly(),
  }),
);

/** 64 bits as 16 hexadecimal digits, the first bit highest. */
const hash64 = z.string().regex(/^[0-9a-f]{16}$/);

/** What identifies a picture. Definitions are in the docs of `inspect.fingerprint`. */
export const fingerprint = rowKind(
  "fingerprint",
  "what identifies a picture",
  z.object({
    /** Of the file's bytes. */
    sha256: z.string(),
    /** Of the decoded upright pixels with their size; equal pixels in other wrapping are equal here. */
    pixels: z.string(),
    width: z.int(),
    height: z.int(),
    /** On white, where there is transparency. */
    dhash: hash64,
    phash: hash64,
    /** The same on black; null where nothing is transparent. */
    dhash_black: hash64.nullable(),
    phash_black: hash64.nullable(),
    /** Too little structure for the hashes to tell pictures apart (flat, nearly black, nearly white). */
    is_flat: z.boolean(),
    /**
     * What `is_flat` is judged by: standard deviation of luma, 0 to 127.5, at the hash's scale, smooth
     * shading taken away; on the ground, white or black, where it is smaller.
     */
    detail: z.number(),
    /**
     * What tells pictures with near hashes apart: means of luma and colour, base64 of 5248 bytes, or
     * of 9344 where there is transparency; left out, hashes alone decide. See `thumbnailOf`.
     */
    thumbnail: z.string().nullable().optional(),
    /** dHash and pHash under the eight EXIF orientations, the first as above; empty unless asked for. */
    dhash_orientations: z.array(hash64).readonly(),
    phash_orientations: z.array(hash64).readonly(),
  }),
  // Of 100,000 pictures it would be 700 MB, in the tables of every run.
  { hidden: ["thumbnail"] },
);

/** How good a picture is, without a reference. Lower is better for both measures. */
export const quality = rowKind(
  "quality",
  "how good a picture is",
  z.object({
    /** BRISQUE by OpenCV's model, 0 to 100; null where it is not asked for, or the picture too small. */
    brisque_opencv: z.number().nullable(),
    /** NIQE by the pristine model `niqe_model`; null likewise. */
    niqe: z.number().nullable(),
    niqe_model: z.string().nullable(),
    /** 0 (worst) to 1 (best), by the formula in the docs of `inspect.quality`. */
    score: score.nullable(),
  }),
);
