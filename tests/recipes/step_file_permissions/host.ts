import { defineStep, each, image, produced, z } from "tintype";
export default defineStep({
  name: "own.mark", version: 1, doc: "Marks.", origin: "computed", isResult: true,
  permissions: { net: ["https://api.example.com/v1"] } as never,
  inputs: { image: each(image, "in") },
  params: z.object({}),
  outputs: { image: each(image, "out") },
  run: ({ image }) => produced({ image }),
});
