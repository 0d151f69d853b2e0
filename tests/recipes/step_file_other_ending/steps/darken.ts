import { defineStep, each, image, produced, z } from "tintype";

export default defineStep({
  name: "own.mark",
  version: 1,
  doc: "Marks pictures.",
  origin: "computed",
  inputs: { image: each(image, "the pictures") },
  params: z.object({ strength: z.number().min(0).max(1).default(0.5) }),
  outputs: { image: each(image, "the marked pictures") },
  run: ({ image }) => produced({ image }),
});
