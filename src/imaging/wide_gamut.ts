import type { CodedColours } from "./heif_boxes.ts";

/** Colours wider than those of sRGB, of a picture that has code points in place of a profile. */
export interface WideGamut {
  readonly name: string;
  /** X, Y, Z of red, green and blue, adapted to D50 by Bradford, as profiles hold them. */
  readonly colorants: readonly (readonly [x: number, y: number, z: number])[];
}

/** By `colour_primaries` of ITU-T H.273, table 2: 9 of BT.2020, 12 of SMPTE EG 432-1. */
const gamuts: Readonly<Record<number, WideGamut>> = {
  9: {
    name: "Rec. 2020",
    colorants: [
      [0.67348, 0.27904, -0.00194],
      [0.16566, 0.67534, 0.02998],
      [0.12505, 0.04561, 0.79686],
    ],
  },
  12: {
    name: "Display P3",
    colorants: [
      [0.51512, 0.2412, -0.00105],
      [0.29198, 0.69225, 0.04189],
      [0.1571, 0.06657, 0.78407],
    ],
  },
};

/** By `transfer_characteristics`, table 3. */
const hdrTransfers: Readonly<Record<number, string>> = { 16: "PQ", 18: "HLG" };

/** Undefined for sRGB, for what is no wider, and for what is not said. */
export function wideGamutOf(colours: CodedColours | undefined): WideGamut | undefined {
  return colours && gamuts[colours.primaries];
}

/** What is not done justice to: the brightness of HDR is read as sRGB's. */
export function coloursWarning(colours: CodedColours | undefined): string | undefined {
  const name = colours && hdrTransfers[colours.transfer];
  return name && `its HDR brightness (${name}) is taken for that of sRGB`;
}

/**
 * An ICC profile of version 4 (ICC.1:2022) with the tone curve of sRGB, in which cameras code these
 * colours; libvips has none for code points.
 */
export function wideGamutProfile({ name, colorants }: WideGamut): Uint8Array {
  const tags: readonly (readonly [name: string, content: Uint8Array])[] = [
    ["desc", described(name)],
    ["wtpt", xyz([0.9642, 1, 0.8249])],
    ...["rXYZ", "gXYZ", "bXYZ"].map((tag, at) => [tag, xyz(colorants[at]!)] as const),
    ...["rTRC", "gTRC", "bTRC"].map((tag) => [tag, srgbCurve] as const),
  ];
  const start = 132 + tags.length * 12;
  const size = tags.reduce((sum, [, content]) => sum + content.length, start);
  const profile = new Uint8Array(size);
  const view = new DataView(profile.buffer);
  const write = (at: number, text: string) => profile.set(letters(text), at);
  view.setUint32(0, size);
  view.setUint32(8, 0x04400000);
  write(12, "mntrRGB XYZ ");
  write(36, "acsp");
  [0.9642, 1, 0.8249].forEach((value, at) => view.setInt32(68 + at * 4, fixed(value)));
  view.setUint32(128, tags.length);
  let at = start;
  tags.forEach(([tag, content], index) => {
    write(132 + index * 12, tag);
    view.setUint32(136 + index * 12, at);
    view.setUint32(140 + index * 12, content.length);
    profile.set(content, at);
    at += content.length;
  });
  return profile;
}

/** A text in one language, US English, padded to whole words. */
function described(text: string): Uint8Array {
  const content = new Uint8Array(28 + 4 * Math.ceil(text.length / 2));
  const view = new DataView(content.buffer);
  content.set(letters("mluc"));
  view.setUint32(8, 1);
  view.setUint32(12, 12);
  content.set(letters("enUS"), 16);
  view.setUint32(20, text.length * 2);
  view.setUint32(24, 28);
  letters(text).forEach((letter, at) => view.setUint16(28 + at * 2, letter));
  return content;
}

function xyz(values: readonly number[]): Uint8Array {
  return numbered("XYZ ", [0, ...values.map(fixed)]);
}

/** IEC 61966-2-1, as a parametric curve of type 3. */
const srgbCurve = numbered("para", [
  0,
  3 << 16,
  ...[2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045].map(fixed),
]);

function numbered(type: string, numbers: readonly number[]): Uint8Array {
  const content = new Uint8Array(4 + numbers.length * 4);
  const view = new DataView(content.buffer);
  content.set(letters(type));
  numbers.forEach((number, at) => view.setInt32(4 + at * 4, number));
  return content;
}

/** An s15Fixed16Number. */
function fixed(value: number): number {
  return Math.round(value * 65536);
}

function letters(text: string): number[] {
  return [...text].map((letter) => letter.charCodeAt(0));
}
