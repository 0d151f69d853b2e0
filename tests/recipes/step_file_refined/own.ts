import { defineStep, each, image, produced, z } from "tintype";
export default defineStep({
  name: "own.range", version: 1, doc: "Marks.", origin: "computed", isResult: true,
  inputs: { image: each(image, "in") },
  params: z.object({
    least: z.int().refine((value) => value % 2 === 0, "an even number is wanted").default(0),
    most: z.int().min(4).default(8),
    shape: z.discriminatedUnion("form", [
      z.object({ form: z.literal("box"), side: z.int().min(1) }),
      z.object({ form: z.literal("dot") }),
    ]).optional(),
  }),
  outputs: { image: each(image, "out") },
  run: ({ image }) => produced({ image }),
});
