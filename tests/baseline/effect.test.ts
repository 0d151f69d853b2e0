import assert from "node:assert/strict";
import fc from "fast-check";
import { discover } from "../../src/baseline/discover.ts";
import { predictEffect } from "../../src/baseline/effect.ts";
import { policyShape } from "../../src/baseline/policy.ts";
import { anySet, group, notFinite } from "./sets.ts";

const limit = fc.option(fc.integer({ min: 16, max: 10_000 }));
const anyPolicy = fc.record({
  long_side_px: limit,
  short_side_px: limit,
  format: fc.constantFrom("keep", "jpeg", "png", "webp"),
  quality: fc.integer({ min: 1, max: 100 }),
  colour: fc.constantFrom("keep", "rgb", "grey"),
  alpha: fc.constantFrom("keep", "flatten"),
  leave_out: fc.record({ short_side_below_px: fc.option(fc.integer({ min: 1, max: 3000 })) }),
}).map((policy) => policyShape.parse(policy));

const noLimits = policyShape.parse({ quality: 100 });
const groups = fc.array(
  fc.record({
    width: fc.integer({ min: 1, max: 9000 }),
    height: fc.integer({ min: 1, max: 9000 }),
    images: fc.integer({ min: 1, max: 1000 }),
    jpeg_quality: fc.option(fc.integer({ min: 1, max: 100 })),
    format: fc.constantFrom("jpeg", "png", "webp"),
    bytes: fc.integer({ min: 1000, max: 1e9 }),
  }).map((part) =>
    group({ ...part, jpeg_quality: part.format === "jpeg" ? part.jpeg_quality : null })
  ),
);

Deno.test("a policy without limits changes nothing", () => {
  fc.assert(fc.property(groups, (population) => {
    const effect = predictEffect({ population }, noLimits);
    assert.deepEqual(
      [effect.changed, effect.resized, effect.recompressed, effect.converted, effect.left_out],
      [0, 0, 0, 0, 0],
    );
    assert.equal(effect.pixels_after, effect.pixels_before);
    assert.equal(effect.bytes_after, effect.bytes_before);
  }));
});

Deno.test("a tighter limit never leaves more pixels", () => {
  fc.assert(fc.property(groups, anyPolicy, limit, limit, (population, policy, long, short) => {
    const tighter = {
      ...policy,
      long_side_px: Math.min(policy.long_side_px ?? 1e5, long ?? 1e5),
      short_side_px: Math.min(policy.short_side_px ?? 1e5, short ?? 1e5),
    };
    const loose = predictEffect({ population }, policy).pixels_after;
    assert.ok(predictEffect({ population }, tighter).pixels_after <= loose);
  }));
});

Deno.test("whatever the set and the policy: whole numbers, never more than before", async () => {
  await fc.assert(
    fc.asyncProperty(anySet, anyPolicy, async (set, policy) => {
      const effect = predictEffect((await discover(set)).baseline, policy);
      assert.deepEqual(notFinite(effect), []);
      assert.ok(Object.values(effect).every((value) => Number.isInteger(value) && value >= 0));
      assert.equal(effect.images, set.length);
      assert.ok(effect.pixels_after <= effect.pixels_before);
      assert.ok(effect.bytes_after <= effect.bytes_before);
      assert.ok(effect.changed + effect.left_out <= effect.images);
    }),
    { numRuns: 60 },
  );
});

Deno.test("counts and pixels are exact", () => {
  const population = [
    group({ images: 3, bytes: 9_000_000 }),
    group({ width: 1000, height: 750, images: 2, bytes: 400_000 }),
    group({ width: 1000, height: 750, images: 4, bytes: 900_000, jpeg_quality: 98 }),
    group({ width: 100, height: 75, images: 5, bytes: 50_000 }),
    group({ width: 1000, height: 750, format: "png", jpeg_quality: null, images: 1 }),
  ];
  const policy = policyShape.parse({
    long_side_px: 2000,
    quality: 90,
    format: "jpeg",
    leave_out: { short_side_below_px: 100 },
  });
  const { bytes_after, ...effect } = predictEffect({ population }, policy);
  assert.deepEqual(effect, {
    images: 15,
    left_out: 5,
    changed: 8,
    resized: 3,
    recompressed: 4,
    converted: 1,
    pixels_before: 3 * 12_000_000 + 7 * 750_000 + 5 * 7500,
    pixels_after: 3 * 3_000_000 + 7 * 750_000,
    bytes_before: 13_350_000,
  });
  assert.ok(bytes_after > 400_000 && bytes_after < 7_000_000, String(bytes_after));
});

Deno.test("half the sides at the same quality leave between a quarter and half of the bytes", () => {
  const { bytes_before, bytes_after } = predictEffect(
    { population: [group()] },
    policyShape.parse({ long_side_px: 2000 }),
  );
  assert.ok(bytes_after > bytes_before / 4 && bytes_after < bytes_before / 2);
});

Deno.test("without colours less is left, of a PNG the least, and of grey pictures all", () => {
  const grey = policyShape.parse({ colour: "grey", quality: 100 });
  const left = (part: Parameters<typeof group>[0]) => {
    const { bytes_before, bytes_after } = predictEffect({ population: [group(part)] }, grey);
    return bytes_after / bytes_before;
  };
  const png = left({ format: "png", jpeg_quality: null });
  assert.ok(png > 0.3 && png < left({}) && left({}) < 0.95, String(png));
  assert.equal(left({ colour_mode: "grey 8" }), 1);
});

Deno.test("a picture with more detail than another takes more bytes in another format too", () => {
  const webp = policyShape.parse({ format: "webp", quality: 75 });
  const after = (bytes: number) =>
    predictEffect({ population: [group({ bytes }), group({ bytes: 1_000_000 })] }, webp)
      .bytes_after;
  assert.ok(after(4_000_000) > 1.5 * after(2_000_000), `${after(4_000_000)}`);
  assert.ok(after(2_000_000) < 2_000_000);
});

Deno.test("pictures below a limit of sharpness are counted exactly", async () => {
  const { picture } = await import("./sets.ts");
  const set = Array.from({ length: 200 }, (_, at) => picture({}, { sharpness: 1.003 * at }));
  const { baseline } = await discover(set);
  for (const sharpness_below of [1.1, 4.9, 12, 24]) {
    const policy = policyShape.parse({ leave_out: { sharpness_below } });
    const below = set.filter(({ content }) => content!.sharpness < sharpness_below).length;
    assert.equal(predictEffect(baseline, policy).left_out, below, String(sharpness_below));
  }
});

Deno.test("no pictures have no effect, and no division by them", () => {
  const effect = predictEffect({ population: [] }, noLimits);
  assert.ok(Object.values(effect).every((value) => value === 0));
});
