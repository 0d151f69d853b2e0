// @ts-nocheck: what is wrong with it is for the check of the recipe to say
import { defineStep, each, image, produced } from "tintype";
export default defineStep({
  name: "own.mark",
  version: 1,
  doc: "Marks.",
  origin: "computed",
  isResult: true,
  inputs: { image: each(image, "in") },
  params: { strength: 0.5 },
  outputs: { image: each(image, "out") },
  run: ({ image }) => produced({ image }),
});
