import assert from "node:assert/strict";
import fc from "fast-check";
import { discover, type PictureFacts } from "../../src/baseline/discover.ts";
import { predictEffect } from "../../src/baseline/effect.ts";
import { policyShape } from "../../src/baseline/policy.ts";
import { policyByRules } from "../../src/baseline/rules.ts";
import { anySet, mixedSet, notFinite, picture } from "./sets.ts";

async function rulesOf(set: readonly PictureFacts[]) {
  const { baseline } = await discover(set);
  return { baseline, ...policyByRules(baseline) };
}

/** What stands at a path such as `quantiles.long_side.p90` or `modes.format.0.share`. */
function at(value: unknown, path: string): unknown {
  return path.split(".").reduce(
    (part, name) => (part as Record<string, unknown> | undefined)?.[name],
    value,
  );
}

Deno.test("every reason of every set leads to the number that it names, and limits stay below it", async () => {
  await fc.assert(
    fc.asyncProperty(anySet, async (set) => {
      const { baseline, policy, reasons } = await rulesOf(set);
      assert.deepEqual(policyShape.parse(policy), policy);
      assert.deepEqual(notFinite({ policy, reasons }), []);
      for (const { setting, value, from, measured, because } of reasons) {
        assert.equal(at(policy, setting), value, setting);
        assert.notEqual(because, "");
        assert.equal(from === null, measured === null);
        if (from !== null) assert.equal(at(baseline, from), measured, from);
        if (typeof value === "number" && from !== null) assert.ok(value <= measured!, setting);
      }
    }),
    { numRuns: 80 },
  );
});

Deno.test("no picture is enlarged, and at most one in five is left out", async () => {
  await fc.assert(
    fc.asyncProperty(anySet, async (set) => {
      const { baseline, policy } = await rulesOf(set);
      const effect = predictEffect(baseline, policy);
      assert.ok(effect.pixels_after <= effect.pixels_before);
      assert.ok(effect.bytes_after <= effect.bytes_before);
      assert.ok(effect.left_out <= set.length / 5 || set.length < 20);
    }),
    { numRuns: 60 },
  );
});

Deno.test("pictures all alike stay as they are", async () => {
  const { baseline, policy } = await rulesOf(Array.from({ length: 30 }, () => picture()));
  assert.deepEqual([policy.long_side_px, policy.short_side_px, policy.quality], [4000, 3000, 90]);
  const { changed, left_out, bytes_after } = predictEffect(baseline, policy);
  assert.deepEqual({ changed, left_out, bytes_after }, {
    changed: 0,
    left_out: 0,
    bytes_after: baseline.bytes,
  });
});

Deno.test("no pictures give no limits, in plain words", async () => {
  const { policy, reasons } = await rulesOf([]);
  assert.deepEqual(policy, policyShape.parse({}));
  assert.ok(reasons.every(({ from }) => from === null));
});

Deno.test("one more picture does not move the policy of a large set", async () => {
  const set = mixedSet(1000);
  const before = (await rulesOf(set)).policy;
  for (const metadata of [{ width: 16_000, height: 12_000 }, { width: 120, height: 90 }]) {
    const { policy } = await rulesOf([...set, picture(metadata)]);
    assert.deepEqual(policy, before);
  }
});

Deno.test("sides are limited to what nine of ten have, in steps of 64 px", async () => {
  const { baseline, policy } = await rulesOf(mixedSet(300));
  const measured = baseline.quantiles["long_side"]!.p90;
  assert.equal(policy.long_side_px! % 64, 0);
  assert.ok(policy.long_side_px! <= measured && policy.long_side_px! > measured - 64);
});

Deno.test("a few PNG among JPEGs become JPEG, but not where some have transparency", async () => {
  const jpegs = Array.from({ length: 95 }, () => picture());
  const png = { format: "png", jpeg_quality: null };
  const plain = await rulesOf([...jpegs, ...Array.from({ length: 5 }, () => picture(png))]);
  assert.deepEqual([plain.policy.format, plain.policy.alpha], ["jpeg", "flatten"]);
  const transparent = { ...png, has_alpha: true, uses_alpha: true };
  const mixed = await rulesOf([...jpegs, ...Array.from({ length: 5 }, () => picture(transparent))]);
  assert.deepEqual([mixed.policy.format, mixed.policy.alpha], ["keep", "keep"]);
});

Deno.test("a set without colour is written as grey", async () => {
  const grey = mixedSet().map(({ metadata }) => picture(metadata, { colourfulness: 0.2 }));
  assert.equal((await rulesOf(grey)).policy.colour, "grey");
  assert.equal((await rulesOf([...grey, picture()])).policy.colour, "keep");
});

Deno.test("a few blurred, tiny or clipped pictures are left out, and nothing else", async () => {
  const set = [
    ...mixedSet(300).map(({ metadata }, at) => picture(metadata, { sharpness: 200 + at })),
    picture({ width: 60, height: 40 }),
    picture({ width: 2000, height: 1500 }, { sharpness: 0.2 }),
    picture({ width: 2000, height: 1500 }, { clipped_dark: 0.95 }),
  ];
  const { baseline, policy } = await rulesOf(set);
  assert.equal(predictEffect(baseline, policy).left_out, 3);
});

Deno.test("a third of thumbnails is a group of its own, not left out", async () => {
  const set = [
    ...Array.from({ length: 200 }, (_, at) => picture({ width: 4000 + at, height: 3000 + at })),
    ...Array.from({ length: 100 }, () => picture({ width: 160, height: 120, bytes: 9000 })),
  ];
  const { baseline, policy } = await rulesOf(set);
  assert.equal(policy.leave_out.short_side_below_px, null);
  assert.equal(predictEffect(baseline, policy).left_out, 0);
});

Deno.test("quality is limited to what three of four JPEGs have, and to 95", async () => {
  const shared = await rulesOf(
    Array.from({ length: 40 }, (_, at) => picture({ jpeg_quality: at < 20 ? 75 : 92 })),
  );
  assert.equal(shared.policy.quality, 92);
  const best = await rulesOf(Array.from({ length: 40 }, () => picture({ jpeg_quality: 100 })));
  assert.equal(best.policy.quality, 95);
  const none = await rulesOf([picture({ format: "png", jpeg_quality: null })]);
  assert.equal(none.policy.quality, 90);
});
