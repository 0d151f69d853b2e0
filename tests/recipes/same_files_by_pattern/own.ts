import { all, defineStep, folder, image, one, produced, rowKind, z } from "tintype";
const note = rowKind("own_note", "a note", z.object({ by: z.string() }));
export default defineStep({
  name: "own.note", version: 1, doc: "Notes.", origin: "computed", world: "writes",
  inputs: { image: all(image, "in") },
  params: z.object({ folder: folder("where"), name: z.string() }),
  outputs: { note: one(note, "out") },
  run: (_, { name }) => produced({ note: { by: name } }),
});
