import { join } from "node:path";
import sharp from "sharp";

/** What a 12-megapixel camera writes. */
export const photoSize = { width: 4000, height: 3000 } as const;

interface PhotosOptions {
  readonly count: number;
  /** A folder of real photographs to begin with, enlarged; made from noise when left out. */
  readonly photographs?: string;
}

/**
 * Writes `photo_00.jpg` and so on, 4000 × 3000, quality 92, 4:2:0, no two the same; gives their mean
 * size in bytes. With grain like a sensor's, so that they are as large, and as slow to decode, as a
 * camera's.
 */
export async function writePhotos(folder: string, options: PhotosOptions): Promise<number> {
  const random = randomBytes(1);
  const grain = makeGrain(random);
  const motifs = options.photographs === undefined
    ? await madeMotifs(random)
    : enlargedMotifs(options.photographs, options.count);
  let bytes = 0;
  for (let index = 0; index < options.count; index++) {
    const pixels = await motifs(index);
    addGrain(pixels, grain, index * 7919);
    const info = await sharp(pixels, { raw: { ...photoSize, channels: 3 } })
      .jpeg({ quality: 92, chromaSubsampling: "4:2:0" })
      .toFile(join(folder, `photo_${String(index).padStart(2, "0")}.jpg`));
    bytes += info.size;
  }
  return bytes / options.count;
}

/** A photo's pixels without grain: interleaved sRGB, 8 bits a channel, row-major. */
type Motif = (index: number) => Promise<Uint8Array>;

/** Textures are made at half the size, and a little larger than needed. */
const textureSize = { width: 2400, height: 1800 } as const;
const cutSize = { width: photoSize.width / 2, height: photoSize.height / 2 } as const;
const textureCount = 3;

/** Each motif is cut out of a texture at another place, and mirrored or not. */
async function madeMotifs(random: RandomBytes): Promise<Motif> {
  const textures: Uint8Array[] = [];
  for (let index = 0; index < textureCount; index++) textures.push(await makeTexture(random));
  return async (index) => {
    const texture = textures[index % textureCount]!;
    const cut = sharp(texture, { raw: { ...textureSize, channels: 3 } }).extract({
      left: (index * 137) % (textureSize.width - cutSize.width),
      top: (index * 89) % (textureSize.height - cutSize.height),
      ...cutSize,
    });
    return await (index % 2 === 0 ? cut : cut.flop()).resize(photoSize).raw().toBuffer();
  };
}

/**
 * Noise at all scales, each half as strong as the one four times as coarse: natural pictures have
 * such a spectrum (Field 1987), if a steeper one.
 */
async function makeTexture(random: RandomBytes): Promise<Uint8Array> {
  const { width, height } = textureSize;
  const sum = new Float32Array(width * height * 3).fill(128);
  for (let columns = 4, strength = 0.6; columns < width; columns *= 4, strength /= 2) {
    const rows = columns * height / width;
    const noise = random(columns * rows * 3);
    // Fine detail is in the light, hardly in the colour.
    if (columns > 16) noise.forEach((_, at) => noise[at] = noise[at - at % 3]!);
    const smooth = await sharp(noise, { raw: { width: columns, height: rows, channels: 3 } })
      .resize({ width, height, fit: "fill", kernel: "cubic" }).raw().toBuffer();
    for (let at = 0; at < sum.length; at++) sum[at]! += (smooth[at]! - 128) * strength;
  }
  return new Uint8Array(Uint8ClampedArray.from(sum).buffer);
}

function enlargedMotifs(folder: string, count: number): Motif {
  const names = Array.from(Deno.readDirSync(folder), (entry) => entry.name)
    .filter((name) => /\.jpe?g$/i.test(name)).sort().slice(0, count);
  return async (index) => {
    const photograph = sharp(join(folder, names[index % names.length]!), { autoOrient: true });
    const enlarged = photograph.resize({ ...photoSize, fit: "cover" }).toColourspace("srgb");
    return await enlarged.removeAlpha().raw().toBuffer();
  };
}

/** More than a picture's samples and no multiple of a row, so that it repeats nowhere visibly. */
const grainLength = 5_000_011;

/** Roughly normal, standard deviation 7 of 255. */
function makeGrain(random: RandomBytes): Int8Array {
  const noise = random(grainLength * 3);
  return Int8Array.from(
    { length: grainLength },
    (_, at) => Math.round((noise[3 * at]! + noise[3 * at + 1]! + noise[3 * at + 2]! - 382) / 18),
  );
}

function addGrain(pixels: Uint8Array, grain: Int8Array, from: number) {
  const clamped = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.length);
  let at = from % grain.length;
  for (let sample = 0; sample < clamped.length; sample++) {
    clamped[sample]! += grain[at]!;
    if (++at === grain.length) at = 0;
  }
}

type RandomBytes = (length: number) => Uint8Array;

/** The same bytes for the same seed: Marsaglia's xorshift, 32 bits. */
function randomBytes(seed: number): RandomBytes {
  let state = seed * 2_654_435_761 >>> 0;
  return (length) => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      bytes[at] = state >>> 24;
    }
    return bytes;
  };
}
