import { defineStep, each, image, produced, z } from "tintype";
export default defineStep({
  name: "own.mark", version: 1, doc: "Marks.", origin: "computed", isResult: true,
  inputs: { image: each(image, "in") },
  params: z.object({ strength: z.number().min(0).max(1).default(0.5) }),
  outputs: { image: each(image, "out") },
  run: ({ image }) => produced({ image }),
});
