import { z } from "zod";
import { thumbnailOf } from "../../dedupe/thumbnail.ts";
import { fingerprintOf, passOver } from "../../imaging/fingerprint.ts";
import { imagingTools } from "../../imaging/tools.ts";
import { defineStep, each, produced } from "../../runtime/step.ts";
import { image } from "../kinds.ts";
import { fingerprint } from "./kinds.ts";

/**
 * Tells what identifies a picture, for `dedupe.group`:
 *
 * - `sha256`: of the file's bytes;
 * - `pixels`: of all decoded pixels, upright, sRGB, 8 bits, first frame, with the size: equal for a PNG, a
 *   lossless WebP and a TIFF of the same picture. SHA-256 over the CRC-32 of each row, see
 *   `PixelHasher`;
 * - `dhash`: the difference hash of N. Krawetz (hackerfactor.com, "Kind of Like That", 2013): whether each
 *   pixel of 9 × 8 grey ones is brighter than the one to its left, row by row;
 * - `phash`: the perceptual hash of N. Krawetz (hackerfactor.com, "Looks Like It", 2011) as imagededup
 *   defines it: which of the 8 × 8 lowest frequencies of the DCT-II of 32 × 32 grey pixels, row by row,
 *   are at least the median of those 63 that are not the mean.
 *
 * Both are within two bits of what Pillow makes of the upright picture, made grey and then resized by
 * Lanczos; Pillow and imagededup do not turn pictures by EXIF of their own. A picture with transparency
 * has them on white, and once more on black. `is_flat` marks those whose hashes say nothing: `detail`,
 * what is left of the 32 × 32 grey pixels beside smooth shading, is below 2 levels of 255.
 *
 * `thumbnail` holds 64 × 64 means of luma and 24 × 24 of colour, which tell pictures with near hashes
 * apart.
 *
 * With `orientations`, also the hashes of the picture as each EXIF orientation would show it, 1 to 8.
 */
export const inspectFingerprint = defineStep({
  name: "inspect.fingerprint",
  version: 3,
  doc: "Tells what identifies a picture: hashes of its bytes, of its pixels, and of how it looks.",
  origin: "computed",
  isResult: true,
  inputs: { image: each(image, "the pictures") },
  params: z.object({
    orientations: z.boolean().default(false).meta({
      description: "also hash the picture turned and mirrored, in all eight orientations",
    }),
  }),
  outputs: { fingerprint: each(fingerprint, "one row a picture") },
  tools: imagingTools,
  async run({ image }, { orientations }) {
    const raster = await (await image.read()).raster({ size: "full" });
    const pass = passOver(raster);
    const made = fingerprintOf(pass, { withOrientations: orientations });
    const thumbnail = thumbnailOf(pass).toBase64();
    return produced({ fingerprint: { sha256: image.ref.hash, ...made, thumbnail } });
  },
});
