import assert from "node:assert/strict";
import fc from "fast-check";
import { baselineShape, standingShape } from "../../src/baseline/baseline.ts";
import { discover } from "../../src/baseline/discover.ts";
import { anySet, mixedSet, notFinite, picture } from "./sets.ts";

Deno.test("a baseline and its standings have their shape, and no number that is none", async () => {
  await fc.assert(
    fc.asyncProperty(anySet, async (set) => {
      const { baseline, standings } = await discover(set);
      assert.deepEqual(notFinite(baseline), []);
      assert.deepEqual(baselineShape.parse(baseline), baseline);
      assert.equal(standings.length, set.length);
      for (const standing of standings) assert.deepEqual(standingShape.parse(standing), standing);
      assert.doesNotMatch(baseline.summary.join(), /NaN|Infinity|undefined|null/);
    }),
    { numRuns: 60 },
  );
});

Deno.test("the order of the pictures does not count", async () => {
  await fc.assert(
    fc.asyncProperty(anySet, fc.integer({ min: 0, max: 40 }), async (set, start) => {
      const turned = [...set.slice(start), ...set.slice(0, start)].reverse();
      const [first, second] = [await discover(set), await discover(turned)];
      assert.deepEqual(second.baseline, first.baseline);
      set.forEach((picture, at) => {
        assert.deepEqual(second.standings[turned.indexOf(picture)], first.standings[at]);
      });
    }),
    { numRuns: 40 },
  );
});

Deno.test("the population holds every picture once, and clusters do", async () => {
  await fc.assert(
    fc.asyncProperty(anySet, async (set) => {
      const { images, bytes, pixels, population, clusters } = (await discover(set)).baseline;
      const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
      assert.equal(sum(population.map((group) => group.images)), images);
      assert.equal(sum(population.map((group) => group.bytes)), bytes);
      assert.equal(
        sum(population.map((group) => group.images * group.width * group.height)),
        pixels,
      );
      assert.equal(sum(clusters.clusters.map(({ count }) => count)), images);
    }),
    { numRuns: 40 },
  );
});

Deno.test("no pictures give a baseline that says so", async () => {
  const { baseline, standings } = await discover([]);
  assert.equal(baseline.images, 0);
  assert.deepEqual(baseline.quantiles, {});
  assert.deepEqual(baseline.population, []);
  assert.deepEqual(baseline.clusters.clusters, []);
  assert.deepEqual(baseline.summary, ["There are no pictures to read a baseline from."]);
  assert.deepEqual(standings, []);
});

Deno.test("one picture is a cluster by itself and no outlier", async () => {
  const { baseline, standings } = await discover([picture()]);
  assert.deepEqual(standings, [{ cluster: 1, is_outlier: false, outlier_of: [] }]);
  assert.equal(baseline.clusters.silhouette, null);
  assert.deepEqual(baseline.clusters.clusters, [
    { cluster: 1, count: 1, share: 1, width: 4000, height: 3000, bytes: 3_000_000 },
  ]);
});

Deno.test("pictures all alike are one cluster without outliers, in sentences without ranges", async () => {
  const { baseline } = await discover(Array.from({ length: 50 }, () => picture()));
  assert.equal(baseline.clusters.clusters.length, 1);
  assert.equal(baseline.outliers.images, 0);
  assert.equal(baseline.population.length, 1);
  assert.ok(baseline.summary.includes("All are 4000 × 3000 pixels."));
  assert.ok(baseline.summary.includes("All are JPEG."));
});

Deno.test("a set of PNG has no distribution of JPEG quality", async () => {
  const set = mixedSet().map(({ metadata, content }) => ({
    metadata: { ...metadata, format: "png", jpeg_quality: null },
    content,
  }));
  const { baseline } = await discover(set);
  assert.equal(baseline.quantiles["jpeg_quality"], undefined);
  assert.equal(baseline.histograms["jpeg_quality"], undefined);
  assert.equal(baseline.modes["jpeg_quality"], undefined);
  assert.doesNotMatch(baseline.summary.join(), /quality/);
});

Deno.test("without content, only what headers say is measured", async () => {
  const { baseline } = await discover([picture({}, null), picture({ bytes: 2_000_000 }, null)]);
  assert.equal(baseline.quantiles["sharpness"], undefined);
  assert.equal(baseline.quantiles["bytes"]!.count, 2);
  assert.doesNotMatch(baseline.summary.join(), /sharpness|brightness/);
});

Deno.test("two kinds of pictures are two clusters, the larger one first", async () => {
  const large = Array.from({ length: 60 }, (_, at) => picture({ bytes: 3_000_000 + at * 1000 }));
  const small = Array.from(
    { length: 40 },
    (_, at) => picture({ width: 640, height: 480, bytes: 60_000 + at * 100 }),
  );
  const { baseline, standings } = await discover([...small, ...large]);
  const { clusters, silhouette } = baseline.clusters;
  assert.deepEqual(clusters.map(({ count, width, height }) => [count, width, height]), [
    [60, 4000, 3000],
    [40, 640, 480],
  ]);
  assert.ok(silhouette! > 0.9);
  assert.deepEqual([standings[0]!.cluster, standings[99]!.cluster], [2, 1]);
});

Deno.test("an outlier is told with its value and the bound", async () => {
  const { baseline, standings } = await discover([...mixedSet(), picture({}, { sharpness: 0.5 })]);
  assert.equal(standings.at(-1)!.is_outlier, true);
  assert.match(standings.at(-1)!.outlier_of.join(), /^sharpness 0\.5 is below \d/);
  const rule = baseline.outliers.rules.find(({ measure }) => measure === "sharpness")!;
  assert.equal(rule.below, 1);
});

Deno.test("modes are in words: sizes, aspects, orientations, cameras", async () => {
  const { modes } = (await discover([
    picture({ camera_make: "NIKON CORPORATION", camera_model: "NIKON D90", orientation: 6 }),
    picture({ camera_make: "Canon", camera_model: "Canon EOS 5D" }),
    picture({ camera_make: "Apple", camera_model: "iPhone 6", width: 1080, height: 1920 }),
    picture({ icc_profile: "Display P3", is_srgb: false }),
  ])).baseline;
  assert.deepEqual(modes["resolution"]![0], { value: "4000 × 3000", count: 3, share: 0.75 });
  assert.deepEqual(modes["aspect_ratio"]!.map(({ value }) => value), ["4:3", "9:16"]);
  assert.deepEqual(modes["camera"]!.map(({ value }) => value), [
    "Apple iPhone 6",
    "Canon EOS 5D",
    "NIKON D90",
  ]);
  assert.deepEqual(modes["orientation"]!.map(({ value }) => value), [
    "1 (upright)",
    "6 (turned by 90°)",
  ]);
  assert.deepEqual(modes["icc_profile"]!.map(({ value }) => value), ["none", "Display P3"]);
});
