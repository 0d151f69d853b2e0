import { bigEndian, joined } from "./pictures.ts";

type Triple = readonly [number, number, number];

/** Colorants of Display P3 adapted to D50, as Apple's profile has them. */
export const P3_COLORANTS: readonly [Triple, Triple, Triple] = [
  [0.51512, 0.2412, -0.00105],
  [0.29198, 0.69225, 0.04189],
  [0.1571, 0.06657, 0.78407],
];

export const SRGB_COLORANTS: readonly [Triple, Triple, Triple] = [
  [0.43607, 0.22249, 0.01392],
  [0.38515, 0.71687, 0.09708],
  [0.14307, 0.06061, 0.7141],
];

/** The sRGB tone curve as a parametric curve of type 3. */
export const SRGB_CURVE = curve(3, [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]);
/** A pure power. */
export const gammaCurve = (gamma: number) => curve(0, [gamma]);

/** A version 4 display profile for RGB. */
export function rgbProfile(colorants: typeof P3_COLORANTS, tone: Uint8Array): Uint8Array {
  const [red, green, blue] = colorants;
  return profile("RGB ", {
    rXYZ: xyz(red),
    gXYZ: xyz(green),
    bXYZ: xyz(blue),
    rTRC: tone,
    gTRC: tone,
    bTRC: tone,
  });
}

/** A version 4 display profile for grey. */
export function greyProfile(tone: Uint8Array): Uint8Array {
  return profile("GRAY", { kTRC: tone });
}

function profile(colours: string, tags: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const all = {
    desc: text("Made here"),
    cprt: text("None"),
    wtpt: xyz([0.9642, 1, 0.8249]),
    ...tags,
  };
  const entries = Object.entries(all);
  let offset = 132 + entries.length * 12;
  const table = entries.map(([name, content]) => {
    const entry = joined(name, bigEndian(offset, 4), bigEndian(content.length, 4));
    offset += content.length;
    return entry;
  });
  const header = joined(
    bigEndian(offset, 4),
    [0, 0, 0, 0, 4, 0x30, 0, 0],
    `mntr${colours}XYZ `,
    new Uint8Array(12),
    "acsp",
    new Uint8Array(28),
    fixed(0.9642),
    fixed(1),
    fixed(0.8249),
    new Uint8Array(48),
  );
  return joined(header, bigEndian(entries.length, 4), ...table, ...Object.values(all));
}

function fixed(value: number): number[] {
  const scaled = Math.round(value * 65536);
  return bigEndian(scaled < 0 ? scaled + 2 ** 32 : scaled, 4);
}

function xyz(values: readonly number[]): Uint8Array {
  return joined("XYZ ", [0, 0, 0, 0], ...values.map(fixed));
}

function curve(type: number, parameters: readonly number[]): Uint8Array {
  return joined("para", [0, 0, 0, 0, 0, type, 0, 0], ...parameters.map(fixed));
}

function text(value: string): Uint8Array {
  const wide = [...value].flatMap((char) => [0, char.charCodeAt(0)]);
  const content = joined(
    "mluc",
    [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 12],
    "enUS",
    bigEndian(wide.length, 4),
    bigEndian(28, 4),
    wide,
  );
  return joined(content, new Uint8Array((4 - content.length % 4) % 4));
}
