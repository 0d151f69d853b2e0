import assert from "node:assert/strict";
import fc from "fast-check";
import { type Policy, policyShape } from "../../src/baseline/policy.ts";
import { leftOut, type Picture, treatmentOf } from "../../src/baseline/treatment.ts";

const plain: Picture = {
  format: "jpeg",
  width: 4000,
  height: 3000,
  orientation: 1,
  colour_space: "rgb",
  bit_depth: 8,
  has_alpha: false,
  uses_alpha: false,
  icc_profile: null,
  is_srgb: true,
  pages: 1,
  jpeg_quality: 92,
};

function policy(settings: Readonly<Record<string, unknown>>): Policy {
  return policyShape.parse(settings);
}

const pictures = fc.record({
  format: fc.constantFrom("jpeg", "png", "webp", "tiff", "gif", "avif"),
  width: fc.integer({ min: 1, max: 20_000 }),
  height: fc.integer({ min: 1, max: 20_000 }),
  orientation: fc.integer({ min: 1, max: 8 }),
  colour_space: fc.constantFrom("rgb", "grey", "cmyk"),
  bit_depth: fc.constantFrom(1, 8, 16),
  has_alpha: fc.boolean(),
  uses_alpha: fc.boolean(),
  icc_profile: fc.constantFrom(null, "Display P3"),
  is_srgb: fc.boolean(),
  pages: fc.constantFrom(1, 3),
  jpeg_quality: fc.option(fc.integer({ min: 1, max: 100 })),
});

const policies = fc.record({
  long_side_px: fc.option(fc.integer({ min: 16, max: 16_384 })),
  short_side_px: fc.option(fc.integer({ min: 16, max: 16_384 })),
  format: fc.constantFrom("keep", "jpeg", "png", "webp"),
  quality: fc.integer({ min: 1, max: 100 }),
  colour: fc.constantFrom("keep", "rgb", "grey"),
  alpha: fc.constantFrom("keep", "flatten"),
}).map(policy);

Deno.test("no picture is enlarged, none gets a higher quality, and limits are kept", () => {
  fc.assert(fc.property(pictures, policies, (picture, wanted) => {
    const { width, height, quality, isResized } = treatmentOf(picture, wanted);
    assert.ok(width >= 1 && height >= 1 && width <= picture.width && height <= picture.height);
    assert.ok(quality <= wanted.quality && quality <= (picture.jpeg_quality ?? 100));
    const [long, short] = [Math.max(width, height), Math.min(width, height)];
    assert.ok(long <= (wanted.long_side_px ?? Infinity));
    assert.ok(short <= (wanted.short_side_px ?? Infinity));
    assert.equal(isResized, width !== picture.width || height !== picture.height);
  }));
});

Deno.test("what was treated is within the policy", () => {
  fc.assert(fc.property(pictures, policies, (picture, wanted) => {
    const { width, height, formats, quality, isGrey, isFlattened } = treatmentOf(picture, wanted);
    const treated: Picture = {
      ...plain,
      format: formats[0]!,
      width,
      height,
      colour_space: isGrey ? "grey" : "rgb",
      is_srgb: !isGrey,
      has_alpha: picture.has_alpha && !isFlattened,
      jpeg_quality: formats[0] === "jpeg" ? quality : null,
    };
    const again = treatmentOf(treated, wanted);
    assert.deepEqual(again.required, []);
    assert.equal(again.isQualityAbove, false);
  }));
});

Deno.test("a picture within the policy needs nothing", () => {
  const { required, isQualityAbove } = treatmentOf(plain, policy({ quality: 95 }));
  assert.deepEqual([required, isQualityAbove], [[], false]);
});

Deno.test("a quality above the policy's is all that is asked of a picture that is fine otherwise", () => {
  const { required, isQualityAbove, quality } = treatmentOf(plain, policy({ quality: 85 }));
  assert.deepEqual([required, isQualityAbove, quality], [[], true, 85]);
});

Deno.test("of two limits the tighter one counts, with sides rounded half up", () => {
  const both = treatmentOf(plain, policy({ long_side_px: 2000, short_side_px: 1000 }));
  assert.deepEqual([both.width, both.height], [1333, 1000]);
  const long = treatmentOf(plain, policy({ long_side_px: 1000, short_side_px: 1000 }));
  assert.deepEqual([long.width, long.height], [1000, 750]);
  assert.deepEqual(long.required, ["resized 4000 × 3000 → 1000 × 750"]);
});

Deno.test("each reason has its sentence", () => {
  const odd = {
    ...plain,
    orientation: 6,
    bit_depth: 16,
    icc_profile: "ProPhoto RGB",
    is_srgb: false,
  };
  assert.deepEqual(treatmentOf(odd, policy({})).required, [
    "turned upright (EXIF orientation 6)",
    "16 → 8 bits a channel",
    'converted from "ProPhoto RGB" to sRGB',
  ]);
  const icon = { ...plain, format: "png", has_alpha: true, uses_alpha: true, jpeg_quality: null };
  assert.deepEqual(
    treatmentOf(icon, policy({ alpha: "flatten", background: "#102030" })).required,
    [
      "transparency put on #102030",
    ],
  );
  assert.deepEqual(
    treatmentOf({ ...plain, format: "tiff", jpeg_quality: null }, policy({})).required,
    [
      "converted from TIFF to PNG",
    ],
  );
  const cmyk = { ...plain, colour_space: "cmyk", is_srgb: false };
  assert.deepEqual(treatmentOf(cmyk, policy({})).required, ["converted from CMYK to sRGB"]);
  const grey = { ...plain, colour_space: "grey", is_srgb: false };
  assert.deepEqual(treatmentOf(grey, policy({})).required, []);
  assert.deepEqual(treatmentOf(grey, policy({ colour: "rgb" })).required, ["grey written as RGB"]);
});

Deno.test("pictures are left out with the numbers they were judged by", () => {
  const limits = policy({
    leave_out: { short_side_below_px: 512, sharpness_below: 10, clipped_above: 0.3 },
  });
  const fine = { sharpness: 10, clipped_dark: 0.1, clipped_bright: 0.2 };
  assert.equal(leftOut(plain, fine, limits), undefined);
  assert.equal(leftOut(plain, undefined, limits), undefined);
  assert.deepEqual(leftOut({ width: 511, height: 900 }, fine, limits), {
    reason: "its short side of 511 px is below 512 px",
    numbers: { short_side_px: 511, limit_px: 512 },
  });
  assert.deepEqual(leftOut(plain, { ...fine, sharpness: 9.5 }, limits)?.numbers, {
    sharpness: 9.5,
    limit: 10,
  });
  assert.equal(
    leftOut(plain, { ...fine, clipped_bright: 0.35 }, limits)?.reason,
    "45 % of its pixels are clipped, above 30 %",
  );
});
