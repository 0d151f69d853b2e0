import { resolve } from "node:path";
import { encodeRaster } from "../imaging/encode.ts";
import { Image } from "../imaging/image.ts";
import { escapeHtml } from "./html.ts";
import { type Display, display } from "./kernel.ts";
import { numberText } from "./table.ts";

/** A picture's file and what to say beneath it. */
export interface Thumbnail {
  readonly path: string;
  /** The file's name when left out. */
  readonly caption?: string;
}

export interface ThumbnailOptions {
  /** Pixels of the longer side, 16 to 1024, default 160. Pictures are never enlarged. */
  readonly size?: number;
  /** The most pictures shown, default 24; a line says how many more there are. */
  readonly limit?: number;
  /** Where relative paths begin; the notebook's folder when left out. */
  readonly folder?: string;
}

/**
 * Pictures side by side with captions, made small and put into the page itself, so that it can be
 * sent to somebody. One that cannot be read shows why.
 */
export function thumbnails(
  pictures: readonly Thumbnail[],
  options: ThumbnailOptions = {},
): Display {
  const { size = 160, limit = 24, folder = "." } = options;
  if (!Number.isInteger(size) || size < 16 || size > 1024) {
    throw new RangeError(
      `Cannot show thumbnails: their size is ${size} (whole pixels from 16 to 1024 are wanted)`,
    );
  }
  const shown = pictures.slice(0, limit).map(({ path, caption = path.split(/[/\\]/).at(-1)! }) => ({
    path: resolve(folder, path),
    caption,
  }));
  const note = noteOf(pictures.length, shown.length);
  return {
    async [display]() {
      const figures: string[] = [];
      for (const each of shown) figures.push(await figure(each, size));
      const end = note === undefined ? "" : `<div style="opacity:0.7">${note}</div>`;
      return {
        "text/html": `<div style="${wall}">${figures.join("")}</div>${end}`,
        "text/plain": [...shown.map(({ caption }) => caption), note]
          .filter((line) => line !== undefined).join("\n"),
      };
    },
  };
}

function noteOf(all: number, shown: number): string | undefined {
  if (all === 0) return "no pictures";
  return all === shown ? undefined : `… and ${numberText(all - shown)} more`;
}

const wall = "display:flex;flex-wrap:wrap;gap:12px;align-items:flex-end";

async function figure({ path, caption }: Required<Thumbnail>, size: number): Promise<string> {
  const picture = await pictureHtml(path, size);
  return `<figure style="margin:0;width:${size}px">${picture}` +
    `<figcaption style="font-size:11px;line-height:1.3;overflow-wrap:anywhere">${
      escapeHtml(caption)
    }</figcaption></figure>`;
}

export async function pictureHtml(path: string, size: number): Promise<string> {
  const image = new Image(() => Deno.readFile(path));
  try {
    const raster = await image.raster({ max_side_px: size });
    const format = raster.channels === 4 ? "webp" : "jpeg";
    const bytes = await encodeRaster(raster, { format, quality: 75, effort: "balanced" });
    return `<img alt="" width="${raster.width}" height="${raster.height}" ` +
      `src="data:image/${format};base64,${bytes.toBase64()}">`;
  } catch (error) {
    const message = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : error instanceof Error
      ? error.message
      : String(error);
    return `<div style="border:1px dashed #999;padding:8px;font-size:11px;overflow-wrap:anywhere">${
      escapeHtml(message)
    }</div>`;
  } finally {
    image.release();
  }
}
