import { loadSharp } from "./sharp.ts";

/** The versions that decide what a picture's pixels and bytes are: sharp brings its own codecs. */
export async function imagingTools(): Promise<Readonly<Record<string, string>>> {
  const { vips, sharp: own } = (await loadSharp()).versions as Readonly<Record<string, string>>;
  return { libvips: vips!, sharp: own! };
}
