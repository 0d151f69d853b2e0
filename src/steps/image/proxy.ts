import { z } from "zod";
import type { Handle } from "../../runtime/artifact.ts";
import { defineStep, each, produced } from "../../runtime/step.ts";
import { hasRealTransparency, isGraphics } from "../../imaging/content.ts";
import type { Raster } from "../../imaging/decode.ts";
import { encodeRaster } from "../../imaging/encode.ts";
import type { ImageHeader } from "../../imaging/header.ts";
import type { Image } from "../../imaging/image.ts";
import { stripPrivateSegments } from "../../imaging/segments.ts";
import { imagingTools } from "../../imaging/tools.ts";
import { image, type MadeFormat } from "../kinds.ts";

const params = z.object({
  short_side_px: z.int().min(16).max(16_384).default(896).meta({
    description: "the short side's length; pictures are never enlarged",
    unit: "px",
  }),
  format: z.enum(["auto", "jpeg", "png", "webp"]).default("auto").meta({
    description:
      "auto: JPEG for photos, PNG for real transparency and for graphics or text by content",
  }),
  quality: z.int().min(1).max(100).default(85).meta({
    description: "JPEG and WebP quality",
  }),
  chroma: z.enum(["4:2:0", "4:4:4"]).default("4:2:0").meta({
    description: "JPEG colour resolution: half, or full for fine coloured detail",
  }),
  effort: z.enum(["fast", "balanced", "small"]).optional().meta({
    description:
      "time spent on making the file small; left out: fast for JPEG (2 % more bytes), else balanced",
  }),
});
type ProxyParams = z.output<typeof params>;

/**
 * Shrinks a picture to the size that a vision model really uses. The short side becomes exactly
 * `short_side_px`, the long side `round(long × short_side_px / short)` in integers; Lanczos; upright,
 * sRGB, 8 bits, first frame, without metadata.
 *
 * A picture at or below that size which is already what is wanted (format, upright, sRGB) passes on
 * without recompression; only private metadata is cut out of its file.
 */
export const proxy = defineStep({
  name: "image.proxy",
  version: 1,
  doc: "Shrinks a picture to the size that a vision model really uses, upright and in sRGB.",
  origin: "computed",
  inputs: { image: each(image, "the originals") },
  params,
  outputs: { image: each(image, "the proxies") },
  tools: imagingTools,
  async run({ image: original }, params) {
    const opened = await original.read();
    const header = await opened.header();
    const raster = await opened.raster({ short_side_px: params.short_side_px });
    if (isWanted(header, params)) return await passOn(original, opened, header);
    const format = chooseFormat(raster, params);
    const { quality, effort, chroma } = params;
    const bytes = await encodeRaster(raster, { format, quality, effort, chroma });
    return produced({ image: { bytes, format, width: raster.width, height: raster.height } });
  },
});

/** The formats that `auto` takes as they come. */
const accepted: readonly string[] = ["jpeg", "png", "webp"];

function isWanted(header: ImageHeader, params: ProxyParams): boolean {
  const isFormat = params.format === "auto"
    ? accepted.includes(header.format)
    : header.format === params.format;
  return isFormat && Math.min(header.width, header.height) <= params.short_side_px &&
    header.orientation === 1 && header.is_srgb && header.pages === 1;
}

/** The file as it is, but for private metadata; its pixels were decoded to know that it is whole. */
async function passOn(original: Handle<Image>, opened: Image, header: ImageHeader) {
  const before = await opened.bytes();
  const format = header.format as MadeFormat;
  const bytes = stripPrivateSegments(before, format);
  if (bytes === before) return produced({ image: original });
  return produced({ image: { bytes, format, width: header.width, height: header.height } });
}

function chooseFormat(raster: Raster, { format }: ProxyParams): MadeFormat {
  if (format !== "auto") return format;
  return hasRealTransparency(raster) || isGraphics(raster) ? "png" : "jpeg";
}
