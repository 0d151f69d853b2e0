import { loadSharp } from "./sharp.ts";

/** Of libheif, which decodes HEIC; a test holds that it is the one that is loaded. */
export const libheifVersion = "1.23.2";

/** The versions that decide what a picture's pixels and bytes are: sharp brings its own codecs. */
export async function imagingTools(): Promise<Readonly<Record<string, string>>> {
  const { vips, sharp: own } = (await loadSharp()).versions as Readonly<Record<string, string>>;
  return { libheif: libheifVersion, libvips: vips!, sharp: own! };
}
