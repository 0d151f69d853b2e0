import type { Kind } from "../runtime/artifact.ts";
import { releaseDecoders } from "../imaging/decode.ts";
import { Image } from "../imaging/image.ts";
import type { ImageHeader } from "../imaging/header.ts";
import type { Size } from "../imaging/proxy_size.ts";
import type { Raster } from "../imaging/raster.ts";
import { imagingTools } from "../imaging/tools.ts";

/** A file format that a step can make. */
export type MadeFormat = "jpeg" | "png" | "webp";

/** An encoded picture, upright. */
export interface EncodedImage {
  readonly bytes: Uint8Array;
  readonly format: MadeFormat;
  /** Pixels, upright. */
  readonly width: number;
  readonly height: number;
}

/**
 * A picture file. Read from a handle it is an `Image`: header and pixels on demand, decoded once and
 * shared by all steps of an item. Its table shows format and upright size in pixels.
 */
export const image: Kind<"image", Image, EncodedImage> = {
  name: "image",
  doc: "a picture file",
  isRow: false,
  columns: [
    { name: "format", type: "VARCHAR" },
    { name: "width", type: "BIGINT" },
    { name: "height", type: "BIGINT" },
  ],
  encode: ({ bytes, format, width, height }) => ({ bytes, facts: { format, width, height } }),
  open: (blob) => new Image(() => blob.bytes()),
  release: (opened) => opened.release(),
  rest: releaseDecoders,
  afar: {
    open: (blob, ask) =>
      new Image(() => blob.bytes(), {
        afar: {
          header: () => ask("header") as Promise<ImageHeader>,
          raster: (size) => ask({ size }) as Promise<Raster>,
        },
      }),
    answer: async (opened, question) =>
      question === "header"
        ? await opened.header()
        : await opened.raster({ size: sizeIn(question) }),
  },
  async identify(opened) {
    const { format, width, height, warnings } = await opened.header();
    return { facts: { format, width, height }, warnings };
  },
  identifyTools: imagingTools,
};

function sizeIn(question: unknown): Size {
  const { width, height } = (question as { readonly size?: Partial<Size> } | null)?.size ?? {};
  return { width: Number(width), height: Number(height) };
}
