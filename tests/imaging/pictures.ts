import sharp, { type Sharp } from "sharp";
import type { Raster } from "../../src/imaging/raster.ts";

/** The folder that holds `corpus/` and `expected/`; undefined where it is not there. */
const corpusRoot = Deno.env.get("TINTYPE_CORPUS");

/** A test on the corpus, ignored without it. */
export function corpusTest(name: string, fn: () => Promise<void>): void {
  const isIgnored = corpusRoot === undefined;
  const shown = isIgnored ? `${name} (skipped: TINTYPE_CORPUS is not set)` : name;
  Deno.test({ name: shown, ignore: isIgnored, fn });
}

/** The names of the files in a folder of the corpus, sorted. */
export function corpusNames(folder: string): string[] {
  return [...Deno.readDirSync(`${corpusRoot}/corpus/${folder}`)].map(({ name }) => name).sort();
}

/** The bytes of a corpus file, such as `odd/p3.png`. */
export function corpusFile(path: string): Uint8Array {
  return Deno.readFileSync(`${corpusRoot}/corpus/${path}`);
}

/** A table that was made with other tools, such as `photos.json`. */
export function expectedTable<Table>(name: string): Table {
  return JSON.parse(Deno.readTextFileSync(`${corpusRoot}/expected/${name}`));
}

/** Numbers from 0 to 1 that are the same on every run (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 4294967296;
  };
}

/** A raster by a function of column and row that gives its channels. */
export function paint(
  width: number,
  height: number,
  colourAt: (x: number, y: number) => readonly number[],
): Raster {
  const channels = colourAt(0, 0).length as 3 | 4;
  const pixels = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels.set(colourAt(x, y), (y * width + x) * channels);
  }
  return { width, height, channels, pixels };
}

/** Something like a photograph: soft shapes of all sizes, and noise as a sensor has it. */
export function photoLike(width: number, height: number, seed = 1): Raster {
  const random = randomNumbers(seed);
  const waves = Array.from({ length: 12 }, (_, index) => ({
    across: (random() - 0.5) * 0.02 * (index + 1),
    down: (random() - 0.5) * 0.02 * (index + 1),
    phase: random() * 6.28,
    tint: [random(), random(), random()],
  }));
  return paint(width, height, (x, y) => {
    const colour = [110, 110, 110];
    for (const { across, down, phase, tint } of waves) {
      const height = Math.sin(x * across + y * down + phase) * 22;
      for (let channel = 0; channel < 3; channel++) colour[channel]! += height * tint[channel]!;
    }
    return colour.map((value) => Math.max(0, Math.min(255, value + (random() - 0.5) * 12)));
  });
}

/** A raster as a sharp pipeline, to be encoded by the test. */
export function pipelineOf({ width, height, channels, pixels }: Raster): Sharp {
  return sharp(pixels, { raw: { width, height, channels } });
}

/** Bytes of their own: a Node buffer's `slice` would share them. */
export async function bytesOf(pipeline: Sharp): Promise<Uint8Array> {
  return Uint8Array.from(await pipeline.toBuffer());
}

/** Peak signal-to-noise ratio over all channels, in decibels; infinite for equal pixels. */
export function psnr(left: Raster, right: Raster): number {
  if (left.pixels.length !== right.pixels.length) return 0;
  let squares = 0;
  left.pixels.forEach((value, index) => squares += (value - right.pixels[index]!) ** 2);
  return 10 * Math.log10(255 ** 2 * left.pixels.length / squares);
}

/** The colour of one pixel. */
export function pixelAt({ width, channels, pixels }: Raster, x: number, y: number): number[] {
  const at = (y * width + x) * channels;
  return [...pixels.subarray(at, at + channels)];
}

export type Piece = string | Uint8Array | readonly number[];

/** Bytes and strings (Latin-1) one after the other. */
export function joined(...pieces: readonly Piece[]): Uint8Array {
  return new Uint8Array(
    pieces.flatMap((piece) =>
      typeof piece === "string" ? [...piece].map((char) => char.charCodeAt(0)) : [...piece]
    ),
  );
}

/** A whole number as big-endian bytes. */
export function bigEndian(value: number, length: number): number[] {
  return Array.from({ length }, (_, at) => Math.floor(value / 256 ** (length - 1 - at)) % 256);
}

/** A JPEG with segments put in after its SOI marker. */
export function withSegments(jpeg: Uint8Array, ...segments: readonly Uint8Array[]): Uint8Array {
  return joined(jpeg.subarray(0, 2), ...segments, jpeg.subarray(2));
}

/** A JPEG segment: 0xFF, marker, length, payload. */
export function segment(marker: number, ...payload: readonly Piece[]): Uint8Array {
  const content = joined(...payload);
  return joined([0xff, marker], bigEndian(content.length + 2, 2), content);
}
