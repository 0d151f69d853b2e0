/**
 * What `import … from "tintype"` gives a step in its worker: everything that steps are defined with. The
 * whole of Tintype would do, and takes half a second to load where this takes a tenth.
 */
export { z } from "zod";
export { jsonKind, type Kind, rowKind, text } from "../runtime/artifact.ts";
export { file, folder } from "../runtime/params.ts";
export {
  all,
  defineStep,
  each,
  failed,
  many,
  one,
  produced,
  rejected,
  type StepContext,
  waiting,
} from "../runtime/step.ts";
export { image } from "../steps/kinds.ts";
