import { z } from "zod";
import { parse } from "../runtime/yaml.ts";
import type { VisionProvider } from "./vision.ts";

const imageTokens = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("flat"), tokens: z.int() }),
  z.strictObject({
    kind: z.literal("tiles"),
    small_px: z.int(),
    small: z.int(),
    tile_px: z.int(),
    tile: z.int(),
  }),
  z.strictObject({ kind: z.literal("area"), divisor: z.number(), long_side_px: z.int() }),
]);

const factsShape = z.strictObject({
  as_of: z.string(),
  source: z.string(),
  model: z.string(),
  formats: z.array(z.enum(["jpeg", "png", "webp"])).readonly(),
  max_bytes: z.int(),
  max_side_px: z.int(),
  image_tokens: imageTokens,
  prices: z.array(z.strictObject({
    model: z.string(),
    input: z.number(),
    output: z.number(),
    thought_tokens: z.int().default(0),
    max_bytes: z.int().optional(),
    image_tokens: imageTokens.optional(),
  })).readonly(),
});

/** What a provider takes and charges, as `models/providers.yaml` says it. */
export type ProviderFacts = z.output<typeof factsShape>;

type ImageTokens = z.output<typeof imageTokens>;

const address = new URL("../../models/providers.yaml", import.meta.url);

/** Reads the dated facts of a provider. */
export async function providerFacts(provider: VisionProvider): Promise<ProviderFacts> {
  const text = await Deno.readTextFile(address);
  const shape = z.record(z.string(), factsShape);
  return shape.parse(parse(text))[provider]!;
}

/** What a model costs, by the beginning of its name; regions and paths in front do not count. */
export function priceOf({ prices }: ProviderFacts, model: string) {
  const name = model.split("/").at(-1)!;
  const anywhere = name.replace(/^[a-z-]+\./, "");
  return prices.find((price) => [name, anywhere].some((each) => each.startsWith(price.model)));
}

/** Tokens that a picture of this size counts as. */
export function tokensOfImage(
  facts: ProviderFacts,
  model: string,
  { width, height }: { readonly width: number; readonly height: number },
): number {
  return counted(priceOf(facts, model)?.image_tokens ?? facts.image_tokens, width, height);
}

function counted(rule: ImageTokens, width: number, height: number): number {
  switch (rule.kind) {
    case "flat":
      return rule.tokens;
    case "area": {
      const shrunk = Math.min(1, rule.long_side_px / Math.max(width, height));
      return Math.ceil(width * height * shrunk ** 2 / rule.divisor);
    }
    case "tiles": {
      if (Math.max(width, height) <= rule.small_px) return rule.small;
      return Math.ceil(width / rule.tile_px) * Math.ceil(height / rule.tile_px) * rule.tile;
    }
  }
}
