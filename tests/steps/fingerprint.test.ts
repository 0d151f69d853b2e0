import assert from "node:assert/strict";
import sharp from "sharp";
import { sha256 } from "../../src/runtime/hash.ts";
import { Catalog } from "../../src/runtime/catalog.ts";
import { scan } from "../../src/steps/ingest/scan.ts";
import { inspectFingerprint } from "../../src/steps/inspect/fingerprint.ts";
import { outcomes, photo, PictureRig } from "../picture_rig.ts";

const catalog = new Catalog([scan, inspectFingerprint]);

const recipe = (params = "") => `
recipe: fingerprint_test
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  prints: { use: inspect.fingerprint, from: photos${params} }
`;

Deno.test("a picture in other wrapping has the same pixels and hashes, and another sha256", async () => {
  await using rig = new PictureRig({ catalog });
  const png = await photo(160, 120, { format: "png" });
  const webp = new Uint8Array(await sharp(png).webp({ lossless: true }).toBuffer());
  rig.write({ "photos/a.png": png, "photos/b.webp": webp, "photos/c.jpg": await photo(160, 120) });
  assert.equal((await rig.run(recipe())).status, "complete");
  const [a, b, c] = await rig.query("SELECT * FROM prints ORDER BY item");
  assert.equal(a!["sha256"], sha256(png));
  assert.equal(b!["sha256"], sha256(webp));
  for (const column of ["pixels", "width", "height", "dhash", "phash", "detail"]) {
    assert.equal(a![column], b![column], column);
  }
  assert.notEqual(c!["pixels"], a!["pixels"]);
  assert.deepEqual([a!["dhash_black"], a!["is_flat"]], [null, false]);
  assert.ok(!("thumbnail" in a!), "7 kB a picture have no place in the tables");
});

Deno.test("orientations are there when asked for, and a second run makes nothing", async () => {
  await using rig = new PictureRig({ catalog });
  rig.write({ "photos/a.jpg": await photo(90, 120) });
  const withOrientations = recipe(", with: { orientations: true }");
  await rig.run(withOrientations);
  const [row] = await rig.query("SELECT * FROM prints");
  const hashes = JSON.parse(String(row!["phash_orientations"])) as string[];
  assert.equal(hashes.length, 8);
  assert.equal(hashes[0], row!["phash"]);
  assert.equal((await rig.run(withOrientations)).counts.ran, 0);
});

Deno.test("a damaged picture is left out with its reason", async () => {
  await using rig = new PictureRig({ catalog });
  const whole = await photo(300, 200);
  rig.write({ "photos/a.jpg": whole, "photos/b.jpg": whole.subarray(0, whole.length >> 1) });
  const { events } = await rig.run(recipe());
  assert.deepEqual(outcomes(events, "prints"), { "a.jpg": "ran", "b.jpg": "rejected" });
});
