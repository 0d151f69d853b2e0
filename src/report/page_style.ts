import {
  axisColour,
  gridColour,
  ground,
  headInk,
  ink,
  limitColour,
  palette,
} from "../charts/style.ts";

/** Charts in the colours of the page, light or dark; those that both can show stay. */
const chartStyle = [
  [ground, "--card"],
  [gridColour, "--line"],
  [axisColour, "--muted"],
  [ink, "--ink"],
  [headInk, "--ink"],
  [limitColour, "--ink"],
  [palette[0], "--blue"],
  [palette[6], "--grey"],
].map(([drawn, shown]) =>
  `.chart [fill="${drawn}"] { fill: var(${shown}); } ` +
  `.chart [stroke="${drawn}"] { stroke: var(${shown}); }`
).join("\n");

/** The look of reports: one column on a phone, cards beside one another on a wide screen, and paper. */
export const pageStyle = `
:root { color-scheme: light dark; --ground: #f6f7f8; --card: #ffffff; --ink: #1b1f23;
  --muted: #59636e; --line: #d9dde1; --accent: #005a94; --soft: #eaf2f8; --note: #fff4dc;
  --blue: ${palette[0]}; --grey: ${palette[6]};
  --checks: repeating-conic-gradient(#d5d9dd 0 25%, #ffffff 0 50%); }
@media screen and (prefers-color-scheme: dark) { :root { --ground: #15181b; --card: #1e2226; --ink: #e8eaec;
  --muted: #a3abb3; --line: #363c42; --accent: #7cc4f5; --soft: #23303a; --note: #3a3019;
  --blue: #3d9ae0; --grey: #a3abb3; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui,
  -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 8px 0 8px; text-wrap: balance; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 0 0 8px; }
h3 { font-size: 1rem; margin: 20px 0 6px; }
p { margin: 0 0 12px; max-width: 75ch; }
a { color: var(--accent); }
.lead { font-size: 1.1rem; }
.muted { color: var(--muted); }
nav { font-size: .9rem; margin: 12px 0 0; }
nav a { margin-right: 14px; display: inline-block; padding: 3px 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 18px 20px; margin-top: 20px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 8px 16px; margin-top: 16px; }
.card ul { margin: 4px 0 8px; padding-left: 20px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(118px, 1fr)); gap: 10px;
  margin: 16px 0 0; padding: 0; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 10px 12px; }
.tiles dt { color: var(--muted); font-size: .85rem; }
.tiles dd { margin: 0; font-size: 1.4rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; margin: 0 0 12px; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); padding-bottom: 4px; }
th, td { text-align: left; vertical-align: top; padding: 7px 14px 7px 0;
  border-bottom: 1px solid var(--line); }
thead th { color: var(--muted); font-weight: 500; font-size: .85rem; white-space: nowrap; }
tbody th { font-weight: 500; }
tbody tr:last-child > * { border-bottom: 0; }
.number { text-align: right; white-space: nowrap; }
.settings th { min-width: 150px; }
.settings td:nth-last-child(2) { min-width: 260px; }
.settings td:last-child code { white-space: nowrap; }
.differs { background: var(--note); box-shadow: -8px 0 var(--note); }
code, pre { font: .86em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono",
  monospace; }
th code { color: var(--muted); font-weight: 400; }
pre { background: var(--soft); border-radius: 8px; padding: 12px 14px; overflow-x: auto; margin: 0 0 12px; }
blockquote { margin: 0 0 12px; padding: 8px 14px; border-left: 3px solid var(--accent);
  background: var(--soft); white-space: pre-line; overflow-wrap: anywhere; }
.note { background: var(--note); border-radius: 8px; padding: 10px 14px; margin-top: 12px;
  overflow-wrap: anywhere; }
figure { margin: 0; }
figcaption { font-size: .85rem; color: var(--muted); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 336px), 1fr));
  gap: 14px; margin: 0 0 14px; }
.chart { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 8px 8px 10px;
  display: flex; flex-direction: column; justify-content: space-between; break-inside: avoid; }
.chart svg { display: block; max-width: 100%; height: auto; }
.chart figcaption { padding: 0 8px; }
${chartStyle}
.thumbnails, .pairs { list-style: none; margin: 0; padding: 0; }
.thumbnails { display: grid; grid-template-columns: repeat(auto-fill, minmax(164px, 1fr)); gap: 16px; }
.thumbnails li, .pairs li { break-inside: avoid; }
.thumbnails figcaption span { display: block; }
.name { font-weight: 500; color: var(--ink); overflow-wrap: anywhere; }
.thumbnails .name { display: block; margin-top: 4px; }
img { display: block; max-width: 100%; height: auto; border-radius: 4px;
  background: var(--checks) 0 0 / 14px 14px;
  outline: 1px solid var(--line); outline-offset: -1px; }
.tiny { image-rendering: pixelated; }
.pairs li { border-top: 1px solid var(--line); padding-top: 10px; margin-top: 14px; }
.pairs h3 { margin: 0 0 8px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 480px));
  gap: 12px; margin-bottom: 8px; }
.cause { border-left: 3px solid var(--line); padding-left: 14px; margin: 0 0 18px; }
.cause.failed { border-left-color: #b3261e; }
.cause h3 { margin: 0 0 6px; overflow-wrap: anywhere; }
.cause ul { margin: 0 0 8px; padding-left: 20px; overflow-wrap: anywhere; }
.cause .advice { margin: 0 0 4px; overflow-wrap: anywhere; }
.badge { background: var(--soft); border-radius: 20px; padding: 2px 10px; font-size: .85rem;
  font-weight: 500; white-space: nowrap; font-variant-numeric: tabular-nums; }
.step { display: inline-block; font-size: .85rem; border: 1px solid var(--line); border-radius: 20px;
  padding: 1px 10px; margin: 0 6px 6px 0; }
summary { cursor: pointer; padding: 6px 0; }
footer { color: var(--muted); font-size: .85rem; margin-top: 20px; }
@media (max-width: 560px) { main { padding: 14px 10px 40px; } section { padding: 14px 12px; }
  .thumbnails { grid-template-columns: 1fr 1fr; }
  .stacked thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px;
    overflow: hidden; }
  .stacked, .stacked tbody, .stacked tr, .stacked th, .stacked td { display: block;
    border: 0; padding: 1px 0; }
  .stacked tr { border-bottom: 1px solid var(--line); padding: 10px 0; }
  th, td { padding-right: 9px; }
  .stacked td[data-head]::before { content: attr(data-head) ": "; color: var(--muted); } }
@media print { :root { color-scheme: light; --ground: #ffffff; --card: #ffffff; --ink: #000000;
  --muted: #444444; --line: #cccccc; --accent: #005a94; --soft: #f0f4f7; --note: #fff4dc; }
  body { background: #ffffff; color: #000000; font-size: 11pt; } nav { display: none; }
  main { max-width: none; padding: 0; } section { border: 0; padding: 0; }
  .scroll { overflow: visible; } h2, h3 { break-after: avoid; } tr { break-inside: avoid; }
  pre { white-space: pre-wrap; } }
`;
