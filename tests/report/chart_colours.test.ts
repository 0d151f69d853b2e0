import assert from "node:assert/strict";
import { normalizeReport } from "../../src/report/normalize_report.ts";
import { Browsing, closeBrowser, hasChromium, openBrowser } from "../web/page_rig.ts";
import { reportOf, somePictures } from "./rig.ts";

type Colour = readonly [number, number, number];

/** What the browser paints of the charts, as `rgb(…)`. */
interface Painted {
  readonly card: string;
  readonly grounds: readonly string[];
  readonly letters: readonly string[];
  readonly points: readonly string[];
  readonly axes: readonly string[];
}

const painted = `(() => {
  const all = (selector, property) =>
    [...document.querySelectorAll(selector)].map((each) => getComputedStyle(each)[property]);
  return {
    card: all("section", "backgroundColor")[0],
    grounds: [...all(".chart", "backgroundColor"), ...all(".chart svg > rect", "fill")],
    letters: all(".chart text", "fill"),
    points: all(".chart .mark-symbol path", "fill"),
    axes: all(".chart .role-axis-domain line", "stroke"),
  };
})()`;

function colourOf(text: string): Colour {
  const [red, green, blue, ...alpha] = text.match(/[\d.]+/g)!.map(Number);
  assert.deepEqual(alpha, [], text);
  return [red!, green!, blue!];
}

/** Relative luminance and contrast ratio as WCAG 2.2 defines them. */
function luminanceOf(colour: Colour): number {
  const [red, green, blue] = colour.map((each) => {
    const part = each / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrastOf(one: string, other: string): number {
  const [dark, light] = [one, other].map((each) => luminanceOf(colourOf(each)))
    .sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

Deno.test({
  name: "charts have the ground of the page, light or dark, and their letters and axes stand out",
  ignore: !hasChromium,
  async fn() {
    const report = await normalizeReport(await reportOf(somePictures(30)));
    await openBrowser();
    try {
      for (const colorScheme of ["light", "dark"] as const) {
        await using browsing = await Browsing.open("about:blank", { colorScheme });
        const page = await browsing.context.newPage();
        await page.setContent(report);
        const { card, grounds, letters, points, axes } = await page.evaluate(painted) as Painted;
        assert.ok(grounds.length >= 20 && letters.length > 100 && axes.length >= 20);
        assert.deepEqual(new Set(grounds), new Set([card]));
        assert.equal(luminanceOf(colourOf(card)) < 0.1, colorScheme === "dark");
        for (const letter of letters) assert.ok(contrastOf(letter, card) >= 4.5, letter);
        // Points let what is behind them show through; on white the palette is what it was made for.
        const least = colorScheme === "dark" ? 4 : 2;
        for (const point of new Set(points)) assert.ok(contrastOf(point, card) >= least, point);
        for (const axis of axes) assert.ok(contrastOf(axis, card) >= 3, axis);
      }
    } finally {
      await closeBrowser();
    }
  },
});
