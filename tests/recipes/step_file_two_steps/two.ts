import { defineStep, each, image, produced, z } from "tintype";
export const one = defineStep({
  name: "own.mark", version: 1, doc: "Marks.", origin: "computed", isResult: true,
  inputs: { image: each(image, "in") },
  params: z.object({ strength: z.number().min(0).max(1).default(0.5) }),
  outputs: { image: each(image, "out") },
  run: ({ image }) => produced({ image }),
});
export const two = defineStep({
  name: "own.mark", version: 1, doc: "Marks.", origin: "computed", isResult: true,
  inputs: { image: each(image, "in") },
  params: z.object({ strength: z.number().min(0).max(1).default(0.5) }),
  outputs: { image: each(image, "out") },
  run: ({ image }) => produced({ image }),
});
