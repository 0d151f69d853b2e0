import { z } from "zod";
import { measureContent } from "../../imaging/measures.ts";
import { imagingTools } from "../../imaging/tools.ts";
import { rowKind } from "../../runtime/artifact.ts";
import { defineStep, each, produced } from "../../runtime/step.ts";
import { image } from "../kinds.ts";

/** What a picture looks like, in numbers; `Measures` says what each means. */
export const content = rowKind(
  "content",
  "what a picture looks like, in numbers",
  z.object({
    brightness: z.number(),
    contrast: z.number(),
    sharpness: z.number(),
    entropy: z.number(),
    colourfulness: z.number(),
    clipped_dark: z.number(),
    clipped_bright: z.number(),
    dominant_colours: z.array(z.object({ colour: z.string(), share: z.number() })).readonly(),
  }),
);

/**
 * Measures a picture as it looks: upright, in sRGB, transparency on white, the first frame, its short
 * side at most `short_side_px` long. At the default it needs no decode of its own beside
 * `image.proxy`. Luma is BT.601 in 8 bits. In short, with formulas and sources in `measureContent`:
 *
 * - `brightness`: mean luma, 0 to 1;
 * - `contrast`: standard deviation of luma, 0 to 0.5;
 * - `sharpness`: variance of the Laplacian with four neighbours, of luma from 0 to 255, without the
 *   outermost pixels. It depends on the scale: compare pictures whose rasters have the same short side;
 * - `entropy`: of the 256 levels of luma, 0 to 8 bits;
 * - `colourfulness`: M3 of Hasler and Süsstrunk, 0 for grey, beyond 100 for extreme;
 * - `clipped_dark`, `clipped_bright`: pixels with a luma of at most 2, of at least 253, 0 to 1;
 * - `dominant_colours`: at most five, the largest share first.
 */
export const inspectContent = defineStep({
  name: "inspect.content",
  version: 1,
  doc: "Measures how a picture looks: brightness, contrast, sharpness, colours, clipping.",
  origin: "computed",
  isResult: true,
  inputs: { image: each(image, "the pictures") },
  params: z.object({
    short_side_px: z.int().min(16).max(16_384).default(896).meta({
      description: "the short side of the pixels measured; pictures are never enlarged",
      unit: "px",
    }),
  }),
  outputs: { content: each(content, "one row a picture") },
  tools: imagingTools,
  async run({ image }, { short_side_px }) {
    const raster = await (await image.read()).raster({ short_side_px });
    return produced({ content: measureContent(raster) });
  },
});
