import { type AnyStep, isStep } from "./step.ts";

/** Loads the module of a step by the step's name. */
export type LoadStep = (name: string) => Promise<AnyStep>;

/** Steps that are known by name alone until a recipe uses them. */
export interface StepsElsewhere {
  readonly names: readonly string[];
  readonly load: LoadStep;
}

/** The steps that a recipe can use, by name. */
export class Catalog {
  readonly #steps = new Map<string, AnyStep>();
  readonly #elsewhere = new Map<string, LoadStep>();

  /** Throws when two steps have one name. */
  constructor(steps: Iterable<AnyStep>, elsewhere: StepsElsewhere = { names: [], load: noStep }) {
    for (const step of steps) this.#add(step);
    for (const name of elsewhere.names) {
      if (!this.#steps.has(name)) this.#elsewhere.set(name, elsewhere.load);
    }
  }

  /**
   * Makes steps ready for `get`: those of these names that are listed here, or all. A recipe uses a
   * few of them, and loading the modules of all takes longer than checking it.
   */
  async load(names: Iterable<string> = this.names()): Promise<this> {
    await Promise.all(Array.from(names, (name) => this.#load(name)));
    return this;
  }

  /** Throws where the step is listed but not loaded. */
  get(name: string): AnyStep | undefined {
    if (this.#elsewhere.has(name)) throw new Error(`Cannot give step "${name}": it is not loaded`);
    return this.#steps.get(name);
  }

  /** All names, sorted. */
  names(): string[] {
    return [...this.#steps.keys(), ...this.#elsewhere.keys()].sort();
  }

  /** All steps, by name. Throws where one is not loaded. */
  steps(): AnyStep[] {
    return this.names().map((name) => this.get(name)!);
  }

  /** This catalogue and some more, such as steps built in a notebook. */
  with(steps: Iterable<AnyStep>): Catalog {
    const more = new Catalog([...this.#steps.values(), ...steps]);
    for (const [name, load] of this.#elsewhere) {
      if (more.#steps.has(name)) throw nameTaken(name);
      more.#elsewhere.set(name, load);
    }
    return more;
  }

  async #load(name: string) {
    const load = this.#elsewhere.get(name);
    if (load === undefined) return;
    const step = await load(name);
    if (step.name !== name) throw new TypeError(`Cannot list step "${name}": it is "${step.name}"`);
    if (this.#elsewhere.delete(name)) this.#add(step);
  }

  #add(step: AnyStep) {
    if (!isStep(step)) throw new TypeError(`Cannot list a step: it was not made by defineStep`);
    if (this.#steps.has(step.name)) throw nameTaken(step.name);
    this.#steps.set(step.name, step);
  }
}

function nameTaken(name: string): TypeError {
  return new TypeError(`Cannot list step "${name}": the name is taken`);
}

function noStep(name: string): Promise<AnyStep> {
  return Promise.reject(new Error(`Cannot load step "${name}": there is none`));
}
