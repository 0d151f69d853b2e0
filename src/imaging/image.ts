import { freeBytes, whileReading } from "../runtime/buffer_memory.ts";
import { keepNativeMemory } from "../runtime/native_memory.ts";
import { Rejection } from "../runtime/rejection.ts";
import { decodeRaster } from "./decode.ts";
import { DEFAULT_MAX_PIXELS, type ImageHeader, readHeader } from "./header.ts";
import type { Size } from "./proxy_size.ts";
import { type Raster, type RasterRequest, targetSize } from "./raster.ts";
import { resizeRaster } from "./resize.ts";

/** From here on the memory of a raster is worth keeping for the next: 12 MB. */
const manyPixels = 4e6;

interface ImageOptions {
  /** The most pixels the picture may have; 16384² when left out. */
  readonly maxPixels?: number;
  /** Called for every decode, with the size decoded to: how runs and tests count them. */
  readonly onDecode?: (target: Size) => void;
  /** Reads and decodes in place of sharp, where that cannot be loaded. */
  readonly afar?: {
    header(): Promise<ImageHeader>;
    raster(target: Size): Promise<Raster>;
  };
}

/**
 * A picture as steps get it: bytes, header and pixels, each fetched when first asked for and then
 * kept. Whoever asks for the same pixels, at once or later, gets the same memory from one decode.
 */
export class Image {
  readonly #read: () => Promise<Uint8Array>;
  readonly #maxPixels: number;
  readonly #onDecode: (target: Size) => void;
  readonly #afar: ImageOptions["afar"];
  #bytes: Promise<Uint8Array> | undefined;
  #header: Promise<ImageHeader> | undefined;
  #rejection: Rejection | undefined;
  readonly #rasters = new Map<string, Promise<Raster>>();
  /** Those of them that are there. */
  readonly #decoded: Raster[] = [];

  constructor(read: () => Promise<Uint8Array>, options: ImageOptions = {}) {
    this.#read = read;
    this.#maxPixels = options.maxPixels ?? DEFAULT_MAX_PIXELS;
    this.#onDecode = options.onDecode ?? (() => {});
    this.#afar = options.afar;
  }

  /** The file as it is. A read that failed is tried again by the next call. */
  bytes(): Promise<Uint8Array> {
    return this.#bytes ??= this.#read().catch((error) => {
      this.#bytes = undefined;
      throw error;
    });
  }

  /** What the file says before any pixel is decoded; throws `Rejection` when it is unusable. */
  header(): Promise<ImageHeader> {
    return this.#header ??= this.#readHeader().catch((error) => {
      if (!(error instanceof Rejection)) this.#header = undefined;
      throw error;
    });
  }

  /**
   * The picture's pixels, upright sRGB. Throws `Rejection` when they cannot be decoded; from then on
   * every request is answered by the same one, without decoding.
   */
  async raster(request: RasterRequest): Promise<Raster> {
    const header = await this.header();
    if (this.#rejection !== undefined) throw this.#rejection;
    const target = targetSize(header, request);
    const key = `${target.width}x${target.height}`;
    const shared = this.#rasters.get(key);
    if (shared !== undefined) return await shared;
    const decoding = this.#decode(header, target);
    this.#rasters.set(key, decoding);
    try {
      const raster = await decoding;
      if (this.#rasters.get(key) === decoding) this.#decoded.push(raster);
      return raster;
    } catch (error) {
      if (this.#rasters.get(key) === decoding) this.#rasters.delete(key);
      throw error;
    }
  }

  /**
   * Lets go of bytes and pixels; later calls read and decode again. Header and verdict stay. The rasters
   * that it has given are empty from now on; who still waits for one gets it whole.
   */
  release(): void {
    this.#bytes = undefined;
    this.#decoded.forEach(({ pixels }) => freeBytes(pixels));
    this.#decoded.length = 0;
    this.#rasters.clear();
  }

  async #readHeader(): Promise<ImageHeader> {
    if (this.#afar !== undefined) return await this.#afar.header();
    return await readHeader(await this.bytes(), { maxPixels: this.#maxPixels });
  }

  async #decode(header: ImageHeader, target: Size): Promise<Raster> {
    const isWhole = target.width === header.width && target.height === header.height;
    if (header.format === "heic" && !isWhole && this.#afar === undefined) {
      return await this.#shrunk(target);
    }
    const bytes = this.#afar === undefined ? await this.bytes() : undefined;
    this.#onDecode(target);
    if (target.width * target.height >= manyPixels) keepNativeMemory();
    try {
      if (bytes === undefined) return await this.#afar!.raster(target);
      return await decodeRaster(bytes, header, { size: target });
    } catch (error) {
      if (error instanceof Rejection) this.#rejection = error;
      throw error;
    }
  }

  /** HEIC has no smaller scale to decode to, and takes a second at 12 megapixels: once is enough. */
  async #shrunk(target: Size): Promise<Raster> {
    const whole = await this.raster({ size: "full" });
    if (whole.pixels.length === 0) return await this.#shrunk(target); // released just now
    return await whileReading(whole.pixels.buffer, () => resizeRaster(whole, target));
  }
}
