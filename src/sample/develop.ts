import { type Canvas, clamp01 } from "./canvas.ts";
import { type Random, seededRandom } from "./random.ts";

/** Interleaved sRGB, 8 bits a channel, row-major, height × width × 3. */
export interface Raster8 {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8ClampedArray;
}

/** Steps of the tone curve a unit of the square root of light: finest where eyes are. */
const CURVE_STEPS = 4096;
/** Light above this gives the same white. */
const BRIGHTEST = 9;
const CURVE = toneCurve();

/** Encoded values (0 to 255, not rounded) by the square root of linear light. */
function toneCurve(): Float32Array {
  const curve = new Float32Array(CURVE_STEPS * Math.sqrt(BRIGHTEST) + 1);
  for (let index = 0; index < curve.length; index++) {
    const light = (index / CURVE_STEPS) ** 2;
    const shoulder = light <= 0.6 ? light : 0.6 + 0.4 * (1 - Math.exp((0.6 - light) / 0.4));
    const encoded = shoulder <= 0.0031308
      ? 12.92 * shoulder
      : 1.055 * shoulder ** (1 / 2.4) - 0.055;
    curve[index] = 255 * encoded;
  }
  return curve;
}

/** What a camera does to the light that it gets. */
export interface DevelopOptions {
  /** Light lost in the corners, 0 to 1. */
  readonly vignette?: number;
  /** Factor on all light. */
  readonly exposure?: number;
}

/** Encoded values 0 to 255, not rounded, through a tone curve with a soft shoulder. */
function develop(canvas: Canvas, options: DevelopOptions): Float32Array<ArrayBuffer> {
  const { width, height, pixels } = canvas;
  const { vignette = 0.18, exposure = 1 } = options;
  const encoded = new Float32Array(pixels.length);
  const corner = width * width / 4 + height * height / 4;
  for (let row = 0, index = 0; row < height; row++) {
    const dy = row - height / 2;
    for (let column = 0; column < width; column++) {
      const dx = column - width / 2;
      const gain = exposure * (1 - vignette * (dx * dx + dy * dy) / corner);
      for (let channel = 0; channel < 3; channel++, index++) {
        const light = Math.min(BRIGHTEST, Math.max(0, pixels[index]! * gain));
        encoded[index] = CURVE[Math.floor(Math.sqrt(light) * CURVE_STEPS)]!;
      }
    }
  }
  return encoded;
}

/** Develops to 8 bits, dithered by half a level so that skies do not band. */
export function developed8(canvas: Canvas, options: DevelopOptions = {}): Raster8 {
  const encoded = develop(canvas, options);
  const pixels = new Uint8ClampedArray(encoded.length);
  for (let index = 0; index < encoded.length; index++) {
    pixels[index] = encoded[index]! + GRAIN[(index * 7) & GRAIN_MASK]! * 0.3;
  }
  return { width: canvas.width, height: canvas.height, pixels };
}

/** Develops to 16 bits with sensor noise of `grain` 8-bit levels; interleaved, 0 to 65535. */
export function developed16(
  canvas: Canvas,
  options: DevelopOptions & { readonly grain: number },
): Uint16Array<ArrayBuffer> {
  const encoded = develop(canvas, options);
  const pixels = new Uint16Array(encoded.length);
  for (let index = 0; index < encoded.length; index++) {
    const noisy = encoded[index]! + GRAIN[(index * 5) & GRAIN_MASK]! * options.grain;
    pixels[index] = Math.round(clamp01(noisy / 255) * 65535);
  }
  return pixels;
}

const GRAIN_MASK = 0xffff;
const GRAIN = grainTable();

/** Normal numbers, deviation 1, in no order. */
function grainTable(): Float32Array {
  const random = seededRandom("grain");
  return Float32Array.from({ length: GRAIN_MASK + 1 }, () => random.normal());
}

/** How much noise, and where. */
export interface GrainOptions {
  /** Deviation in 8-bit levels in the mid-tones. */
  readonly deviation: number;
  /**
   * More noise where there is texture, beside the difference to the next pixels: 0 is none. It stands
   * in for the detail that an enlarged picture lacks, and leaves skies and still water smooth.
   */
  readonly texture: number;
}

/** Distance in pixels over which texture is told from flat areas. */
const REACH = 3;
/** Differences above this are outlines, which stay as they are. */
const OUTLINE = 26;

/**
 * Adds sensor noise in place, more in the shadows, none in clipped white; brightness noise with a
 * little of each colour's own.
 */
export function addGrain(raster: Raster8, options: GrainOptions, random: Random): void {
  const { width, height, pixels } = raster;
  const gains = Float32Array.from({ length: 256 }, (_, level) => {
    const shot = Math.sqrt(Math.max(0, 1.25 - level / 255)) * Math.min(1, level / 24 + 0.3);
    return options.deviation * shot;
  });
  const below = width * 3 * REACH;
  for (let row = 0; row < height; row++) {
    let at = Math.floor(random.next() * GRAIN_MASK);
    const end = (row + 1) * width * 3;
    for (let index = row * width * 3; index < end; index += 3) {
      at = (at + 1) & GRAIN_MASK;
      const level = pixels[index + 1]!;
      const aside = Math.abs(level - (pixels[index + 1 + REACH * 3] ?? level));
      const down = Math.abs(level - (pixels[index + 1 + below] ?? level));
      const gain = gains[level]! + options.texture * Math.min(OUTLINE, aside + down);
      const light = GRAIN[at]! * gain;
      const tint = GRAIN[(at * 3 + row) & GRAIN_MASK]! * 0.35 * gain;
      pixels[index]! += light + tint;
      pixels[index + 1]! += light;
      pixels[index + 2]! += light - tint;
    }
  }
}
