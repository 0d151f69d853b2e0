import { svgText } from "../glyphs.ts";
import type { Drawing } from "../scene.ts";

const WIDTH = 1200, HEIGHT = 800, AXIS = 400;
const TREE = { x: 190, half: 150 }, LENS = 640, PLATE = 950;
/** The image is as much smaller as it is nearer to the lens. */
const IMAGE = TREE.half * (PLATE - LENS) / (LENS - TREE.x);

/** How a view camera throws its picture on the plate: black lines on white. */
export const diagram: Drawing = {
  kind: "line_art",
  svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<g fill="none" stroke="#000" stroke-width="3" stroke-linejoin="round" stroke-linecap="round">
${tree(TREE.x, AXIS, TREE.half)}${tree(PLATE - 6, AXIS, -IMAGE)}${camera()}${rays()}${measures()}
</g>${labels()}</svg>`,
};

/** A tree that is `half` high above the axis and below it; a negative height turns it over. */
function tree(x: number, y: number, half: number): string {
  const unit = half / 150;
  return `<path transform="translate(${x} ${y}) scale(${Math.abs(unit)} ${unit})" d="M-14 150V40` +
    `M14 150V40M-60 150H60M0 40V-30M0 20L-34-14M0 0L36-34M-14 40C-90 60-120-10-84-44` +
    `C-100-110-40-150 0-150C50-150 96-110 80-48C120-10 90 60 14 40Z"/>`;
}

function camera(): string {
  const folds = Array.from({ length: 9 }, (_, index) => {
    const x = 676 + index * 27, reach = 92 + index * 8;
    return `M${x} ${AXIS - reach}L${x + 13} ${AXIS - reach + 22}L${x + 27} ${AXIS - reach - 8}` +
      `M${x} ${AXIS + reach}L${x + 13} ${AXIS + reach - 22}L${x + 27} ${AXIS + reach + 8}`;
  });
  return `<path d="M660 ${AXIS - 110}H676V${AXIS + 110}H660Z"/><path d="${folds.join("")}"/>` +
    `<path d="M919 ${AXIS - 200}H${PLATE + 26}V${AXIS + 200}H919Z"/>` +
    `<path stroke-width="7" d="M${PLATE} ${AXIS - 160}V${AXIS + 160}"/>` +
    `<path d="M${LENS} ${AXIS - 74}C${LENS + 30} ${AXIS - 30} ${LENS + 30} ${AXIS + 30} ${LENS} ` +
    `${AXIS + 74}C${LENS - 30} ${AXIS + 30} ${LENS - 30} ${AXIS - 30} ${LENS} ${AXIS - 74}Z"/>` +
    `<path d="M620 ${AXIS - 84}H660M620 ${AXIS + 84}H660"/>` +
    `<path d="M640 620H985M668 ${AXIS + 110}V620M950 ${
      AXIS + 200
    }V620M720 620L640 770M900 620L985 770"/>`;
}

function rays(): string {
  const [top, bottom] = [AXIS - TREE.half, AXIS + TREE.half];
  return `<path stroke-width="1.6" stroke-dasharray="14 8" d="M60 ${AXIS}H1140"/>` +
    `<path stroke-width="1.8" d="M${TREE.x} ${top}L${PLATE} ${AXIS + IMAGE}M${TREE.x} ${bottom}` +
    `L${PLATE} ${AXIS - IMAGE}M${TREE.x} ${top}L${LENS} ${AXIS - 60}L${PLATE} ${AXIS + IMAGE}` +
    `M${TREE.x} ${bottom}L${LENS} ${AXIS + 60}L${PLATE} ${AXIS - IMAGE}"/>`;
}

function measures(): string {
  const arrow = (left: number, right: number, y: number): string =>
    `M${left} ${y}H${right}M${left + 14} ${y - 7}L${left} ${y}L${left + 14} ${y + 7}` +
    `M${right - 14} ${y - 7}L${right} ${y}L${right - 14} ${y + 7}`;
  return `<path stroke-width="1.8" d="M${TREE.x} 570V720M${LENS} 490V600M${LENS} 640V720` +
    `M${PLATE} 640V720${arrow(TREE.x, LENS, 700)}${arrow(LENS, PLATE, 700)}"/>`;
}

function labels(): string {
  const label = (text: string, x: number, y: number, size = 17): string =>
    svgText({ text, x, y, size, colour: "#000", anchor: "middle" });
  return label("Fig. 3  The view camera", 600, 80, 26) +
    label("subject", TREE.x, 220) + label("lens", 600, 262) + label("bellows", 790, 218) +
    label("plate", PLATE, 176) + label("image", 1040, 520) + label("u = 450", 415, 740) +
    label("v = 310", 795, 740) + label("axis", 1110, 388);
}
