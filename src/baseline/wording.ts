import { grouping } from "../imaging/wording.ts";

/** A number as a sentence has it: whole with commas, else three significant digits. */
export function numberText(value: number): string {
  if (Number.isInteger(value)) return grouping(value);
  return Math.abs(value) >= 1000
    ? grouping(Math.round(value))
    : String(Number(value.toPrecision(3)));
}

/** A ratio in percent: `92 %`, `0.4 %`; never 0 or 100 for what is only nearly so. */
export function percentText(ratio: number): string {
  const percent = ratio * 100;
  if (percent > 0 && percent < 0.1) return "under 0.1 %";
  if (percent < 100 && percent > 99.9) return "over 99.9 %";
  return `${percent < 10 || percent > 99 ? Math.round(percent * 10) / 10 : Math.round(percent)} %`;
}

/** Bytes in the unit that keeps the number short, 1 kB being 1000 bytes. */
export function bytesText(bytes: number): string {
  const [unit, size] = bytes >= 1e9
    ? ["GB", 1e9] as const
    : bytes >= 1e6
    ? ["MB", 1e6] as const
    : bytes >= 1e3
    ? ["kB", 1e3] as const
    : ["bytes", 1] as const;
  return `${numberText(bytes / size)} ${unit}`;
}

/** `1 picture`, `2,000 pictures`. */
export function countText(count: number, noun = "picture"): string {
  return `${grouping(count)} ${noun}${count === 1 ? "" : "s"}`;
}

const units: Readonly<Record<string, string>> = {
  width: "px",
  height: "px",
  long_side: "px",
  short_side: "px",
  megapixels: "MP",
  bits_per_pixel: "bits",
};

/** A value of a measure in its unit: `4,000 px`, `2.1 MB`, `31 %`. */
export function measureText(measure: string, value: number): string {
  if (measure === "bytes") return bytesText(value);
  if (measure.startsWith("clipped") && value >= 0 && value <= 1) return percentText(value);
  const unit = Object.hasOwn(units, measure) ? ` ${units[measure]}` : "";
  return numberText(value) + unit;
}

/** A colour mode of a baseline as its users write it: `RGB of 8 bits`. */
export function colourText(mode: string): string {
  const [space = "", bits] = mode.split(" ");
  const name = space === "rgb" || space === "cmyk" ? space.toUpperCase() : space;
  return bits === undefined ? name : `${name} of ${bits} bits`;
}
