import { svgText, wrappedText } from "../glyphs.ts";
import type { Drawing } from "../scene.ts";

const WIDTH = 1240, HEIGHT = 1754, MARGIN = 150;
const BODY = 18, LEADING = 41;

const TITLE = "How a tintype is made";
const PARAGRAPHS = [
  "A tintype is a photograph on a thin plate of iron, lacquered black. The picture is a veil of silver " +
  "on top: where there is much of it the plate looks light, where there is none the black shows " +
  "through. There is no negative, so every tintype is the only one of its kind.",
  "First the plate is flowed with collodion, a syrup of gun cotton in ether and alcohol, with iodides " +
  "in it. While it is still tacky it goes into a bath of silver nitrate for three minutes. From here on " +
  "the work is done under red light, and it must not stop: a plate that dries is lost.",
  "The exposure takes 2 to 12 seconds in open shade, longer indoors. Then the developer is swept over " +
  "the plate in one motion, the picture comes up in about 15 seconds, and water ends it. In the fixing " +
  "bath the blue haze clears, and a negative turns into a positive before everyone's eyes.",
  "Faces come out darker than they are, red as black and blue as white, for the plate sees little but " +
  "blue light and none of the red. Whoever sits must hold still, so there is a stand with a clamp behind " +
  "the head, and nobody smiles: try it for nine seconds.",
  "Last of all the plate is dried over a flame and varnished with gum sandarac and oil of lavender. A " +
  "plate made in 1865 can look today as it did on its first morning.",
];
const TABLE = [
  ["Plate", "Light", "Lens", "Exposure"],
  ["No. 1, quarter", "open shade", "f/4.5", "3 s"],
  ["No. 2, half", "north window", "f/4.5", "9 s"],
  ["No. 3, half", "overcast", "f/5.6", "6 s"],
];

/** A page of print, scanned a little askew. */
export const letter: Drawing = {
  kind: "text",
  svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}">
<defs><linearGradient id="paper" x1="0" y1="0" x2="1" y2="1">
<stop offset="0" stop-color="#f7f5f0"/><stop offset="0.6" stop-color="#f1efe9"/>
<stop offset="1" stop-color="#dfdcd4"/></linearGradient></defs>
<rect width="${WIDTH}" height="${HEIGHT}" fill="url(#paper)"/>
<g transform="rotate(0.35 ${WIDTH / 2} ${HEIGHT / 2})">${page()}</g></svg>`,
};

function page(): string {
  const parts = [
    svgText({ text: "Workshop notes, sheet 7", x: MARGIN, y: 130, size: 13 }),
    svgText({ text: "14 May 2024", x: WIDTH - MARGIN, y: 130, size: 13, anchor: "end" }),
    rule(158),
    svgText({ text: TITLE, x: MARGIN, y: 262, size: 40, weight: 0.13 }),
  ];
  let y = 345;
  for (const paragraph of PARAGRAPHS) {
    for (const text of wrappedText(paragraph, BODY, WIDTH - 2 * MARGIN)) {
      parts.push(svgText({ text, x: MARGIN, y, size: BODY }));
      y += LEADING;
    }
    y += LEADING * 0.6;
  }
  parts.push(table(y + 6), signature(WIDTH - MARGIN - 300, HEIGHT - 150));
  parts.push(svgText({ text: "7", x: WIDTH / 2, y: HEIGHT - 80, size: 13, anchor: "middle" }));
  return parts.join("");
}

function table(top: number): string {
  const columns = [MARGIN, 430, 690, 910];
  const cells = TABLE.flatMap((row, index) =>
    row.map((text, column) =>
      svgText({ text, x: columns[column] ?? MARGIN, y: top + 45 + index * 44, size: 15 })
    )
  );
  return rule(top) + rule(top + 62) + rule(top + 198) + cells.join("");
}

function rule(y: number): string {
  return `<path d="M${MARGIN} ${y}H${WIDTH - MARGIN}" stroke="#1c1b1a" stroke-width="1.6"/>`;
}

function signature(x: number, y: number): string {
  return `<path transform="translate(${x} ${y})" fill="none" stroke="#23304f" stroke-width="3.4" ` +
    `stroke-linecap="round" d="M0 30C30-60 60-70 48-10S20 70 60 20S110-30 104 14S130 30 150-6` +
    `S168 34 190 8S230-20 226 14S262 22 300-22"/>`;
}
