import { svgText } from "../glyphs.ts";
import type { Drawing } from "../scene.ts";

const WIDTH = 1280, HEIGHT = 800;
const BASE = 660, TOP = 210, LEFT = 130, STEP = 165;
const COLOURS = ["#2a6f97", "#f4a259", "#8cb369"];
const INK = "#22303c";

/** Photos by year and kind, and the share kept (made up). */
const YEARS = [
  { year: "2018", counts: [1200, 420, 150], kept: 0.31 },
  { year: "2019", counts: [1650, 510, 240], kept: 0.36 },
  { year: "2020", counts: [900, 880, 310], kept: 0.52 },
  { year: "2021", counts: [1400, 790, 420], kept: 0.48 },
  { year: "2022", counts: [2100, 640, 380], kept: 0.41 },
  { year: "2023", counts: [2350, 720, 530], kept: 0.57 },
];
const HIGHEST = 2500;

/** A bar chart in flat colours. */
export const chart: Drawing = {
  kind: "graphics",
  svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fdf8ef"/>
<rect width="${WIDTH}" height="18" fill="${COLOURS[0]}"/>
${
    svgText({
      text: "Photos taken, photos kept",
      x: 70,
      y: 105,
      size: 34,
      weight: 0.14,
      colour: INK,
    })
  }
${
    svgText({
      text: "by year, in hundreds; line: share kept",
      x: 70,
      y: 150,
      size: 17,
      colour: "#5b6b78",
    })
  }
${grid()}${bars()}${keptLine()}${legend()}</svg>`,
};

function height(count: number): number {
  return (BASE - TOP) * count / HIGHEST;
}

function grid(): string {
  return [0, 500, 1000, 1500, 2000, 2500].map((count) => {
    const y = BASE - height(count);
    const label = svgText({
      text: String(count / 100),
      x: 110,
      y: y + 7,
      size: 14,
      colour: "#5b6b78",
      anchor: "end",
    });
    return `<path d="M${LEFT} ${y}H1150" stroke="#d9d2c3" stroke-width="2"/>${label}`;
  }).join("");
}

function bars(): string {
  return YEARS.map(({ year, counts }, index) => {
    const left = LEFT + 25 + index * STEP;
    const rects = counts.map((count, at) =>
      `<rect x="${left + at * 40}" y="${BASE - height(count)}" width="36" height="${
        height(count)
      }" ` +
      `fill="${COLOURS[at]}"/>`
    );
    const label = svgText({
      text: year,
      x: left + 58,
      y: BASE + 36,
      size: 17,
      colour: INK,
      anchor: "middle",
    });
    return rects.join("") + label;
  }).join("");
}

function keptLine(): string {
  const points = YEARS.map(({ kept }, index) =>
    [LEFT + 83 + index * STEP, BASE - (BASE - TOP) * kept * 1.6] as const
  );
  const path = points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join("");
  const dots = points.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="9" fill="#bc4b51"/>`);
  return `<path d="${path}" fill="none" stroke="#bc4b51" stroke-width="5"/>${dots.join("")}`;
}

function legend(): string {
  return ["people", "places", "things"].map((text, index) => {
    const x = 760 + index * 150;
    return `<rect x="${x}" y="84" width="22" height="22" fill="${COLOURS[index]}"/>` +
      svgText({ text, x: x + 34, y: 104, size: 16, colour: INK });
  }).join("");
}
