import { captionShape } from "../../captions/caption.ts";
import { rowKind } from "../../runtime/artifact.ts";

export const caption = rowKind(
  "caption",
  "a picture's caption, and how it came to be",
  captionShape,
);
