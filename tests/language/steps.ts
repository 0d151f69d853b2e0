import { z } from "zod";
import { text } from "../../src/runtime/artifact.ts";
import type { Catalog } from "../../src/runtime/catalog.ts";
import {
  all,
  type AnyStep,
  defineStep,
  each,
  many,
  one,
  type OutputPorts,
  waiting,
} from "../../src/runtime/step.ts";
import { image } from "../../src/steps/kinds.ts";
import { catalog as shipped } from "../../src/steps/mod.ts";

const ink = z.enum(["red", "green", "blue"]);
const byte = z.int().min(0).max(255);

/** Parameters of every shape that the shipped steps do not have. */
const paintParams = z.object({
  colour: z.object({ red: byte, green: byte, blue: byte }).optional(),
  stops: z.array(z.object({ at: z.number().min(0).max(1), ink })).min(2).optional(),
  mode: z.discriminatedUnion("type", [
    z.object({ type: z.literal("fit"), width_px: z.int().min(1) }),
    z.object({ type: z.literal("fill"), ink }),
  ]).optional(),
  size: z.union([z.int().min(1), z.enum(["small", "large"])]).optional(),
  spots: z.union([z.string(), z.array(z.int())]).optional(),
  weights: z.record(z.string(), z.number().min(0)).optional(),
  pair: z.tuple([z.int(), z.int()]).optional(),
  label: z.string().min(3).max(10).optional(),
});

const base = { version: 1, origin: "computed", run: () => waiting("only checked") } as const;

/** Steps for recipes that are checked and never run. */
const steps: readonly AnyStep[] = [
  defineStep({
    ...base,
    name: "test.paint",
    doc: "Takes parameters of many shapes.",
    isResult: true,
    inputs: { image: each(image, "pictures") },
    params: paintParams,
    outputs: { image: each(image, "painted") },
  }),
  wired("test.name", { image: each(image, "pictures") }, { text: each(text, "names") }),
  wired("test.first", { image: all(image, "pictures") }, { text: one(text, "the first name") }),
  wired("test.stamp", {
    image: each(image, "pictures"),
    stamp: one(text, "what to put on each"),
  }, { image: each(image, "stamped") }),
  wired("test.join", { text: all(text, "texts") }, { text: one(text, "all of them") }),
  wired("test.shout", { text: each(text, "texts") }, { text: each(text, "louder") }),
  wired("test.both", { image: each(image, "pictures") }, {
    left: each(text, "one half"),
    right: each(text, "the other"),
  }),
  wired("test.crops", { image: each(image, "pictures") }, { image: many(image, "parts") }),
];

function wired(
  name: string,
  inputs: Parameters<typeof defineStep>[0]["inputs"],
  outputs: OutputPorts,
): AnyStep {
  return defineStep({
    ...base,
    name,
    doc: "Has ports to be wired.",
    isResult: name !== "test.crops" && name !== "test.both",
    inputs,
    params: z.object({}),
    outputs,
  });
}

/** The shipped steps and those above. */
export const testCatalog: Catalog = shipped.with(steps);
