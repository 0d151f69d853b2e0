/**
 * Thrown where an item turns out not to be usable, deep inside a handle that a step reads: the
 * runtime settles the task as `rejected` with this reason. It is an expected outcome, not a bug, and
 * is cached like any other result.
 */
export class Rejection extends Error {
  override readonly name = "Rejection";
  /** What the item was judged by, such as `{ width: 65536, limit_px: 268435456 }`. */
  readonly numbers: Readonly<Record<string, number>>;

  constructor(reason: string, numbers: Readonly<Record<string, number>> = {}) {
    super(reason);
    this.numbers = numbers;
  }
}
