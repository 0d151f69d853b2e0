import type { Sharp } from "sharp";
import { exifTags } from "./exif.ts";
import type { Altered, Encoding, Original } from "./picture.ts";
import type { SharpFactory } from "./render.ts";
import type { Orientation, PictureTruth } from "./truth.ts";

/** What an encoding makes of a picture, whatever the picture. */
export type FormatTruth = Pick<
  PictureTruth,
  | "format"
  | "bit_depth"
  | "channels"
  | "has_alpha"
  | "colour_space"
  | "icc"
  | "is_progressive"
>;

const PLAIN: FormatTruth = {
  format: "jpeg",
  bit_depth: 8,
  channels: 3,
  has_alpha: false,
  colour_space: "srgb",
  icc: null,
  is_progressive: false,
};

/** What is true of a file because of how it is encoded; ICC names are those inside sharp's profiles. */
export function formatTruth({ encoding, orientation = 1 }: Original): FormatTruth {
  switch (encoding.as) {
    case "jpeg":
      return {
        ...PLAIN,
        // sharp sets an orientation by `withMetadata` only, which embeds sRGB.
        icc: orientation === 1 ? null : "sRGB",
        is_progressive: encoding.isProgressive ?? false,
      };
    case "jpeg-grey":
      return { ...PLAIN, channels: 1, colour_space: "grey" };
    case "jpeg-cmyk":
      return { ...PLAIN, channels: 4, colour_space: "cmyk", icc: "Chemical proof" };
    case "jpeg-p3":
      return { ...PLAIN, colour_space: "display-p3", icc: "sP3C" };
    case "png":
      return { ...PLAIN, format: "png", channels: 4, has_alpha: true };
    case "png-grey":
      return { ...PLAIN, format: "png", channels: 1, colour_space: "grey" };
    case "png-palette":
      return { ...PLAIN, format: "png" };
    case "png-16":
      return { ...PLAIN, format: "png", bit_depth: 16 };
    case "webp":
      return { ...PLAIN, format: "webp" };
  }
}

/** The bytes of a whole picture file, from its upright pixels. */
export async function encodePicture(
  upright: Sharp,
  picture: Original,
  sharp: SharpFactory,
): Promise<Uint8Array> {
  const { exif, encoding, orientation = 1 } = picture;
  let image = turned(upright, orientation);
  if (exif !== undefined) {
    image = image.withExif(exifTags({ taken: null, camera: null, gps: null, ...exif }));
  }
  if (orientation !== 1) image = image.withMetadata({ orientation });
  const { data } = await inFormat(image, encoding).toUint8Array();
  return encoding.as === "jpeg-p3" ? withIccProfile(data, await displayP3(sharp)) : data;
}

/** Turns upright pixels to how a camera that was held so would store them. */
function turned(upright: Sharp, orientation: Orientation): Sharp {
  switch (orientation) {
    case 1:
      return upright;
    case 2:
      return upright.flop();
    case 3:
      return upright.rotate(180);
    case 4:
      return upright.flip();
    case 6:
      return upright.rotate(270);
    case 8:
      return upright.rotate(90);
    case 5:
    case 7:
      throw new Error(
        `Cannot store pixels in orientation ${orientation}: not written (1 to 4, 6, 8)`,
      );
  }
}

function inFormat(image: Sharp, encoding: Encoding): Sharp {
  switch (encoding.as) {
    case "jpeg":
      return image.jpeg({
        quality: encoding.quality,
        progressive: encoding.isProgressive ?? false,
      });
    case "jpeg-p3":
      return image.jpeg({ quality: encoding.quality });
    case "jpeg-grey":
      return image.toColourspace("b-w").jpeg({ quality: encoding.quality });
    case "jpeg-cmyk":
      return image.toColourspace("cmyk").withIccProfile("cmyk").jpeg({ quality: encoding.quality });
    case "png":
      return image.png();
    case "png-grey":
      return image.toColourspace("b-w").png();
    case "png-palette":
      return image.png({ palette: true, colours: encoding.colours, dither: 0 });
    case "png-16":
      return image.toColourspace("rgb16").png();
    case "webp":
      return image.webp({ quality: encoding.quality });
  }
}

/** A small change to a file, encoded anew as an upright JPEG. */
export async function alteredPicture(
  original: Uint8Array,
  picture: Altered,
  sharp: SharpFactory,
): Promise<{ readonly bytes: Uint8Array; readonly width: number; readonly height: number }> {
  const { width, height } = (await sharp(original).metadata()).autoOrient;
  let image = sharp(original).autoOrient();
  switch (picture.how) {
    case "resized":
      image = image.resize({ width: Math.round(width / 4) });
      break;
    case "cropped":
      image = image.extract({
        left: Math.round(width * 0.03),
        top: Math.round(height * 0.02),
        width: Math.round(width * 0.94),
        height: Math.round(height * 0.95),
      });
      break;
    case "brightened":
      image = image.modulate({ brightness: 1.18 });
      break;
    case "recompressed":
      break;
  }
  if (picture.keepsExif) image = image.keepExif();
  const { data, info } = await image.jpeg({ quality: picture.quality }).toUint8Array();
  return { bytes: data, width: info.width, height: info.height };
}

/** sharp's own Display P3 profile, taken from a picture that it is embedded in. */
async function displayP3(sharp: SharpFactory): Promise<Uint8Array> {
  const pixel = sharp(new Uint8Array(3), { raw: { width: 1, height: 1, channels: 3 } });
  const { data } = await pixel.withIccProfile("p3").jpeg().toUint8Array();
  const { icc } = await sharp(data).metadata();
  if (icc === undefined) throw new Error("Cannot read the P3 profile that sharp embedded");
  return icc;
}

/**
 * Embeds a profile in a JPEG without changing its pixels (ICC.1:2022, annex B.4: an APP2 segment);
 * sharp would convert them, and then no colour would be outside sRGB.
 */
function withIccProfile(jpeg: Uint8Array, profile: Uint8Array): Uint8Array {
  const label = new TextEncoder().encode("ICC_PROFILE\0");
  const length = 2 + label.length + 2 + profile.length;
  const segment = [0xff, 0xe2, length >> 8, length & 0xff, ...label, 1, 1, ...profile];
  const at = afterApplicationSegments(jpeg);
  const bytes = new Uint8Array(jpeg.length + segment.length);
  bytes.set(jpeg.subarray(0, at));
  bytes.set(segment, at);
  bytes.set(jpeg.subarray(at), at + segment.length);
  return bytes;
}

/** Where the APP0 and APP1 segments (JFIF, EXIF) end: readers want those first. */
function afterApplicationSegments(jpeg: Uint8Array): number {
  let at = 2;
  while (jpeg[at] === 0xff && (jpeg[at + 1] === 0xe0 || jpeg[at + 1] === 0xe1)) {
    at += 2 + ((jpeg[at + 2] ?? 0) << 8) + (jpeg[at + 3] ?? 0);
  }
  return at;
}
