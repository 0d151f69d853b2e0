/** A colour in linear light, sRGB primaries; 1 is paper white, lamps and the sun are brighter. */
export type Colour = readonly [red: number, green: number, blue: number];

/** A picture being painted: linear light, interleaved, row-major, height × width × 3. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixels: Float32Array;
  /** How opaque each pixel is, 0 to 1, height × width. Absent: all is opaque. */
  readonly alpha?: Float32Array;
}

/** Writes a colour into `out` for a place: y is 0 (top) to 1, x is 0 to width / height. */
export type Shade = (x: number, y: number, out: Float32Array) => void;

/** A black canvas. */
export function newCanvas(width: number, height: number): Canvas {
  return { width, height, pixels: new Float32Array(width * height * 3) };
}

/** A linear colour from six hexadecimal sRGB digits, such as `"ffcc88"`. */
export function colour(hex: string): Colour {
  const channel = (at: number): number => {
    const encoded = parseInt(hex.slice(at, at + 2), 16) / 255;
    return encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
  };
  return [channel(0), channel(2), channel(4)];
}

/** The colour between two, `ratio` 0 to 1. */
export function mixed(from: Colour, to: Colour, ratio: number): Colour {
  const between = (a: number, b: number): number => a + (b - a) * ratio;
  return [between(from[0], to[0]), between(from[1], to[1]), between(from[2], to[2])];
}

/** A colour made brighter or darker. */
export function scaled(base: Colour, factor: number): Colour {
  return [base[0] * factor, base[1] * factor, base[2] * factor];
}

/** Sets `out` to a colour times a factor. */
export function put(out: Float32Array, value: Colour, factor = 1): void {
  out[0] = value[0] * factor;
  out[1] = value[1] * factor;
  out[2] = value[2] * factor;
}

/** Moves `out` towards a colour, `ratio` 0 to 1. */
export function blend(out: Float32Array, value: Colour, ratio: number): void {
  out[0]! += (value[0] - out[0]!) * ratio;
  out[1]! += (value[1] - out[1]!) * ratio;
  out[2]! += (value[2] - out[2]!) * ratio;
}

/** Adds light to `out`. */
export function add(out: Float32Array, value: Colour, factor: number): void {
  out[0]! += value[0] * factor;
  out[1]! += value[1] * factor;
  out[2]! += value[2] * factor;
}

export function clamp01(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

/** 0 below `low`, 1 above `high`, smooth between; `low` may be the larger, which turns it round. */
export function smoothstep(low: number, high: number, value: number): number {
  const ratio = clamp01((value - low) / (high - low));
  return ratio * ratio * (3 - 2 * ratio);
}

/** Paints the rows from `top` to `bottom` (0 to 1) anew; `out` comes in as what is there already. */
export function paint(canvas: Canvas, shade: Shade, top = 0, bottom = 1): void {
  const halfWidth = canvas.width / canvas.height / 2;
  const box = { x: halfWidth, halfWidth, y: (top + bottom) / 2, halfHeight: (bottom - top) / 2 };
  paintBox(canvas, box, shade);
}

/** A box on a canvas in canvas heights: where something is drawn. */
export interface Box {
  readonly x: number;
  readonly y: number;
  /** Half the width and half the height. */
  readonly halfWidth: number;
  readonly halfHeight: number;
}

/** Like `paint`, within a box only; what lies outside the canvas is left out. */
export function paintBox(canvas: Canvas, box: Box, shade: Shade): void {
  const { width, height, pixels } = canvas;
  const out = new Float32Array(3);
  const left = Math.max(0, Math.floor((box.x - box.halfWidth) * height));
  const right = Math.min(width, Math.ceil((box.x + box.halfWidth) * height));
  const top = Math.max(0, Math.floor((box.y - box.halfHeight) * height));
  const bottom = Math.min(height, Math.ceil((box.y + box.halfHeight) * height));
  for (let row = top; row < bottom; row++) {
    const y = (row + 0.5) / height;
    let index = (row * width + left) * 3;
    for (let column = left; column < right; column++, index += 3) {
      out[0] = pixels[index]!;
      out[1] = pixels[index + 1]!;
      out[2] = pixels[index + 2]!;
      shade((column + 0.5) / height, y, out);
      pixels[index] = out[0]!;
      pixels[index + 1] = out[1]!;
      pixels[index + 2] = out[2]!;
    }
  }
}

/** An ellipse turned by `angle` (radians, clockwise as seen). */
export interface Ellipse extends Pick<Box, "x" | "y"> {
  readonly radius: number;
  /** The other radius beside the first. */
  readonly aspect?: number;
  readonly angle?: number;
  /** How wide the edge is beside the radius: small is sharp. One pixel at least. */
  readonly softness?: number;
}

/** Paints within an ellipse: `shade` gets how much of the pixel is covered, 0 to 1, and the place. */
export function paintEllipse(
  canvas: Canvas,
  ellipse: Ellipse,
  shade: (cover: number, u: number, v: number, out: Float32Array) => void,
): void {
  const { x, y, radius, aspect = 1, angle = 0 } = ellipse;
  const edge = Math.max(ellipse.softness ?? 0, 1 / (canvas.height * radius));
  const reach = radius * (1 + edge / 2);
  const box = {
    x,
    y,
    halfWidth: reach * Math.hypot(Math.cos(angle), aspect * Math.sin(angle)),
    halfHeight: reach * Math.hypot(Math.sin(angle), aspect * Math.cos(angle)),
  };
  const cos = Math.cos(angle) / radius, sin = Math.sin(angle) / radius;
  paintBox(canvas, box, (px, py, out) => {
    const u = (px - x) * cos + (py - y) * sin;
    const v = ((py - y) * cos - (px - x) * sin) / aspect;
    const distance = Math.sqrt(u * u + v * v);
    const cover = clamp01(0.5 + (1 - distance) / edge);
    if (cover > 0) shade(cover, u, v, out);
  });
}

/** Lays a flat colour on an ellipse. */
export function fillEllipse(canvas: Canvas, ellipse: Ellipse, fill: Colour, opacity = 1): void {
  paintEllipse(canvas, ellipse, (cover, _u, _v, out) => blend(out, fill, cover * opacity));
}
