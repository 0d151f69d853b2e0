import assert from "node:assert/strict";
import fc from "fast-check";
import { policyShape } from "../../src/baseline/policy.ts";
import { type Picture, treatmentOf } from "../../src/baseline/treatment.ts";

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
  jpeg_quality: 80,
};

const sides = fc.integer({ min: 1, max: 6000 });
const limits = fc.option(fc.integer({ min: 64, max: 4000 }), { nil: null });
const lengths = fc.double({ min: 0.5, max: 3000, noNaN: true });

Deno.test("with a face nothing is enlarged, nor smaller than without, and the face keeps what it can", () => {
  fc.assert(fc.property(
    fc.record({ width: sides, height: sides }),
    fc.record({ long_side_px: limits, short_side_px: limits }),
    fc.record({ side_px: lengths, least_px: fc.integer({ min: 1, max: 512 }) }),
    (size, wanted, face) => {
      const [picture, policy] = [{ ...plain, ...size }, policyShape.parse(wanted)];
      const without = treatmentOf(picture, policy);
      const { width, height, heldBy, isResized } = treatmentOf(picture, policy, { face });
      assert.ok(width <= size.width && height <= size.height);
      assert.ok(width >= without.width && height >= without.height);
      const left = face.side_px * Math.min(width / size.width, height / size.height);
      if (isResized) assert.ok(left >= face.least_px - 1e-6, `${left} px of ${face.least_px}`);
      assert.equal(heldBy !== undefined, width > without.width || height > without.height);
    },
  ));
});

Deno.test("the policy's limits hold for the part that is taken", () => {
  const box = { x: 500, y: 0, width: 3000, height: 3000, reason: "keeps all of 1 face" };
  const { required, heldBy, ...treatment } = treatmentOf(
    plain,
    policyShape.parse({ long_side_px: 1000 }),
    { box, face: { side_px: 120, least_px: 40 } },
  );
  assert.deepEqual([treatment.width, treatment.height, heldBy], [1000, 1000, undefined]);
  assert.deepEqual(treatment.crop, { x: 500, y: 0, width: 3000, height: 3000 });
  assert.deepEqual(required, [
    "cropped 4000 × 3000 → 3000 × 3000 at 500, 0 (keeps all of 1 face)",
    "resized 3000 × 3000 → 1000 × 1000",
  ]);
});

Deno.test("a part that is within the policy is only cropped, and all of a picture is no part", () => {
  const policy = policyShape.parse({ long_side_px: 3000 });
  const part = { x: 0, y: 0, width: 3000, height: 3000, reason: "." };
  assert.equal(treatmentOf(plain, policy, { box: part }).isResized, false);
  const whole = { ...part, width: 4000 };
  assert.deepEqual(treatmentOf(plain, policy, { box: whole }), treatmentOf(plain, policy));
});
