import { type Releasable, serviceKey } from "../runtime/step.ts";

/** Workers for computation in JavaScript, so that the main thread stays free. */
export interface Computing extends Releasable {
  /**
   * Calls a function of a module in a worker: `module` exports `compute(input)`, which is called with
   * a structured clone. `transfer` moves buffers instead of copying them. Throws what it throws.
   */
  call<Input, Result>(
    module: URL,
    input: Input,
    transfer?: readonly ArrayBuffer[],
  ): Promise<Result>;
}

/** For `context.service(computing)`. */
export const computing = serviceKey<Computing>("computing");
