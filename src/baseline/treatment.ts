import type { Policy } from "./policy.ts";

/** What a treatment is decided by; a row of `inspect.metadata` has all of it. */
export interface Picture {
  readonly format: string;
  /** Pixels, upright. */
  readonly width: number;
  readonly height: number;
  /** EXIF orientation as stored, 1 to 8. */
  readonly orientation: number;
  readonly colour_space: string;
  readonly bit_depth: number;
  readonly has_alpha: boolean;
  readonly uses_alpha: boolean;
  readonly icc_profile: string | null;
  readonly is_srgb: boolean;
  readonly pages: number;
  readonly jpeg_quality: number | null;
}

/** What a picture is judged by besides, where it was measured. */
export interface Measured {
  readonly sharpness: number;
  readonly clipped_dark: number;
  readonly clipped_bright: number;
}

/** What is known of a picture's subject, where somebody looked for it. */
export interface SubjectNeeds {
  /** The part to keep, in whole upright pixels inside the picture, and why. */
  readonly box?: PictureSize & { readonly x: number; readonly y: number; readonly reason: string };
  /** The shorter side of the smallest face in that part, and what it should keep. */
  readonly face?: { readonly side_px: number; readonly least_px: number };
}

type PictureSize = Pick<Picture, "width" | "height">;

/** A format that normalized pictures have. */
export type TargetFormat = "jpeg" | "png" | "webp";

/** What a policy makes of a picture. */
export interface Treatment {
  /** The part that is taken, before anything is resized; undefined for all of it. */
  readonly crop?: PictureSize & { readonly x: number; readonly y: number };
  /** Pixels, upright; never more than before. */
  readonly width: number;
  readonly height: number;
  /** The first is wanted; the others serve where it would take more bytes than the original. */
  readonly formats: readonly TargetFormat[];
  /** Quality of a JPEG or WebP. */
  readonly quality: number;
  readonly isGrey: boolean;
  /** Put on the policy's background. */
  readonly isFlattened: boolean;
  /** Fewer pixels than the picture, or the part of it that is taken, has. */
  readonly isResized: boolean;
  /** Why it stays larger than the policy has it; undefined where it does not. */
  readonly heldBy?: string;
  /** Why the pixels must be encoded anew, one sentence each; empty for a picture within the policy. */
  readonly required: readonly string[];
  /** It is within the policy but for its quality: encoded anew if that saves bytes. */
  readonly isQualityAbove: boolean;
}

/** Why the policy leaves a picture out, with the numbers it was judged by; undefined if it does not. */
export function leftOut(
  { width, height }: Pick<Picture, "width" | "height">,
  measured: Measured | undefined,
  { leave_out }: Policy,
): { readonly reason: string; readonly numbers: Readonly<Record<string, number>> } | undefined {
  const short = Math.min(width, height);
  const { short_side_below_px, sharpness_below, clipped_above } = leave_out;
  if (short_side_below_px !== null && short < short_side_below_px) {
    const numbers = { short_side_px: short, limit_px: short_side_below_px };
    return { reason: `its short side of ${short} px is below ${short_side_below_px} px`, numbers };
  }
  if (measured === undefined) return undefined;
  const { sharpness } = measured;
  if (sharpness_below !== null && sharpness < sharpness_below) {
    const numbers = { sharpness, limit: sharpness_below };
    return { reason: `its sharpness of ${sharpness} is below ${sharpness_below}`, numbers };
  }
  const clipped = Math.round((measured.clipped_dark + measured.clipped_bright) * 1e4) / 1e4;
  if (clipped_above !== null && clipped > clipped_above) {
    const numbers = { clipped, limit: clipped_above };
    return {
      reason: `${percent(clipped)} of its pixels are clipped, above ${percent(clipped_above)}`,
      numbers,
    };
  }
  return undefined;
}

/** What is to be done with a picture that is not left out. */
export function treatmentOf(
  picture: Picture,
  policy: Policy,
  needs: SubjectNeeds = {},
): Treatment {
  const crop = needs.box !== undefined && isPart(needs.box, picture) ? needs.box : undefined;
  const { width, height } = crop ?? picture;
  const { size, heldBy } = sizeFor({ width, height }, policy, needs.face);
  const isResized = size.width !== width || size.height !== height;
  const formats = formatsFor(picture, policy);
  const isGrey = policy.colour === "grey" ||
    policy.colour === "keep" && picture.colour_space === "grey";
  const isFlattened = picture.has_alpha && (policy.alpha === "flatten" || formats[0] === "jpeg");
  const required = [
    ...crop === undefined ? [] : [
      `cropped ${picture.width} × ${picture.height} → ${width} × ${height} ` +
      `at ${crop.x}, ${crop.y} (${crop.reason})`,
    ],
    ...isResized ? [`resized ${width} × ${height} → ${size.width} × ${size.height}`] : [],
    ...colourReasons(picture, policy),
    ...isFlattened && picture.has_alpha ? [flattening(picture, policy)] : [],
    ...formats[0] === picture.format
      ? []
      : [`converted from ${name(picture.format)} to ${name(formats[0]!)}`],
  ];
  const found = picture.jpeg_quality;
  return {
    ...crop && { crop: { x: crop.x, y: crop.y, width, height } },
    ...size,
    ...heldBy !== undefined && { heldBy },
    formats,
    // Never up: what was lost does not come back.
    quality: Math.min(policy.quality, found ?? 100),
    isGrey,
    isFlattened,
    isResized,
    required,
    isQualityAbove: required.length === 0 && found !== null && found > policy.quality,
  };
}

function colourReasons(picture: Picture, policy: Policy): string[] {
  const { colour_space, bit_depth, icc_profile, is_srgb, orientation, pages } = picture;
  const isPlainGrey = colour_space === "grey" && bit_depth <= 8 && icc_profile === null;
  const reasons: string[] = [];
  if (orientation !== 1) reasons.push(`turned upright (EXIF orientation ${orientation})`);
  if (pages > 1) reasons.push(`first of ${pages} frames taken`);
  if (bit_depth > 8) reasons.push(`${bit_depth} → 8 bits a channel`);
  if (policy.colour === "grey" && colour_space !== "grey") {
    reasons.push("colours taken out");
  } else if (colour_space === "grey") {
    if (policy.colour === "rgb") reasons.push("grey written as RGB");
    else if (icc_profile !== null) reasons.push(`converted from "${icc_profile}" to sRGB grey`);
  } else if (
    !is_srgb && !isPlainGrey && (bit_depth <= 8 || icc_profile !== null || colour_space !== "rgb")
  ) {
    reasons.push(
      `converted from ${
        icc_profile === null ? colour_space.toUpperCase() : `"${icc_profile}"`
      } to sRGB`,
    );
  }
  return reasons;
}

function flattening(picture: Picture, { background }: Policy): string {
  return picture.uses_alpha
    ? `transparency put on ${background}`
    : "alpha channel that nothing is seen through left out";
}

function isPart(box: PictureSize, picture: PictureSize): boolean {
  return box.width < picture.width || box.height < picture.height;
}

/**
 * Within the policy's limits, unless the smallest face needs more: then just as large as it needs, and
 * never larger than before.
 */
function sizeFor(kept: PictureSize, policy: Policy, face: SubjectNeeds["face"]) {
  const limited = limitedSize(kept, policy);
  if (face === undefined) return { size: limited };
  const scale = Math.min(limited.width / kept.width, limited.height / kept.height);
  if (scale >= 1 || face.side_px * scale >= face.least_px) return { size: limited };
  const needed = Math.min(1, face.least_px / face.side_px);
  const side = (length: number, least: number) =>
    Math.min(length, Math.max(least, Math.ceil(length * needed - 1e-9)));
  const size = {
    width: side(kept.width, limited.width),
    height: side(kept.height, limited.height),
  };
  const smaller = `at ${limited.width} × ${limited.height} its smallest face of ` +
    `${pixels(face.side_px)} would be left with ${pixels(face.side_px * scale)}`;
  return { size, heldBy: `${smaller} (${face.least_px} px are wanted)` };
}

function pixels(length: number): string {
  return `${Math.round(length * 10) / 10} px`;
}

/** Upright pixels within both limits, in proportion, rounded half up; whole numbers throughout. */
function limitedSize({ width, height }: PictureSize, { long_side_px, short_side_px }: Policy) {
  const [long, short] = [Math.max(width, height), Math.min(width, height)];
  const byLong = long_side_px !== null && long > long_side_px ? [long_side_px, long] : [1, 1];
  const byShort = short_side_px !== null && short > short_side_px ? [short_side_px, short] : [1, 1];
  const isLongTighter = byLong[0]! * byShort[1]! <= byShort[0]! * byLong[1]!;
  const [numerator, denominator] = (isLongTighter ? byLong : byShort) as [number, number];
  return {
    width: scaledSide(width, numerator, denominator),
    height: scaledSide(height, numerator, denominator),
  };
}

function scaledSide(side: number, numerator: number, denominator: number): number {
  const doubled = 2 * side * numerator + denominator;
  return Math.max(1, (doubled - doubled % (2 * denominator)) / (2 * denominator));
}

const targets: readonly string[] = ["jpeg", "png", "webp"];
const lossySources: readonly string[] = ["avif", "heic"];

/** Lossless formats become PNG, lossy ones JPEG, or WebP where there is alpha to keep. */
function formatsFor(picture: Picture, policy: Policy): readonly TargetFormat[] {
  if (policy.format !== "keep") return [policy.format];
  if (targets.includes(picture.format)) return [picture.format as TargetFormat];
  const isTransparent = picture.uses_alpha && policy.alpha === "keep";
  const lossy: TargetFormat[] = isTransparent ? ["webp"] : ["jpeg", "webp"];
  return lossySources.includes(picture.format) ? lossy : ["png", ...lossy];
}

function name(format: string): string {
  return format === "webp" ? "WebP" : format.toUpperCase();
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 1000) / 10} %`;
}
