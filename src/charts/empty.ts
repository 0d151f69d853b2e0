import type { ChartSpec } from "./render.ts";
import { ink, styled } from "./style.ts";

/** Words in place of a chart that has nothing to show, below its title. */
export function emptyChart(words = "There is nothing to draw", title?: string): ChartSpec {
  return styled({
    ...(title === undefined ? {} : { title }),
    data: { values: [{ words }] },
    width: 360,
    height: 30,
    mark: { type: "text", align: "left", fontSize: 12, color: ink },
    encoding: { x: { value: 0 }, text: { field: "words", type: "nominal" } },
  } as ChartSpec);
}
