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
export interface ParamReference<Type extends ParamType = ParamType> {
  readonly reference: `$${string}`;
  /** Only for the compiler: the parameter's type. */
  readonly type?: Type;
}

/** What the values of each type of parameter are. */
interface ParamValues {
  readonly string: string;
  readonly integer: number;
  readonly number: number;
  readonly boolean: boolean;
  readonly folder: string;
  readonly file: string;
  readonly choice: string | number | boolean;
  readonly list: readonly unknown[];
}

/** The types of parameters whose values can be a `Value`. */
type FittingType<Value> = {
  readonly [Type in ParamType]: [Value & ParamValues[Type]] extends [never] ? never : Type;
}[ParamType];

/** A value in which each part can come from a parameter. */
export type Given<Value> =
  | ParamReference<FittingType<Value>>
  | (Value extends readonly unknown[] ? { readonly [Index in keyof Value]: Given<Value[Index]> }
    : Value extends object ? { readonly [Name in keyof Value]: Given<Value[Name]> }
    : Value);

/** What `from` takes: an output for each input port. */
export type Wiring<In extends InputPorts> = { readonly [Name in keyof In]?: OutputOf<In[Name]> };

export interface NodeOptions<In extends InputPorts, Params extends z.ZodObject> {
  readonly from?: Wiring<In>;
  readonly with?: { readonly [Name in keyof z.input<Params>]: Given<z.input<Params>[Name]> };
}

export interface ParamOptions<Type extends ParamType = ParamType> {
  readonly type: Type;
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
  readonly #params = new Map<string, ParamOptions>();
  readonly #nodes = new Map<string, unknown>();
  readonly #steps = new Set<AnyStep>();

  constructor(readonly name: string, readonly about?: string) {}

  /** Declares a parameter; use what it gives as a value in `with`. Throws when the name is taken. */
  param<const Type extends ParamType>(
    name: string,
    options: ParamOptions<Type>,
  ): ParamReference<Type> {
    if (this.#params.has(name)) {
      throw new TypeError(`Cannot declare parameter "${name}": the recipe has one of that name`);
    }
    this.#params.set(name, options);
    return { reference: `$${name}` };
  }

  /** Adds a node and gives its outputs. Throws when the id is taken. */
  step<In extends InputPorts, Params extends z.ZodObject, Out extends OutputPorts>(
    id: string,
    step: StepDefinition<In, Params, Out>,
    options: NodeOptions<In, Params> = {},
  ): NodeOutputs<Out> {
    if (this.#nodes.has(id)) {
      throw new TypeError(`Cannot add node "${id}": the recipe has one of that name`);
    }
    this.#steps.add(step as unknown as AnyStep);
    const from = Object.fromEntries(
      Object.entries(options.from ?? {} as Wiring<In>).flatMap(([port, wire]) =>
        wire === undefined ? [] : [[port, `${(wire as Wire).node}.${(wire as Wire).port}`]]
      ),
    );
    this.#nodes.set(id, {
      use: step.name,
      ...(Object.keys(from).length > 0 ? { from } : {}),
      ...(options.with === undefined ? {} : { with: escaped(options.with) }),
    });
    const outputs = Object.keys(step.outputs).map((port) => [port, { node: id, port }]);
    return Object.fromEntries(outputs) as NodeOutputs<Out>;
  }

  /** The recipe as a file's text. */
  toYaml(): string {
    const recipe = {
      recipe: this.name,
      ...(this.about === undefined ? {} : { about: this.about }),
      ...(this.#params.size > 0 ? { params: this.#params } : {}),
      steps: this.#nodes,
    };
    const yaml = stringify(recipe, written);
    // Characters that a person's file cannot hold are escaped, which takes double quotes.
    if (!unprintable.test(yaml)) return yaml;
    return stringify(recipe, {
      ...written,
      defaultStringType: "QUOTE_DOUBLE",
      defaultKeyType: "PLAIN",
      doubleQuotedAsJSON: true,
    }).replaceAll(new RegExp(unprintable, "g"), escapeSequence);
  }

  /** What a session checks, plans and runs. */
  toRecipe(): RecipeText {
    return { path: `recipe "${this.name}"`, text: this.toYaml(), steps: [...this.#steps] };
  }
}

type Wire = Output<string, "one" | "items">;

/** No folded lines, aliases or block scalars (which lose " \n"): each value as it is. */
const written = { lineWidth: 0, aliasDuplicateObjects: false, blockQuote: false } as const;

// deno-lint-ignore no-control-regex
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffd-\uffff]/;

function escapeSequence(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Values as a recipe writes them: references as `$name`, dollar signs of texts doubled. */
function escaped(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/\$(?=[A-Za-z_{$])/g, "$$$$");
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== "object" || value === null) return value;
  if ("reference" in value) return value.reference;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, escaped(each)]));
}
