import { stringify } from "./yaml.ts";
import type { z } from "zod";
import type { Kind } from "./artifact.ts";
import type { ParamType } from "./recipe.ts";
import type { RecipeText } from "./session.ts";
import type { AnyStep, InputPorts, OutputPorts, Port, StepDefinition } from "./step.ts";

/** The items that a node's output gave birth to, written "node.output". */
export interface ItemsOf<Birthplace extends string> {
  readonly birthplace: Birthplace;
}

/** How many values a wire carries: one for all, or one for each of some items. */
type Flow = "one" | ItemsOf<string>;

/** An output of a node, for wiring into another's input. */
export interface Output<KindName extends string, For extends Flow> {
  readonly node: string;
  readonly port: string;
  /** Only for the compiler: what the output carries. */
  readonly carries?: readonly [KindName, For];
}

/** What a port is wired to, or gives: `Items` are those of the node, `Born` those born here. */
type OutputOf<P, Items extends ItemsOf<string>, Born extends ItemsOf<string> = Items> = P extends
  Port<Kind<infer Name>, infer Flow>
  ? Output<Name, Flow extends "one" ? "one" : Flow extends "many" ? Born : Items>
  : never;

/** A node of a recipe under construction; its outputs by port. */
export type NodeOutputs<
  Out extends OutputPorts,
  Id extends string = string,
  Items extends ItemsOf<string> = ItemsOf<string>,
> = {
  readonly [Name in keyof Out]: OutputOf<Out[Name], Items, ItemsOf<`${Id}.${Name & string}`>>;
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

/** The names of the inputs that have to be wired. */
type NeededInputs<In extends InputPorts> = {
  [Name in keyof In]: In[Name] extends Port<Kind, string, false> ? Name : never;
}[keyof In];

/** What `from` takes: an output for each input port, all those of items with the same items. */
export type Wiring<In extends InputPorts, Items extends ItemsOf<string>> =
  & { readonly [Name in NeededInputs<In>]: OutputOf<In[Name], Items> }
  & { readonly [Name in Exclude<keyof In, NeededInputs<In>>]?: OutputOf<In[Name], Items> };

/**
 * Lets the compiler find `Items` by what is wired, which it cannot by types that depend on the step.
 * It looks into both branches for that; then this is `unknown` and asks nothing of the wires.
 */
type FoundByWires<Items extends ItemsOf<string>> = Items extends ItemsOf<string> ? unknown
  : Readonly<Record<string, Output<string, Items | "one"> | undefined>>;

/** What `with` takes: a value for each parameter. */
export type Settings<Params extends z.ZodObject> = {
  readonly [Name in keyof z.input<Params>]: Given<z.input<Params>[Name]>;
};

/** The type of `{}`. */
type Nothing = Record<never, never>;

/** `{ name: Value }`, or `{ name?: Value }` where nothing has to be said. */
type Part<Name extends string, Value> = Nothing extends Value ? { readonly [Key in Name]?: Value }
  : { readonly [Key in Name]: Value };

/** How a step is used; what it needs cannot be left out. */
export type NodeOptions<
  In extends InputPorts,
  Params extends z.ZodObject,
  Items extends ItemsOf<string>,
> = Part<"from", Wiring<In, Items> & FoundByWires<Items>> & Part<"with", Settings<Params>>;

/** The options of a node, to be left out where its step needs nothing. */
type OptionsArgument<Options> = Nothing extends Options ? [options?: Options] : [options: Options];

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
 * Builds a recipe in TypeScript. The compiler checks that nothing needed is left out and that what is
 * wired fits: the kind of artifact, one value against one for each item, and that a node's items were
 * all born at one place (`ItemsOf<"photos.images">`), where ids are literals. The rest is checked like
 * a recipe's file, which it turns into with `toYaml()`.
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
  step<
    const Id extends string,
    In extends InputPorts,
    Params extends z.ZodObject,
    Out extends OutputPorts,
    Items extends ItemsOf<string>,
  >(
    id: Id,
    step: StepDefinition<In, Params, Out>,
    ...options: OptionsArgument<NodeOptions<In, Params, Items>>
  ): NodeOutputs<Out, Id, Items> {
    if (this.#nodes.has(id)) {
      throw new TypeError(`Cannot add node "${id}": the recipe has one of that name`);
    }
    this.#steps.add(step as unknown as AnyStep);
    const { from = {}, with: settings } = (options[0] ?? {}) as GivenOptions;
    const wires = Object.entries(from).flatMap(([input, wire]) =>
      wire === undefined ? [] : [[input, `${wire.node}.${wire.port}`]]
    );
    this.#nodes.set(id, {
      use: step.name,
      ...(wires.length > 0 ? { from: Object.fromEntries(wires) } : {}),
      ...(settings === undefined ? {} : { with: escaped(settings) }),
    });
    const outputs = Object.keys(step.outputs).map((port) => [port, { node: id, port }]);
    return Object.fromEntries(outputs) as NodeOutputs<Out, Id, Items>;
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

/** A node's options as they are when the program runs. */
interface GivenOptions {
  readonly from?: Readonly<Record<string, Output<string, Flow> | undefined>>;
  readonly with?: Readonly<Record<string, unknown>>;
}

/** No folded lines, aliases or block scalars (which lose " \n"): each value as it is. */
const written = { lineWidth: 0, aliasDuplicateObjects: false, blockQuote: false } as const;

// deno-lint-ignore no-control-regex
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffd-\uffff]/;

function escapeSequence(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Values as a recipe writes them: references as `$name`, dollar signs of texts doubled. */
function escaped(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/\$(?=[\p{L}_{$])/gu, "$$$$");
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== "object" || value === null) return value;
  if ("reference" in value) return value.reference;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, escaped(each)]));
}
