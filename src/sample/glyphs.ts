/**
 * A hand-drawn alphabet of strokes, so that text looks the same where no fonts are installed. Units:
 * capitals are 14 high, small letters 10, the baseline is y = 14; SVG path syntax.
 */
const GLYPHS: Readonly<Record<string, readonly [width: number, path: string]>> = {
  a: [8, "M8 4V14M8 9A4 5 0 1 1 0 9A4 5 0 1 1 8 9"],
  b: [8, "M0 0V14M0 9A4 5 0 1 1 8 9A4 5 0 1 1 0 9"],
  c: [7.2, "M7.2 5.9A4.2 5 0 1 0 7.2 12.1"],
  d: [8, "M8 0V14M8 9A4 5 0 1 1 0 9A4 5 0 1 1 8 9"],
  e: [8, "M0 9H8A4 5 0 1 0 7 12.3"],
  f: [5, "M5.5 .4A3 3.2 0 0 0 2 3.5V14M0 4H5"],
  g: [8, "M8 4V15A4 3.6 0 0 1 .6 16.6M8 9A4 5 0 1 1 0 9A4 5 0 1 1 8 9"],
  h: [8, "M0 0V14M0 8A4 4 0 0 1 8 8V14"],
  i: [0.4, "M.2 4V14M.2 .5V.9"],
  j: [2.4, "M2.2 4V15.5A2.5 2.8 0 0 1 0 18.2M2.2 .5V.9"],
  k: [7.4, "M0 0V14M7 4L0 10.2M2.7 7.8L7.4 14"],
  l: [0.4, "M.2 0V14"],
  m: [13, "M0 4V14M0 7.6A3.25 3.6 0 0 1 6.5 7.6V14M6.5 7.6A3.25 3.6 0 0 1 13 7.6V14"],
  n: [8, "M0 4V14M0 8A4 4 0 0 1 8 8V14"],
  o: [8.4, "M8.4 9A4.2 5 0 1 1 0 9A4.2 5 0 1 1 8.4 9"],
  p: [8, "M0 4V18.6M0 9A4 5 0 1 1 8 9A4 5 0 1 1 0 9"],
  q: [8, "M8 4V18.6M8 9A4 5 0 1 1 0 9A4 5 0 1 1 8 9"],
  r: [4.8, "M0 4V14M0 8.4A4.4 4.4 0 0 1 4.8 4.1"],
  s: [6.8, "M6.6 5.6A3.4 2.5 0 1 0 3.4 9A3.4 2.5 0 1 1 .1 12.3"],
  t: [5.4, "M2.2 1V11A3 3 0 0 0 5.4 13.9M0 4H5.2"],
  u: [8, "M0 4V10A4 4 0 0 0 8 10M8 4V14"],
  v: [8, "M0 4L4 14L8 4"],
  w: [12, "M0 4L3 14L6 4L9 14L12 4"],
  x: [7.6, "M0 4L7.6 14M7.6 4L0 14"],
  y: [8, "M0 4L4.1 13.6M8 4L2.6 18.4"],
  z: [7.2, "M0 4H7.2L0 14H7.2"],
  A: [10, "M0 14L5 0L10 14M1.8 9.2H8.2"],
  B: [8.6, "M0 0V14H4.8A3.7 3.6 0 0 0 4.8 6.8H0M0 0H4.4A3.4 3.4 0 0 1 4.4 6.8"],
  C: [10, "M10 3A6 7 0 1 0 10 11"],
  D: [10, "M0 0V14H3.5A6.5 7 0 0 0 3.5 0H0"],
  E: [7.6, "M7.6 0H0V14H7.6M0 7H6.4"],
  F: [7.6, "M7.6 0H0V14M0 7H6.2"],
  G: [11, "M10 3A6 7 0 1 0 11 7.6H6.6"],
  H: [9.4, "M0 0V14M9.4 0V14M0 7H9.4"],
  I: [0.4, "M.2 0V14"],
  J: [5.6, "M5.6 0V10A2.9 4 0 0 1 0 11"],
  K: [9, "M0 0V14M8.8 0L0 9M3.3 5.7L9 14"],
  L: [7.2, "M0 0V14H7.2"],
  M: [12, "M0 14V0L6 9.5L12 0V14"],
  N: [9.6, "M0 14V0L9.6 14V0"],
  O: [12, "M12 7A6 7 0 1 1 0 7A6 7 0 1 1 12 7"],
  P: [8.6, "M0 14V0H4.7A3.9 3.9 0 0 1 4.7 7.8H0"],
  Q: [12, "M12 7A6 7 0 1 1 0 7A6 7 0 1 1 12 7M7.4 10.4L12 15"],
  R: [9, "M0 14V0H4.7A3.9 3.9 0 0 1 4.7 7.8H0M4.5 7.8L9 14"],
  S: [9, "M8.6 2.5A4.3 3.5 0 1 0 4.5 7A4.4 3.5 0 1 1 .2 11.4"],
  T: [10, "M0 0H10M5 0V14"],
  U: [9.6, "M0 0V9A4.8 5 0 0 0 9.6 9V0"],
  V: [10, "M0 0L5 14L10 0"],
  W: [14.4, "M0 0L3.6 14L7.2 1L10.8 14L14.4 0"],
  X: [9.4, "M0 0L9.4 14M9.4 0L0 14"],
  Y: [9.6, "M0 0L4.8 7.4V14M9.6 0L4.8 7.4"],
  Z: [9, "M0 0H9L0 14H9"],
  0: [8, "M8 7A4 7 0 1 1 0 7A4 7 0 1 1 8 7"],
  1: [5, "M.6 3L4.6 0V14"],
  2: [8, "M.3 3.6A3.8 3.7 0 1 1 7 6.2L0 14H8"],
  3: [7.8, "M.6 2.2A3.6 3.4 0 1 1 3.8 6.8A3.9 3.6 0 1 1 .2 11.8"],
  4: [8.4, "M6.2 14V0L0 10H8.4"],
  5: [8, "M7.4 0H1.2L.6 6.4A4.2 4.2 0 1 1 .3 12.1"],
  6: [8, "M6.8 .8A9 9.4 0 0 0 0 9.8A4 4.2 0 1 0 8 9.8A4 4.2 0 1 0 0 9.8"],
  7: [8, "M0 0H8L2.6 14"],
  8: [8, "M4 6.6A3.4 3.3 0 1 1 4.02 6.6M4 6.6A4 3.7 0 1 0 4.02 6.6"],
  9: [8, "M8 4.2A4 4.2 0 1 0 0 4.2A4 4.2 0 1 0 8 4.2A9 9.4 0 0 1 1.2 13.2"],
  ".": [0.4, "M.2 13.6V14"],
  ",": [0.8, "M.7 13.5L.1 16"],
  ":": [0.4, "M.2 5.6V6M.2 13.6V14"],
  ";": [0.8, "M.7 5.6V6M.7 13.5L.1 16"],
  "-": [4.6, "M0 9H4.6"],
  "–": [8, "M0 9H8"],
  "'": [0.4, "M.2 0V3"],
  "(": [3, "M3 -1A11 11 0 0 0 3 17"],
  ")": [3, "M0 -1A11 11 0 0 1 0 17"],
  "/": [5, "M5 -1L0 16"],
  "%": [11, "M9.6 0L1.4 14M4 3A2 3 0 1 1 0 3A2 3 0 1 1 4 3M11 11A2 3 0 1 1 7 11A2 3 0 1 1 11 11"],
  "°": [3.6, "M3.6 2A1.8 2 0 1 1 0 2A1.8 2 0 1 1 3.6 2"],
  "×": [6, "M0 6L6 12M6 6L0 12"],
  "=": [7, "M0 7H7M0 11H7"],
  "?": [7, "M.2 3.4A3.5 3.5 0 1 1 3.6 7.2V10M3.6 13.6V14"],
  "!": [0.4, "M.2 0V10M.2 13.6V14"],
};

const TRACKING = 3.4;
const SPACE = 3.4;
/** Height of a capital in glyph units. */
const CAPITAL = 14;

/** One line of text to draw. */
export interface TextLine {
  readonly text: string;
  /** Left edge, or the middle or right edge by `anchor`. */
  readonly x: number;
  /** The baseline. */
  readonly y: number;
  /** Height of a capital. */
  readonly size: number;
  /** Width of the strokes beside the size; default 0.11. */
  readonly weight?: number;
  readonly colour?: string;
  readonly anchor?: "start" | "middle" | "end";
}

/** Width of a text, in the units of `size` (the height of a capital). */
export function textWidth(text: string, size: number): number {
  let units = 0;
  for (const character of text) units += advance(character);
  return (units - TRACKING) * size / CAPITAL;
}

function advance(character: string): number {
  return character === " " ? SPACE + TRACKING : glyph(character)[0] + TRACKING;
}

function glyph(character: string): readonly [width: number, path: string] {
  const found = GLYPHS[character];
  if (found === undefined) throw new Error(`Cannot draw "${character}": no such glyph (add it)`);
  return found;
}

/** A line of text as an SVG group of strokes. */
export function svgText(line: TextLine): string {
  const { text, size, weight = 0.11, colour = "#1c1b1a", anchor = "start" } = line;
  const width = textWidth(text, size);
  const left = line.x - (anchor === "start" ? 0 : anchor === "middle" ? width / 2 : width);
  const scale = size / CAPITAL;
  let at = 0;
  const paths: string[] = [];
  for (const character of text) {
    if (character !== " ") {
      paths.push(`<path transform="translate(${fixed(at)} 0)" d="${glyph(character)[1]}"/>`);
    }
    at += advance(character);
  }
  const transform = `translate(${fixed(left)} ${fixed(line.y - size)}) scale(${fixed(scale)})`;
  return `<g transform="${transform}" fill="none" stroke="${colour}" stroke-linecap="round" ` +
    `stroke-linejoin="round" stroke-width="${fixed(weight * CAPITAL)}">${paths.join("")}</g>`;
}

/** Words in lines no wider than `width`. */
export function wrappedText(text: string, size: number, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (textWidth(longer, size) <= width) {
      line = longer;
    } else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function fixed(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}
