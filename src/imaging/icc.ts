import { latin1 } from "./wording.ts";

/** What an ICC profile is for. */
export interface IccReading {
  /** Its own name, such as "Display P3"; "" when it has none. */
  readonly description: string;
  /** The colours it describes. */
  readonly colours: "rgb" | "grey" | "cmyk" | "other";
  /** Whether applying it would give the same pixels as leaving it out, to within 1 of 255. */
  readonly isSrgb: boolean;
}

interface IccTag {
  readonly offset: number;
  readonly size: number;
}

/**
 * Reads an ICC profile (ICC.1:2022). Undefined when it is no usable profile, in which case decoders
 * leave it out too.
 */
export function readIcc(profile: Uint8Array): IccReading | undefined {
  if (profile.length < 132 || latin1(profile, 36, 40) !== "acsp") return undefined;
  const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength);
  const tags = tagTable(profile, view);
  if (tags === undefined) return undefined;
  const colours = coloursOf(latin1(profile, 16, 20));
  const isSrgb = colours === "rgb" && !tags.has("A2B0") && hasSrgbColorants(view, tags) &&
    ["rTRC", "gTRC", "bTRC"].every((name) => isSrgbCurve(view, tags.get(name)));
  return { description: descriptionOf(profile, view, tags.get("desc")), colours, isSrgb };
}

function coloursOf(signature: string): IccReading["colours"] {
  if (signature === "RGB ") return "rgb";
  if (signature === "GRAY") return "grey";
  return signature === "CMYK" ? "cmyk" : "other";
}

function tagTable(profile: Uint8Array, view: DataView): Map<string, IccTag> | undefined {
  const count = view.getUint32(128);
  if (132 + count * 12 > profile.length) return undefined;
  const tags = new Map<string, IccTag>();
  for (let at = 132; at < 132 + count * 12; at += 12) {
    const tag = { offset: view.getUint32(at + 4), size: view.getUint32(at + 8) };
    if (tag.size < 8 || tag.offset + tag.size > profile.length) return undefined;
    tags.set(latin1(profile, at, at + 4), tag);
  }
  return tags;
}

function descriptionOf(profile: Uint8Array, view: DataView, tag: IccTag | undefined): string {
  if (tag === undefined || tag.size < 28) return "";
  const end = tag.offset + tag.size;
  if (latin1(profile, tag.offset, tag.offset + 4) === "mluc") {
    const start = tag.offset + view.getUint32(tag.offset + 24);
    const length = view.getUint32(tag.offset + 20);
    if (start + length > end) return "";
    return new TextDecoder("utf-16be").decode(profile.subarray(start, start + length)).trim();
  }
  const length = view.getUint32(tag.offset + 8);
  const start = tag.offset + 12;
  return latin1(profile, start, Math.min(end, start + length)).replace(/\0.*$/s, "").trim();
}

/** X, Y, Z of the primaries of IEC 61966-2-1, adapted to D50 by Bradford, as profiles hold them. */
const srgbColorants: Readonly<Record<string, readonly number[]>> = {
  rXYZ: [0.43607, 0.22249, 0.01392],
  gXYZ: [0.38515, 0.71687, 0.09708],
  bXYZ: [0.14307, 0.06061, 0.71410],
};

/** The sRGB profiles of HP, Microsoft, Google, Apple and lcms differ from these by at most 0.0011. */
const colorantTolerance = 0.002;

function hasSrgbColorants(view: DataView, tags: ReadonlyMap<string, IccTag>): boolean {
  return Object.entries(srgbColorants).every(([name, wanted]) => {
    const tag = tags.get(name);
    if (tag === undefined || tag.size < 20) return false;
    return wanted.every((value, index) => {
      const stored = fixed(view, tag.offset + 8 + index * 4);
      return Math.abs(stored - value) <= colorantTolerance;
    });
  });
}

/** An s15Fixed16Number. */
function fixed(view: DataView, at: number): number {
  return view.getInt32(at) / 65536;
}

/** Half a step of 255, at the steepest part of the curve (2.28): smaller errors round away. */
const curveTolerance = 0.5 / 255;

/** Whether a tone curve is that of sRGB: a `para` of type 3 or 4, or a `curv` table. */
function isSrgbCurve(view: DataView, tag: IccTag | undefined): boolean {
  const curve = tag && curveOf(view, tag);
  if (curve === undefined) return false;
  for (let level = 0; level <= 255; level += 5) {
    const wanted = srgbToLinear(level / 255);
    if (Math.abs(curve(level / 255) - wanted) > curveTolerance) return false;
  }
  return true;
}

function srgbToLinear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function curveOf(view: DataView, tag: IccTag): ((value: number) => number) | undefined {
  const type = view.getUint32(tag.offset);
  if (type === 0x70617261) return parametricCurve(view, tag);
  if (type !== 0x63757276 || tag.size < 12) return undefined;
  const count = view.getUint32(tag.offset + 8);
  if (count < 2 || tag.size < 12 + count * 2) return undefined;
  return (value) => {
    const at = value * (count - 1);
    const left = Math.min(count - 2, Math.floor(at));
    const sample = (index: number) => view.getUint16(tag.offset + 12 + index * 2) / 65535;
    return sample(left) + (sample(left + 1) - sample(left)) * (at - left);
  };
}

/** ICC.1:2022, table 68: `(a x + b)^g + e` from d on, `c x + f` below. */
function parametricCurve(view: DataView, tag: IccTag): ((value: number) => number) | undefined {
  const type = view.getUint16(tag.offset + 8);
  const count = type === 3 ? 5 : type === 4 ? 7 : 0;
  if (count === 0 || tag.size < 12 + count * 4) return undefined;
  const numbers = Array.from({ length: count }, (_, at) => fixed(view, tag.offset + 12 + at * 4));
  const [g = 1, a = 1, b = 0, c = 0, d = 0, e = 0, f = 0] = numbers;
  return (value) => value >= d ? (a * value + b) ** g + e : c * value + f;
}
