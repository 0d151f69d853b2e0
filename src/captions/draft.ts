import type { Measures } from "../imaging/measures.ts";
import type { Profile } from "./caption.ts";

/** What is known of a picture without a model that sees. */
export interface Measured {
  /** Pixels, upright. */
  readonly width: number;
  readonly height: number;
  readonly content: Pick<
    Measures,
    "brightness" | "contrast" | "colourfulness" | "dominant_colours"
  >;
  /** Labels with counts; empty without a detector. */
  readonly objects: Readonly<Record<string, number>>;
  /** The likeliest scene label; null without a model. */
  readonly scene: string | null;
  readonly faces: number;
}

type Fact = "subject" | "framing" | "light" | "colours" | "people";

/** Which measurement a slot wants, by the words in its name and its description. */
const wants: readonly (readonly [Fact, RegExp])[] = [
  ["light", /light|lit\b|shadow|exposure/i],
  ["people", /people|person|activit|pose|expression|gaze/i],
  ["colours", /colou?r|material|palette|tone|cloth/i],
  ["framing", /view|fram|angle|composition|perspective|crop/i],
  ["subject", /./],
];

/** Fills a profile's slots from measurements. A slot that nothing is known of says so. */
export function draftSlots(profile: Profile, measured: Measured): Record<string, string> {
  const slots: Record<string, string> = {};
  const used = new Set<string>();
  for (const { name, about, is_optional } of profile.slots) {
    const fact = wants.find(([, words]) => words.test(name))?.[0] ??
      wants.find(([, words]) => words.test(about))![0];
    const exact = wants.slice(0, -1).some(([, words]) => words.test(name)) ? fact : undefined;
    const phrase = phraseOf(exact ?? fact, measured);
    const isNew = phrase !== "" && !used.has(phrase);
    if (isNew) used.add(phrase);
    slots[name] = isNew
      ? phrase
      : is_optional
      ? ""
      : `${name.replaceAll("_", " ")} to be described`;
  }
  return slots;
}

function phraseOf(fact: Fact, measured: Measured): string {
  switch (fact) {
    case "subject":
      return subjectOf(measured);
    case "framing":
      return framingOf(measured);
    case "light":
      return lightOf(measured.content);
    case "colours":
      return coloursOf(measured.content);
    case "people":
      return peopleOf(measured);
  }
}

function subjectOf({ objects, scene }: Measured): string {
  const things = Object.entries(objects).filter(([label]) => label !== "person")
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 3)
    .map(([label, count]) => counted(label, count));
  return [...scene === null ? [] : [scene], ...things].join(", ");
}

function peopleOf({ objects, faces }: Measured): string {
  const people = Math.max(objects["person"] ?? 0, faces);
  return people === 0 ? "" : counted("person", people);
}

function framingOf({ width, height }: Measured): string {
  const ratio = width / height;
  if (ratio > 1.9) return "panoramic view";
  if (ratio > 1.1) return "landscape view";
  return ratio < 0.9 ? "upright view" : "square view";
}

function lightOf({ brightness, contrast }: Measured["content"]): string {
  const level = brightness < 0.25 ? "dim" : brightness < 0.6 ? "moderate" : "bright";
  return `${level} ${contrast > 0.25 ? "light with deep shadows" : "even light"}`;
}

function coloursOf({ dominant_colours, colourfulness }: Measured["content"]): string {
  const names = [
    ...new Set(
      dominant_colours.filter(({ share }) => share > 0.05).map(({ colour }) => nameOf(colour)),
    ),
  ];
  if (names.length === 0) return "";
  const tones = colourfulness < 10 ? "muted tones" : "tones";
  return `${names.slice(0, 3).join(" and ")} ${tones}`;
}

/** The English basic colour term (Berlin and Kay) that a colour falls under, by hue and lightness. */
function nameOf(hex: string): string {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255) as [
    number,
    number,
    number,
  ];
  const [most, least] = [Math.max(red, green, blue), Math.min(red, green, blue)];
  const lightness = (most + least) / 2;
  const chroma = most - least;
  if (lightness < 0.12) return "black";
  if (chroma < 0.1) return lightness > 0.85 ? "white" : "grey";
  const sector = most === red
    ? ((green - blue) / chroma + 6) % 6
    : most === green
    ? (blue - red) / chroma + 2
    : (red - green) / chroma + 4;
  const hue = sector * 60;
  if (hue < 15 || hue >= 335) return lightness > 0.7 ? "pink" : "red";
  if (hue < 50) return lightness < 0.5 ? "brown" : hue < 40 ? "orange" : "yellow";
  if (hue < 70) return lightness < 0.35 ? "olive" : "yellow";
  if (hue < 170) return "green";
  return hue < 260 ? "blue" : "purple";
}

function counted(label: string, count: number): string {
  if (label === "person") return count === 1 ? "one person" : `${count} people`;
  return count === 1 ? `a ${label}`.replace(/^a (?=[aeiou])/, "an ") : `${count} × ${label}`;
}
