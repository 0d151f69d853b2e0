import type { Sharp } from "sharp";
import { freeBytes } from "../runtime/buffer_memory.ts";
import { loadModule } from "../runtime/load_module.ts";
import { Rejection } from "../runtime/rejection.ts";
import { damageRejection } from "./damage.ts";
import { decodeGate } from "./decode_gate.ts";
import { decodingBytes, withoutSwollenTexts } from "./decode_limits.ts";
import type { Orientation } from "./exif.ts";
import type { ImageHeader } from "./header.ts";
import { readJpegHead } from "./jpeg_header.ts";
import type { Size } from "./proxy_size.ts";
import { type Raster, type RasterRequest, targetSize } from "./raster.ts";
import { stripPrivateSegments } from "./segments.ts";
import { loadSharp, type SharpFactory } from "./sharp.ts";
import { formatTitle } from "./wording.ts";

export type { Raster, RasterRequest } from "./raster.ts";

/**
 * Decodes a picture to upright 8-bit sRGB at the requested size, the first frame of an animation, by
 * Lanczos, alpha premultiplied while resizing. Strict: throws `Rejection` when the pixel data ends
 * early or is found damaged, also where only a part of it is needed for the size.
 *
 * A JPEG is first shrunk by 2, 4 or 8 while it is decoded: 38 ms instead of 53 from 12 megapixels to a
 * short side of 896. Damage that libjpeg only warns about is then not noticed in the last 8 rows of
 * the shrunk picture; an early end always is.
 */
export async function decodeRaster(
  bytes: Uint8Array,
  header: ImageHeader,
  request: RasterRequest,
): Promise<Raster> {
  const target = targetSize(header, request);
  const { data, info } = await decodeGate.run(
    decodingBytes(header) + target.width * target.height * 4,
    () =>
      header.format === "heic" ? heicPixels(bytes, header, target) : pixels(bytes, header, target),
  );
  if (info.channels !== 3 && info.channels !== 4) {
    const title = formatTitle(header.format);
    throw new Rejection(`${title} has ${info.channels} channels (3, or 4 with alpha, are wanted)`);
  }
  return {
    width: info.width,
    height: info.height,
    channels: info.channels,
    pixels: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}

async function pixels(bytes: Uint8Array, header: ImageHeader, target: Size) {
  const pipeline = pixelPipeline(await loadSharp(), bytes, header, target);
  try {
    return await pipeline.raw().toBuffer({ resolveWithObject: true });
  } catch (error) {
    throw blamed(error as Error, bytes, header);
  }
}

/** libvips has no decoder for HEVC: it goes on from the bare pixels. */
async function heicPixels(bytes: Uint8Array, header: ImageHeader, target: Size) {
  const { tiffOfHeic } = await (heic ??= loadModule<Heic>("./heic.ts", import.meta.url));
  const tiff = await tiffOfHeic(bytes, header);
  try {
    return await pixels(tiff, { ...header, format: "tiff", bit_depth: 8 }, target);
  } finally {
    freeBytes(tiff);
  }
}

type Heic = typeof import("./heic.ts");

let heic: Promise<Heic> | undefined;

/** Ends the workers that decode nothing, of formats that need some. */
export async function releaseDecoders(): Promise<void> {
  (await heic)?.releaseHeicWorkers();
}

/**
 * The file is at fault, unless the machine is, which may be better another time. The words are those of
 * libvips's own allocation: decoders too speak of memory where a file asks for absurdly much.
 */
function blamed(error: Error, bytes: Uint8Array, header: ImageHeader): Error {
  const isShortage = /out of memory --+ size == \d+/.test(error.message);
  return isShortage ? error : damageRejection(bytes, header.format);
}

function pixelPipeline(
  sharp: SharpFactory,
  bytes: Uint8Array,
  header: ImageHeader,
  target: Size,
): Sharp {
  const { source, failOn } = header.format === "jpeg"
    ? jpegSource(bytes)
    : strict(withoutSwollenTexts(bytes, header.format));
  let pipeline = sharp(source, {
    failOn,
    limitInputPixels: false,
    // Applying an sRGB profile, or a broken one, changes nothing and takes time.
    ignoreIcc: header.is_srgb || header.icc_profile === null,
  });
  const isResized = target.width !== header.width || target.height !== header.height;
  if (isResized) pipeline = resized(pipeline, header, target);
  if (header.bit_depth > 8 && header.icc_profile !== null) pipeline = narrowed(pipeline, header);
  return turned(pipeline, header.orientation).toColourspace("srgb");
}

/**
 * sharp converts 16-bit RGB to the P3 gamut and then takes it for sRGB, and leaves profiles of 16-bit
 * grey out. Brought to 8 bits first, both go the way of all other pictures.
 */
function narrowed(pipeline: Sharp, header: ImageHeader): Sharp {
  if (header.colour_space === "rgb") return pipeline.pipelineColourspace("srgb");
  return header.colour_space === "grey" ? pipeline.pipelineColourspace("b-w") : pipeline;
}

function strict(source: Uint8Array) {
  return { source, failOn: "warning" } as const;
}

/**
 * Warnings of libjpeg are damage, except those about bytes before the picture data, which are cut out
 * with everything else that decoding does not need, and about parameters that are known to be odd.
 */
function jpegSource(bytes: Uint8Array) {
  const head = readJpegHead(bytes);
  // libjpeg would fill all that is claimed with grey first: 16 s, and a gigabyte, for a file of 1 kB.
  if (bytes.length < head.leastBytes) throw damageRejection(bytes, "jpeg");
  if (head.hasOddParameters) return { source: bytes, failOn: "truncated" } as const;
  return strict(head.hasStrayBytes ? stripPrivateSegments(bytes, "jpeg") : bytes);
}

/** To the target as it lies in the file, before it is turned upright: fewer pixels to turn. */
function resized(pipeline: Sharp, header: ImageHeader, target: Size): Sharp {
  const isSideways = header.orientation >= 5;
  return pipeline.resize({
    width: isSideways ? target.height : target.width,
    height: isSideways ? target.width : target.height,
    fit: "fill",
    kernel: "lanczos3",
    // WebP's own scaler is no Lanczos.
    fastShrinkOnLoad: header.format !== "webp",
  });
}

/**
 * EXIF 2.32, table 6, as mirroring and then turning clockwise. Done by what the header says rather
 * than by sharp's `autoOrient`, so that the two cannot disagree about a broken EXIF block.
 */
function turned(pipeline: Sharp, orientation: Orientation): Sharp {
  if (orientation === 2) return pipeline.flop();
  if (orientation === 3) return pipeline.rotate(180);
  if (orientation === 4) return pipeline.flip();
  if (orientation === 5) return pipeline.flip().rotate(90);
  if (orientation === 6) return pipeline.rotate(90);
  if (orientation === 7) return pipeline.flop().rotate(90);
  return orientation === 8 ? pipeline.rotate(270) : pipeline;
}
