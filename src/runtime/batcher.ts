import type { StepResult } from "./step.ts";
import { waitForPlace } from "./task_time.ts";

type Result = StepResult<Record<string, unknown>>;
/** Calls the step, and says when it begins. */
type Call = (prepared: readonly unknown[], begin: () => void) => Promise<readonly Result[]>;

interface Waiter {
  readonly prepared: unknown;
  /** The call with this item begins. */
  readonly begin: () => void;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

interface Queue {
  readonly size: number;
  readonly call: Call;
  waiting: Waiter[];
}

/**
 * Gathers items into calls of many, for steps with `batch`. A call begins when it is full, or when
 * every item under way waits for one, so that the last few are not held for company that never
 * comes.
 */
export class Batcher {
  readonly #queues = new Map<string, Queue>();
  #active = 0;
  #check: ReturnType<typeof setTimeout> | undefined;

  /** An item is under way: it may still ask for a place in a call. */
  enter(): void {
    this.#active++;
  }

  /** An item is through. */
  leave(): void {
    this.#active--;
    this.#consider();
  }

  /** Waits for a place in the node's next call, and gives this item's result of it. */
  async submit(
    node: string,
    prepared: unknown,
    batch: { readonly size: number; readonly call: Call },
  ): Promise<Result> {
    let queue = this.#queues.get(node);
    if (queue === undefined) {
      queue = { size: batch.size, call: batch.call, waiting: [] };
      this.#queues.set(node, queue);
    }
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    queue.waiting.push({ prepared, begin, resolve, reject });
    if (queue.waiting.length >= queue.size) flush(queue);
    else this.#consider();
    await waitForPlace(Promise.race([begun, promise.then(() => {})]));
    return await promise;
  }

  /** After the current turn: items that are just being admitted have their chance to arrive. */
  #consider() {
    this.#check ??= setTimeout(() => {
      this.#check = undefined;
      const queues = [...this.#queues.values()];
      const waiting = queues.reduce((sum, queue) => sum + queue.waiting.length, 0);
      if (waiting > 0 && waiting >= this.#active) queues.forEach(flush);
    }, 0);
  }
}

function flush(queue: Queue) {
  const batch = queue.waiting.splice(0, queue.size);
  if (batch.length === 0) return;
  const begin = () => batch.forEach((waiter) => waiter.begin());
  queue.call(batch.map((waiter) => waiter.prepared), begin).then(
    (results) => batch.forEach((waiter, index) => waiter.resolve(results[index]!)),
    (error) => batch.forEach((waiter) => waiter.reject(error)),
  );
}
