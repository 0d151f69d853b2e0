import { type AnyStep, isStep } from "./step.ts";

/** The steps that a recipe can use, by name. */
export class Catalog {
  readonly #steps = new Map<string, AnyStep>();

  /** Throws when two steps have one name. */
  constructor(steps: Iterable<AnyStep>) {
    for (const step of steps) {
      if (!isStep(step)) throw new TypeError(`Cannot list a step: it was not made by defineStep`);
      if (this.#steps.has(step.name)) {
        throw new TypeError(`Cannot list step "${step.name}": the name is taken`);
      }
      this.#steps.set(step.name, step);
    }
  }

  get(name: string): AnyStep | undefined {
    return this.#steps.get(name);
  }

  /** All names, sorted. */
  names(): string[] {
    return [...this.#steps.keys()].sort();
  }

  /** All steps, by name. */
  steps(): AnyStep[] {
    return this.names().map((name) => this.#steps.get(name)!);
  }

  /** This catalogue and some more, such as steps built in a notebook. */
  with(steps: Iterable<AnyStep>): Catalog {
    return new Catalog([...this.#steps.values(), ...steps]);
  }
}
