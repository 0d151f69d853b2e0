import { z } from "zod";
import { text } from "../src/runtime/artifact.ts";
import { Catalog } from "../src/runtime/catalog.ts";
import { defineStep, each, many, produced } from "../src/runtime/step.ts";

const birth = defineStep({
  name: "bench.birth",
  version: 1,
  doc: "Gives birth to items with a short text each.",
  origin: "computed",
  world: "reads",
  inputs: {},
  params: z.object({ count: z.int().min(1) }),
  outputs: { texts: many(text, "the texts") },
  run(_, { count }) {
    return produced({
      texts: Array.from({ length: count }, (_, index) => ({
        name: `item-${String(index).padStart(7, "0")}`,
        value: `text ${index}`,
      })),
    });
  },
});

const append = defineStep({
  name: "bench.append",
  version: 1,
  doc: "Puts a suffix behind a text: next to no work.",
  origin: "computed",
  isResult: true,
  inputs: { text: each(text, "a text") },
  params: z.object({ suffix: z.string() }),
  outputs: { text: each(text, "the longer text") },
  run: async ({ text }, { suffix }) => produced({ text: await text.read() + suffix }),
});

/** Steps that cost next to nothing, so that what is measured is the engine. */
export const benchCatalog = new Catalog([birth, append]);

/** `count` items through `steps` trivial steps. */
export function trivialRecipe(count: number, steps: number): string {
  const nodes = Array.from({ length: steps }, (_, index) => {
    const from = index === 0 ? "texts" : `step${index}`;
    return `  step${index + 1}: { use: bench.append, from: ${from}, with: { suffix: "-${
      index + 1
    }" } }`;
  });
  return [
    "recipe: trivial",
    "steps:",
    `  texts: { use: bench.birth, with: { count: ${count} } }`,
    ...nodes,
  ].join("\n");
}
