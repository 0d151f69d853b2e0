import { z } from "zod";
import { readCamera } from "../../imaging/camera.ts";
import { findEmbedded } from "../../imaging/embedded.ts";
import type { ImageHeader } from "../../imaging/header.ts";
import type { Image } from "../../imaging/image.ts";
import { jpegQuality } from "../../imaging/jpeg_quality.ts";
import { imagingTools } from "../../imaging/tools.ts";
import { rowKind } from "../../runtime/artifact.ts";
import { defineStep, each, produced } from "../../runtime/step.ts";
import { image } from "../kinds.ts";

/**
 * What a picture's file says. Sizes are upright, in pixels; absent is null, and so is what is broken,
 * with a warning that names the tag.
 */
export const metadata = rowKind(
  "metadata",
  "what a picture's file says",
  z.object({
    format: z.string(),
    width: z.int(),
    height: z.int(),
    orientation: z.int(),
    colour_space: z.string(),
    channels: z.int(),
    bit_depth: z.int(),
    has_alpha: z.boolean(),
    uses_alpha: z.boolean(),
    icc_profile: z.string().nullable(),
    is_srgb: z.boolean(),
    pages: z.int(),
    is_progressive: z.boolean(),
    chroma_subsampling: z.string().nullable(),
    jpeg_quality: z.int().nullable(),
    dpi: z.number().nullable(),
    bytes: z.int(),
    bits_per_pixel: z.number(),
    camera_make: z.string().nullable(),
    camera_model: z.string().nullable(),
    lens: z.string().nullable(),
    iso: z.int().nullable(),
    exposure_s: z.number().nullable(),
    f_number: z.number().nullable(),
    focal_length_mm: z.number().nullable(),
    taken_at: z.string().nullable(),
    taken_at_offset: z.string().nullable(),
    taken_at_from: z.string().nullable(),
    latitude: z.number().nullable(),
    longitude: z.number().nullable(),
    altitude_m: z.number().nullable(),
  }),
);

/**
 * Reads what a picture's file says:
 *
 * - format, upright size, EXIF orientation (1 to 8, as stored), colour space, channels, bit depth,
 *   alpha, ICC profile, pages, chroma subsampling, resolution in dots per inch, size in bytes, bits
 *   per pixel;
 * - the quality at which a JPEG was saved, by its quantization tables (`jpegQuality`);
 * - camera, lens, ISO, exposure in seconds, f-number, focal length in millimetres, when and where it
 *   was taken (`readCamera` says which tag counts). The date never comes from the file's name or times:
 *   the result depends on the content alone.
 *
 * Nothing is decoded, but for pictures with an alpha channel: `uses_alpha` is whether any pixel of the
 * raster with a short side of 896 pixels, which `image.proxy` and `inspect.content` share, has an alpha
 * below 255.
 */
export const inspectMetadata = defineStep({
  name: "inspect.metadata",
  version: 2,
  doc: "Reads what a picture's file says: format, size, colour, bytes, camera, date, place.",
  origin: "computed",
  isResult: true,
  inputs: { image: each(image, "the pictures") },
  params: z.object({}),
  outputs: { metadata: each(metadata, "one row a picture") },
  tools: imagingTools,
  async run({ image }, _params, context) {
    const opened = await image.read();
    const header = await opened.header();
    const content = await opened.bytes();
    const { facts, problems } = await readCamera(await findEmbedded(content, header.format));
    problems.forEach((problem) => context.warn(problem));
    const { warnings: _, ...said } = header;
    const bytes = image.ref.byteLength;
    const bits = bytes * 8 / (header.width * header.height);
    return produced({
      metadata: {
        ...said,
        uses_alpha: await usesAlpha(opened, header),
        jpeg_quality: header.format === "jpeg" ? jpegQuality(content) : null,
        bytes,
        bits_per_pixel: Math.round(bits * 10_000) / 10_000,
        ...facts,
      },
    });
  },
});

/** The short side that `image.proxy` decodes to, when not told otherwise. */
const SHARED_SHORT_SIDE_PX = 896;

async function usesAlpha(opened: Image, { has_alpha }: ImageHeader): Promise<boolean> {
  if (!has_alpha) return false;
  const raster = await opened.raster({ short_side_px: SHARED_SHORT_SIDE_PX });
  if (raster.channels === 3) return false;
  for (let at = 3; at < raster.pixels.length; at += 4) {
    if (raster.pixels[at]! < 255) return true;
  }
  return false;
}
