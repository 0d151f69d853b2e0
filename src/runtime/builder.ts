import { stringify } from "yaml";
import type { z } from "zod";
import type { Kind } from "./artifact.ts";
import type { ParamType } from "./recipe.ts";
import type { RecipeText } from "./session.ts";
import type { AnyStep, InputPorts, OutputPorts, Port, StepDefinition } from "./step.ts";

/** Whether a port carries one value for all (`one`) or one for each item. */
type Width<Flow> = Flow extends "one" ? "one" : "items";

/** An output of a node, for wiring into another's input. */
export interface Output<KindName extends string, W extends "one" | "items"> {
  readonly node: string;
  readonly port: string;
  /** Only for the compiler: what the output carries. */
  readonly carries?: readonly [KindName, W];
}

type OutputOf<P> = P extends Port<Kind<infer Name>, infer Flow> ? Output<Name, Width<Flow>> : never;

/** A node of a recipe under construction; its outputs by port. */
export type NodeOutputs<Out extends OutputPorts> = {
  readonly [Name in keyof Out]: OutputOf<Out[Name]>;
};

/** A parameter of a recipe, as a value for `with`. */
export interface ParamReference {
  readonly reference: `$${string}`;
}

/** What `from` takes: an output for each input port. */
export type Wiring<In extends InputPorts> = { readonly [Name in keyof In]?: OutputOf<In[Name]> };

export interface NodeOptions<In extends InputPorts, Params extends z.ZodObject> {
  readonly from?: Wiring<In>;
  readonly with?: {
    readonly [Name in keyof z.input<Params>]: z.input<Params>[Name] | ParamReference;
  };
}

export interface ParamOptions {
  readonly type: ParamType;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly choices?: readonly (string | number)[];
  readonly unit?: string;
  readonly about?: string;
}

/**
 * Builds a recipe in TypeScript. The compiler checks that what is wired fits: the kind of artifact,
 * and one value against one for each item. The rest is checked like a recipe's file, which it turns
 * into with `toYaml()`.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { openSession, recipe, steps } from "tintype";
 *
 * const small = recipe("small");
 * const photos = small.step("photos", steps.scan, { with: { folder: "./photos" } });
 * small.step("proxies", steps.proxy, {
 *   from: { image: photos.images },
 *   with: { short_side_px: 448 },
 * });
 * const { diagnostics } = await openSession().check(small.toRecipe());
 * assert.deepEqual(diagnostics.map((each) => each.code), ["unused-node"]);
 * ```
 */
export function recipe(name: string, options: { readonly about?: string } = {}): RecipeBuilder {
  return new RecipeBuilder(name, options.about);
}

export class RecipeBuilder {
  readonly #params: Record<string, ParamOptions> = {};
  readonly #nodes: Record<string, unknown> = {};
  readonly #steps = new Set<AnyStep>();

  constructor(readonly name: string, readonly about?: string) {}

  /** Declares a parameter; use what it gives as a value in `with`. */
  param(name: string, options: ParamOptions): ParamReference {
    this.#params[name] = options;
    return { reference: `$${name}` };
  }

  /** Adds a node and gives its outputs. Throws when the id is taken. */
  step<In extends InputPorts, Params extends z.ZodObject, Out extends OutputPorts>(
    id: string,
    step: StepDefinition<In, Params, Out>,
    options: NodeOptions<In, Params> = {},
  ): NodeOutputs<Out> {
    if (Object.hasOwn(this.#nodes, id)) {
      throw new TypeError(`Cannot add node "${id}": the recipe has one of that name`);
    }
    this.#steps.add(step as unknown as AnyStep);
    const wires = Object.entries(options.from ?? {}) as [
      string,
      Output<string, "one"> | undefined,
    ][];
    const from = Object.fromEntries(
      wires.flatMap(([port, wire]) =>
        wire === undefined ? [] : [[port, `${wire.node}.${wire.port}`]]
      ),
    );
    this.#nodes[id] = {
      use: step.name,
      ...(Object.keys(from).length > 0 ? { from } : {}),
      ...(options.with === undefined ? {} : { with: escaped(options.with) }),
    };
    const outputs = Object.keys(step.outputs).map((port) => [port, { node: id, port }]);
    return Object.fromEntries(outputs) as NodeOutputs<Out>;
  }

  /** The recipe as a file's text. */
  toYaml(): string {
    const hasParams = Object.keys(this.#params).length > 0;
    return stringify({
      recipe: this.name,
      ...(this.about === undefined ? {} : { about: this.about }),
      ...(hasParams ? { params: this.#params } : {}),
      steps: this.#nodes,
    });
  }

  /** What a session checks, plans and runs. */
  toRecipe(): RecipeText {
    return { path: `recipe "${this.name}"`, text: this.toYaml(), steps: [...this.#steps] };
  }
}

/** Values as a recipe writes them: references as `$name`, dollar signs of texts doubled. */
function escaped(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/\$(?=[A-Za-z_{$])/g, "$$$$");
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== "object" || value === null) return value;
  if ("reference" in value) return value.reference;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, escaped(each)]));
}
