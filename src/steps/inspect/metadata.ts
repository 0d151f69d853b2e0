import { z } from "zod";
import { rowKind } from "../../runtime/artifact.ts";
import { defineStep, each, produced } from "../../runtime/step.ts";
import { imagingTools } from "../../imaging/tools.ts";
import { image } from "../kinds.ts";

/** What a picture's header says. Sizes are upright, in pixels; absent is null. */
export const metadata = rowKind(
  "metadata",
  "what a picture's header says",
  z.object({
    format: z.string(),
    width: z.int(),
    height: z.int(),
    orientation: z.int(),
    colour_space: z.string(),
    channels: z.int(),
    bit_depth: z.int(),
    has_alpha: z.boolean(),
    icc_profile: z.string().nullable(),
    is_srgb: z.boolean(),
    pages: z.int(),
    is_progressive: z.boolean(),
    chroma_subsampling: z.string().nullable(),
    dpi: z.number().nullable(),
    bytes: z.int(),
    bits_per_pixel: z.number(),
  }),
);

/**
 * Reads a picture's header, decoding nothing: format, upright size, EXIF orientation (1 to 8, as
 * stored), colour space, channels, bit depth, alpha, ICC profile, pages, chroma subsampling,
 * resolution in dots per inch, size in bytes and bits per pixel.
 */
export const inspectMetadata = defineStep({
  name: "inspect.metadata",
  version: 1,
  doc: "Reads what a picture's header says: format, size, orientation, colour, bytes.",
  origin: "computed",
  isResult: true,
  inputs: { image: each(image, "the pictures") },
  params: z.object({}),
  outputs: { metadata: each(metadata, "one row a picture") },
  tools: imagingTools,
  async run({ image }) {
    const header = await (await image.read()).header();
    const bytes = image.ref.byteLength;
    const { warnings: _, ...facts } = header;
    const bits = bytes * 8 / (header.width * header.height);
    return produced({
      metadata: { ...facts, bytes, bits_per_pixel: Math.round(bits * 10_000) / 10_000 },
    });
  },
});
