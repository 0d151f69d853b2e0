import { z } from "zod";
import type { Handle } from "../../runtime/artifact.ts";
import { rowKind } from "../../runtime/artifact.ts";
import { defineStep, each, failed, one, produced, rejected } from "../../runtime/step.ts";
import type { Policy } from "../../baseline/policy.ts";
import {
  leftOut,
  type Picture,
  type SubjectNeeds,
  type Treatment,
  treatmentOf,
} from "../../baseline/treatment.ts";
import { decodeRaster } from "../../imaging/decode.ts";
import { safeExif, uprightExif } from "../../imaging/exif_writer.ts";
import { type ImageHeader, readHeader } from "../../imaging/header.ts";
import type { Image } from "../../imaging/image.ts";
import { readMetadataBlocks, withMetadata } from "../../imaging/metadata_blocks.ts";
import { type Colour, flattenRaster, type Raster } from "../../imaging/raster.ts";
import { type SegmentedFormat, stripPrivateSegments } from "../../imaging/segments.ts";
import { ssim } from "../../imaging/ssim.ts";
import { imagingTools } from "../../imaging/tools.ts";
import { cutRaster, type Found, smallestFace } from "../../vision/crop.ts";
import { policy } from "../baseline/kinds.ts";
import { content } from "../inspect/content.ts";
import { objects } from "../inspect/kinds.ts";
import { metadata } from "../inspect/metadata.ts";
import { image, type MadeFormat } from "../kinds.ts";
import { box, type SubjectBox } from "./crop_subject.ts";
import { type Attempt, smallest } from "./encodings.ts";
import { stripsOf } from "./rehearsal.ts";

const changeShape = z.object({
  /** The first that holds of: resized (cropped too), converted, recompressed. */
  action: z.enum(["unchanged", "metadata_only", "recompressed", "resized", "converted"]),
  /** Each transformation with its numbers, in order. */
  steps: z.array(z.string()),
  because: z.string(),
  width_before: z.int(),
  height_before: z.int(),
  bytes_before: z.int(),
  format_before: z.string(),
  quality_before: z.int().nullable(),
  width_after: z.int(),
  height_after: z.int(),
  bytes_after: z.int(),
  format_after: z.string(),
  quality_after: z.int().nullable(),
  /**
   * Of the written picture against its pixels before they were encoded; null where none were. Pictures
   * of more than 67 megapixels are compared in strips from all over them.
   */
  ssim: z.number().nullable(),
});
export type Change = z.output<typeof changeShape>;

/** What became of a picture, with every number; sizes upright, in pixels. */
export const change = rowKind("change", "what became of a picture", changeShape);

const params = z.object({
  metadata: z.enum(["strip", "keep_safe", "keep"]).default("strip").meta({
    description: "strip takes all of it out; keep_safe leaves camera, lens, exposure, date and " +
      "copyright; keep leaves everything, GPS and serial numbers too",
  }),
  effort: z.enum(["fast", "balanced", "small"]).default("balanced").meta({
    description: "time spent on making files small",
  }),
  measure_ssim: z.boolean().default(true).meta({
    description: "compare each picture that was encoded anew with what it was made of",
  }),
  min_face_px: z.int().min(0).max(16_384).default(0).meta({
    description: "no picture is made so small that the shorter side of its smallest face falls " +
      "below this, whatever the policy; 0: not looked at",
    unit: "px",
  }),
});
type NormalizeParams = z.output<typeof params>;

/**
 * Brings pictures within a policy: only down, never up. A picture that is within it already is not
 * encoded anew; at most its metadata segments are taken out, losslessly. A lower quality alone is
 * applied only where it saves at least 5 % of the bytes. What is encoded is upright sRGB, 8 bits. One
 * whose pixels cannot be decoded is rejected, also where they would stay as they are.
 *
 * With a box, that part of the upright picture is taken first, and the policy's limits hold for it; what
 * is left out is judged by the whole picture. With `min_face_px`, a picture with a face (its middle in
 * the part taken) stays so large that the smallest keeps so many pixels, up to its own size.
 */
export const normalize = defineStep({
  name: "image.normalize",
  version: 4,
  doc: "Brings pictures within a policy: size, format, quality, colour, metadata; only down.",
  origin: "computed",
  inputs: {
    image: each(image, "the originals"),
    metadata: each(metadata, "what their headers say"),
    content: each(content, "how they look, for what is left out by it", { isOptional: true }),
    policy: one(policy, "what they are brought to"),
    box: each(box, "the part of each to take", { isOptional: true }),
    objects: each(objects, "the faces in them, for `min_face_px`", { isOptional: true }),
  },
  params,
  outputs: {
    image: each(image, "the normalized pictures"),
    change: each(change, "what became of each"),
  },
  tools: imagingTools,
  unusedPorts: ({ min_face_px }) => min_face_px === 0 ? ["objects"] : [],
  async run({ image: original, metadata, content, policy, box, objects }, params) {
    const [facts, wanted] = [await metadata.read(), await policy.read()];
    const out = leftOut(facts, await content?.read(), wanted);
    if (out !== undefined) return rejected(out.reason, out.numbers);
    const [part, found] = [await box?.read(), await objects?.read()];
    if (params.min_face_px > 0 && objects === undefined) {
      return failed(unwired, { stopsNode: true });
    }
    const outside = part && outsideReason(part, facts);
    if (outside !== undefined) return failed(outside);
    const opened = await original.read();
    const job: Job = {
      original,
      opened,
      header: await opened.header(),
      facts,
      policy: wanted,
      params,
      treatment: treatmentOf(facts, wanted, needsOf(facts, part, found, params)),
    };
    const isWithin = job.treatment.required.length === 0;
    if (isWithin && content === undefined) {
      await opened.raster({ short_side_px: SHARED_SHORT_SIDE_PX });
    }
    const made = await (isWithin ? keptOrSmaller(job) : encoded(job));
    return produced({
      image: made.bytes === undefined ? original : pictureOf(made.bytes, made),
      change: changeOf(job, made),
    });
  },
});

/**
 * What `inspect.content` decodes for. Who has measured the content knows that the pixels can be decoded;
 * without, a picture within the policy would go on unseen, damaged or not.
 */
const SHARED_SHORT_SIDE_PX = 896;

const unwired = 'Cannot keep faces large enough for "min_face_px": nothing is wired to "objects" ' +
  "(the output of inspect.objects is wanted)";

function outsideReason(box: SubjectBox, { width, height }: Picture): string | undefined {
  if (box.x + box.width <= width && box.y + box.height <= height) return undefined;
  return `Cannot crop the picture to ${box.width} × ${box.height} at ${box.x}, ${box.y}: it is ` +
    `${width} × ${height} (a box of the same picture is wanted)`;
}

function needsOf(
  picture: Picture,
  box: SubjectBox | undefined,
  found: Found | undefined,
  { min_face_px: least_px }: NormalizeParams,
): SubjectNeeds {
  const { width, height } = picture;
  const side_px = found && smallestFace(found, picture, box ?? { x: 0, y: 0, width, height });
  return { box, face: side_px === undefined ? undefined : { side_px, least_px } };
}

interface Job {
  readonly original: Handle<Image>;
  readonly opened: Image;
  readonly header: ImageHeader;
  readonly facts: Picture;
  readonly policy: Policy;
  readonly params: NormalizeParams;
  readonly treatment: Treatment;
}

/** A file to be, and how it came about. */
interface Made {
  /** Undefined for the original itself. */
  readonly bytes?: Uint8Array;
  readonly action: Change["action"];
  readonly steps: readonly string[];
  readonly because: string;
  readonly width: number;
  readonly height: number;
  readonly format: MadeFormat;
  readonly quality: number | null;
  readonly ssim: number | null;
}

function pictureOf(bytes: Uint8Array, { format, width, height }: Made) {
  return { bytes, format, width, height };
}

/** Less is not worth another loss of quality. */
const leastSaving = 0.05;

/** For a picture within the policy, but perhaps for its quality. */
async function keptOrSmaller(job: Job): Promise<Made> {
  const kept = await rewritten(job);
  if (!job.treatment.isQualityAbove) return kept;
  const before = kept.bytes?.length ?? job.original.ref.byteLength;
  const smaller = await encoded(job);
  const after = smaller.bytes!.length;
  if (after <= before * (1 - leastSaving)) return smaller;
  const because = `quality ${job.facts.jpeg_quality} is above ${job.policy.quality}, but ` +
    `encoding anew would bring ${bytesText(before)} to ${
      bytesText(after)
    }, which is not worth a loss`;
  return { ...kept, because: withHeld(because, job.treatment) };
}

/** The picture data byte for byte; only metadata segments are taken out or put in. */
async function rewritten({ opened, facts, params, original, treatment }: Job): Promise<Made> {
  const format = facts.format as MadeFormat;
  const before = await opened.bytes();
  const after = params.metadata === "keep"
    ? before
    : await withSafeMetadata(before, format, params);
  const isSame = after === before || sameBytes(after, before);
  const { width, height, jpeg_quality: quality } = facts;
  const size = `${bytesText(original.ref.byteLength)} → ${bytesText(after.length)}`;
  return {
    bytes: isSame ? undefined : after,
    action: isSame ? "unchanged" : "metadata_only",
    steps: isSame ? [] : [`metadata taken out without touching the picture: ${size}`],
    because: treatment.heldBy === undefined
      ? "it is within the policy"
      : `it is within the policy but for its size: ${treatment.heldBy}`,
    width,
    height,
    format,
    quality,
    ssim: null,
  };
}

async function withSafeMetadata(
  bytes: Uint8Array,
  format: SegmentedFormat,
  { metadata }: NormalizeParams,
): Promise<Uint8Array> {
  const stripped = stripPrivateSegments(bytes, format);
  if (metadata === "strip") return stripped;
  const { exif } = await readMetadataBlocks(bytes, { format });
  return withMetadata(stripped, format, { exif: exif && safeExif(exif) });
}

async function encoded(job: Job): Promise<Made> {
  const { treatment, policy, params } = job;
  const { isFlattened } = treatment;
  const decoded = await pixelsOf(job);
  const raster = isFlattened ? flattenRaster(decoded, colourOf(policy.background)) : decoded;
  const mostBytes = job.original.ref.byteLength;
  const attempt = await smallest(raster, { treatment, effort: params.effort, mostBytes });
  const blocks = await keptBlocks(job);
  const bytes = withMetadata(attempt.bytes, attempt.format, blocks);
  return {
    bytes,
    action: actionOf(treatment),
    steps: stepsOf(job, attempt, bytes.length),
    because: becauseOf(job),
    width: raster.width,
    height: raster.height,
    format: attempt.format,
    quality: attempt.quality,
    ssim: params.measure_ssim ? await similarity(attempt, raster, treatment.isGrey) : null,
  };
}

/**
 * The pixels of the size that is wanted, upright. For a part, the whole picture is decoded at the size
 * at which the part has its own, so that a JPEG can be shrunk while it is decoded, and the part is cut
 * out of that, at most half a pixel beside where it would be if it were cut out first.
 */
async function pixelsOf({ opened, facts, treatment }: Job): Promise<Raster> {
  const { crop, width, height } = treatment;
  if (crop === undefined) return await opened.raster({ size: { width, height } });
  const [across, down] = [width / crop.width, height / crop.height];
  const whole = await opened.raster({
    size: {
      width: Math.max(width, Math.round(facts.width * across)),
      height: Math.max(height, Math.round(facts.height * down)),
    },
  });
  const x = Math.min(whole.width - width, Math.round(crop.x * across));
  const y = Math.min(whole.height - height, Math.round(crop.y * down));
  return cutRaster(whole, { x, y, width, height });
}

function actionOf({ isResized, crop, required }: Treatment): Change["action"] {
  if (isResized || crop !== undefined) return "resized";
  return required.length === 0 ? "recompressed" : "converted";
}

function becauseOf({ treatment, facts, policy }: Job): string {
  const { required, crop } = treatment;
  const asked = required.length > 0
    ? "the policy asks for it"
    : `its quality of ${facts.jpeg_quality} is above ${policy.quality}`;
  if (crop === undefined) return withHeld(asked, treatment);
  const rest = required.length === 1 ? "" : ", and the policy asks for the rest";
  return withHeld(`it is cropped to its box${rest}`, treatment);
}

function withHeld(because: string, { heldBy }: Treatment): string {
  return heldBy === undefined ? because : `${because}; not smaller, since ${heldBy}`;
}

function stepsOf({ treatment, facts, policy, params, original }: Job, made: Attempt, size: number) {
  const { required, formats } = treatment;
  const steps = [...required];
  if (made.format !== formats[0]) {
    steps.push(`written as ${made.format}, since ${formats[0]} would take more bytes`);
  }
  if (made.palette !== undefined) {
    steps.push("written with at most 256 colours, so that it takes no more bytes than before");
  }
  if (made.quality !== null) {
    const isSame = facts.jpeg_quality === null || facts.jpeg_quality === made.quality;
    const from = isSame ? "" : `${facts.jpeg_quality} → `;
    const isLower = made.quality < treatment.quality;
    steps.push(
      `quality ${from}${made.quality}` +
        (isLower ? `, below ${policy.quality}, so that it takes no more bytes than before` : ""),
    );
  }
  if (params.metadata !== "keep") steps.push(metadataWords[params.metadata]);
  const before = original.ref.byteLength;
  if (size > before) {
    steps.push(`takes more bytes than before: ${bytesText(before)} → ${bytesText(size)}`);
  }
  return steps;
}

const metadataWords = {
  strip: "metadata taken out",
  keep_safe: "metadata taken out but for camera, exposure, date and copyright",
} as const;

/** The metadata of a picture whose pixels were turned upright. */
async function keptBlocks({ opened, header, params }: Job) {
  if (params.metadata === "strip") return {};
  const { exif, xmp, iptc } = await readMetadataBlocks(await opened.bytes(), header);
  if (params.metadata === "keep_safe") return { exif: exif && safeExif(exif) };
  return { exif: exif && uprightExif(exif), xmp: xmp && uprightXmp(xmp), iptc };
}

/** XMP can say the orientation too (XMP specification, part 2, section 3.2). */
function uprightXmp(xmp: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(xmp);
  return new TextEncoder().encode(
    text.replace(/(tiff:Orientation(?:="|>))[2-8]/g, (_, before: string) => `${before}1`),
  );
}

async function similarity(
  { bytes, format, palette }: Attempt,
  raster: Raster,
  isGrey: boolean,
): Promise<number | null> {
  if (isGrey) return null; // the raster is in colour: what was taken out is no damage
  if (format === "png" && palette === undefined) return 1; // its pixels are those of the raster
  const written = await decodeRaster(bytes, await readHeader(bytes), { size: "full" });
  const likeness = ssim(compared(written), compared(raster));
  return Math.round(likeness * 1e4) / 1e4;
}

/** Of giants a fourth or less: comparing 121 megapixels with alpha took 4 s. */
function compared(raster: Raster): Raster {
  return stripsOf(raster, { over: 2 ** 26, pixels: 2 ** 24 }) ?? raster;
}

function changeOf({ facts, original }: Job, made: Made): Change {
  const before = original.ref.byteLength;
  return {
    action: made.action,
    steps: [...made.steps],
    because: made.because,
    width_before: facts.width,
    height_before: facts.height,
    bytes_before: before,
    format_before: facts.format,
    quality_before: facts.jpeg_quality,
    width_after: made.width,
    height_after: made.height,
    bytes_after: made.bytes?.length ?? before,
    format_after: made.format,
    quality_after: made.quality,
    ssim: made.ssim,
  };
}

function colourOf(hex: string): Colour {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, value >> 8 & 255, value & 255];
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function bytesText(bytes: number): string {
  return `${bytes.toLocaleString("en")} bytes`;
}
