import type { Metadata } from "sharp";
import { codedColours } from "./heif_boxes.ts";
import { loadSharp } from "./sharp.ts";
import { coloursWarning, wideGamutOf, wideGamutProfile } from "./wide_gamut.ts";

/** What libvips says of a HEIC's primary picture, and what it does not say of its colours. */
export interface HeicMetadata {
  /** Where there is no ICC profile, one of the wide colours that it is coded in. */
  readonly metadata: Metadata;
  readonly warnings: readonly string[];
}

/** `first` is what libvips says of the first picture, where that is known. Throws libvips's own error. */
export async function readHeicMetadata(
  bytes: Uint8Array,
  first?: Metadata,
): Promise<HeicMetadata> {
  const metadata = await primaryMetadata(bytes, first);
  if (metadata.icc !== undefined) return { metadata, warnings: [] };
  const colours = codedColours(bytes);
  const [gamut, warning] = [wideGamutOf(colours), coloursWarning(colours)];
  const icc = gamut && wideGamutProfile(gamut);
  return {
    metadata: icc === undefined
      ? metadata
      : { ...metadata, icc: icc as NonNullable<Metadata["icc"]> },
    warnings: warning === undefined ? [] : [warning],
  };
}

/** libvips begins with the first picture of several, such as a burst's. */
async function primaryMetadata(bytes: Uint8Array, known?: Metadata): Promise<Metadata> {
  const sharp = await loadSharp();
  const first = known ?? await sharp(bytes, { limitInputPixels: false }).metadata();
  const page = first.pagePrimary ?? 0;
  return page === 0 ? first : await sharp(bytes, { limitInputPixels: false, page }).metadata();
}
