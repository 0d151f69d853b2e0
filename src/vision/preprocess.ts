import type { ImageHeader } from "../imaging/header.ts";
import type { Size } from "../imaging/proxy_size.ts";
import { flattenRaster, type Raster, type RasterRequest } from "../imaging/raster.ts";
import { loadSharp } from "../imaging/sharp.ts";
import type { Feeds } from "../services/inference.ts";
import type { ModelEntry, Preprocess } from "./registry.ts";

/** What of a picture is in a tensor, and where. All sizes in pixels. */
export interface View {
  /** The whole picture, upright. */
  readonly picture: Size;
  /** The whole picture as scaled for the tensor. */
  readonly scaled: Size;
  readonly tensor: Size;
  /** Where the scaled picture begins in the tensor; negative where the tensor is a part of it. */
  readonly left: number;
  readonly top: number;
}

/** An entry of the registry that says how a picture is fed to it. */
export type PictureModel = ModelEntry & { readonly preprocess: Preprocess };

export function takesPictures(entry: ModelEntry): entry is PictureModel {
  return entry.preprocess !== undefined && entry.inputs[0]?.dims.length === 4;
}

/**
 * How a picture is laid into a model's tensor. Scaled sides are rounded down, as CLIP (torchvision's
 * `Resize`), YOLOX (`preproc` in yolox/data/data_augment.py) and Hugging Face's processors do; a crop
 * begins at the whole half of what is over. A letterbox of a model whose height and width are free
 * has no margin: the tensor is the scaled picture.
 */
export function viewOf(picture: Size, model: PictureModel): View {
  const { fit, size } = model.preprocess;
  if (fit === "stretch") return { picture, scaled: size, tensor: size, left: 0, top: 0 };
  const isByWidth = (size.width * picture.height >= size.height * picture.width) ===
    (fit === "short_side");
  const scaled = isByWidth
    ? { width: size.width, height: scaledSide(picture.height, size.width, picture.width) }
    : { width: scaledSide(picture.width, size.height, picture.height), height: size.height };
  if (fit === "letterbox") {
    return { picture, scaled, tensor: hasFreeSides(model) ? scaled : size, left: 0, top: 0 };
  }
  const left = -Math.floor((scaled.width - size.width) / 2);
  const top = -Math.floor((scaled.height - size.height) / 2);
  return { picture, scaled, tensor: size, left, top };
}

function scaledSide(side: number, numerator: number, denominator: number): number {
  return Math.max(1, Math.floor(side * numerator / denominator));
}

function hasFreeSides({ inputs, preprocess }: PictureModel): boolean {
  const [, ...sides] = inputs[0]!.dims;
  const [height, width] = preprocess.layout === "nchw" ? sides.slice(1) : sides;
  return typeof height === "string" && typeof width === "string";
}

/**
 * Pixels for an embedding are so many times finer than its tensor, or more, before its kernel is
 * applied: at 1 the mean of the tensor is up to 0.009 and the standard deviation up to 0.023 from what
 * Pillow's bicubic gives from all pixels, at 2 up to 0.002 and 0.001 (93 photos, CLIP's tensor).
 */
const finenessForKernel = 2;

/**
 * The pixels to decode, once for all models that look at the picture. For an embedding a JPEG is
 * halved up to three times while it is decoded, which keeps its mean, and others are decoded whole:
 * the decoder's own way to a small size darkens by up to 0.8 of 255 levels, which is 0.012 in the
 * mean of CLIP's tensor.
 */
export function rasterFor(
  header: Size & Pick<ImageHeader, "format">,
  looks: readonly { readonly view: View; readonly model: PictureModel }[],
): RasterRequest {
  const sizes = looks.map(({ view, model }) => {
    if (!needsFinePixels(model)) return view.scaled;
    const shrink = header.format === "jpeg" ? Math.min(8, shrinkFor(header, view)) : 1;
    return {
      width: Math.max(1, Math.floor(header.width / shrink)),
      height: Math.max(1, Math.floor(header.height / shrink)),
    };
  });
  const width = Math.max(...sizes.map((size) => size.width));
  const height = Math.max(...sizes.map((size) => size.height));
  return { size: { width, height } };
}

/** A detector has margins, and takes pixels as the decoder scales them. */
function needsFinePixels({ preprocess }: PictureModel): boolean {
  return preprocess.fit !== "letterbox";
}

/** The largest power of two that leaves pixels fine enough for the tensor. */
function shrinkFor({ width, height }: Size, { scaled }: View): number {
  const over = Math.min(width / scaled.width, height / scaled.height) / finenessForKernel;
  return 2 ** Math.max(0, Math.floor(Math.log2(over)));
}

/**
 * What a model is fed for one picture: its first input is the picture, transparency on white; further
 * ones are masks of what is picture (DETR's `pixel_mask`), all ones.
 */
export async function feedsOf(raster: Raster, view: View, model: PictureModel): Promise<Feeds> {
  const { width, height } = view.tensor;
  const { layout } = model.preprocess;
  const values = tensorOf(await visiblePixels(raster, view, model), view, model);
  const dims = layout === "nchw" ? [3, height, width] : [height, width, 3];
  const [picture, ...masks] = model.inputs;
  const feeds: Record<string, Feeds[string]> = { [picture!.name]: { dims, values } };
  for (const mask of masks) {
    const sizes = mask.dims.slice(1).map((length, at) =>
      typeof length === "number" ? length : at === 0 ? height : width
    );
    const count = sizes.reduce((product, length) => product * length, 1);
    feeds[mask.name] = {
      dims: sizes,
      values: mask.type === "int64"
        ? new BigInt64Array(count).fill(1n)
        : new Float32Array(count).fill(1),
    };
  }
  return feeds;
}

/** Pictures more than so many times as long as the tensor are cropped before they are scaled. */
const longestStrip = 8;

/** The part of the scaled picture that is in the tensor: interleaved sRGB, 8 bits a channel. */
async function visiblePixels(
  raster: Raster,
  view: View,
  { preprocess: { kernel } }: PictureModel,
): Promise<Raster> {
  const { scaled, tensor } = view;
  const flat = flattenRaster(raster);
  const isScaled = scaled.width === flat.width && scaled.height === flat.height;
  if (isScaled && isWhole(view)) return flat;
  const width = Math.min(scaled.width, tensor.width);
  const height = Math.min(scaled.height, tensor.height);
  const scaling = { fit: "fill", kernel } as const;
  const isStrip = scaled.width > longestStrip * width || scaled.height > longestStrip * height;
  const source = await rawSource(isStrip ? flat : await withinReach(flat, view, kernel));
  const pipeline = isStrip
    ? source.extract(middleOf(flat, view)).resize({ ...scaling, width, height })
    : source.resize({ ...scaling, ...scaled })
      .extract({ left: Math.max(0, -view.left), top: Math.max(0, -view.top), width, height });
  const pixels = new Uint8Array(await pipeline.raw().toBuffer());
  return { width, height, channels: 3, pixels };
}

/** libvips averages whole squares first where it scales by this or more, and rounds them down. */
const averagedFrom = 4;

/**
 * The raster in as many equal steps as it takes for each, and for what is left to do, to scale by less
 * than `averagedFrom`: one step from 2268 × 1512 to 224 darkens by 0.7 of 255 levels, such steps by
 * less than 0.05.
 */
async function withinReach(raster: Raster, { scaled }: View, kernel: Kernel): Promise<Raster> {
  const over = Math.max(raster.width / scaled.width, raster.height / scaled.height);
  const steps = Math.floor(Math.log(over) / Math.log(averagedFrom)) + 1;
  let reached = raster;
  for (let step = 1; step < steps; step++) {
    const share = step / steps;
    const width = Math.round(raster.width ** (1 - share) * scaled.width ** share);
    const height = Math.round(raster.height ** (1 - share) * scaled.height ** share);
    const source = await rawSource(reached);
    const pixels = await source.resize({ width, height, fit: "fill", kernel }).raw().toBuffer();
    reached = { width, height, channels: 3, pixels: new Uint8Array(pixels) };
  }
  return reached;
}

type Kernel = Preprocess["kernel"];

async function rawSource({ width, height, channels, pixels }: Raster) {
  const sharp = await loadSharp();
  return sharp(pixels, { raw: { width, height, channels }, limitInputPixels: false });
}

function isWhole({ scaled, tensor }: View): boolean {
  return scaled.width <= tensor.width && scaled.height <= tensor.height;
}

/** The tensor's part of a picture before it is scaled, to the nearest pixel. */
function middleOf(raster: Size, { scaled, tensor }: View) {
  const width = Math.max(1, Math.round(raster.width * Math.min(1, tensor.width / scaled.width)));
  const height = Math.max(
    1,
    Math.round(raster.height * Math.min(1, tensor.height / scaled.height)),
  );
  const left = Math.floor((raster.width - width) / 2);
  const top = Math.floor((raster.height - height) / 2);
  return { left, top, width, height };
}

/** (sample × scale − mean) / std; where no picture is, the same of `fill`. */
function tensorOf(visible: Raster, { tensor }: View, { preprocess }: PictureModel): Float32Array {
  const { layout, channels, fill } = preprocess;
  const area = tensor.width * tensor.height;
  const values = new Float32Array(3 * area);
  const step = layout === "nchw" ? 1 : 3;
  for (let channel = 0; channel < 3; channel++) {
    const levels = levelsOf(preprocess, channel);
    const first = layout === "nchw" ? channel * area : channel;
    const source = channels === "rgb" ? channel : 2 - channel;
    if (visible.width < tensor.width || visible.height < tensor.height) {
      for (let at = 0; at < area; at++) values[first + at * step] = levels[fill]!;
    }
    for (let y = 0, from = source; y < visible.height; y++) {
      let to = first + y * tensor.width * step;
      for (let x = 0; x < visible.width; x++, from += 3, to += step) {
        values[to] = levels[visible.pixels[from]!]!;
      }
    }
  }
  return values;
}

/** The tensor's value of each of the 256 levels of a channel, rounded once, to float32. */
function levelsOf({ scale, mean, std }: Preprocess, channel: number): Float32Array {
  return Float32Array.from(
    { length: 256 },
    (_, level) => (level * scale - mean[channel]!) / std[channel]!,
  );
}
