import assert from "node:assert/strict";
import sharp from "sharp";
import type { RunEvent } from "../../src/runtime/event.ts";
import { PictureRig } from "../picture_rig.ts";
import { bombs, type Malformed, malformed, wholePictures } from "./malformed.ts";

/** What a task may take, its waiting for a core counted. */
const slowestMs = 10_000;

const recipe = `recipe: hostile
steps:
  photos:   { use: ingest.scan, with: { folder: ./photos } }
  metadata: { use: inspect.metadata, from: photos }
  content:  { use: inspect.content, from: photos }
  proxies:  { use: image.proxy, from: photos }
  prints:   { use: inspect.fingerprint, from: photos }
  files:    { use: publish.files, from: proxies, with: { folder: ./out } }
`;

type Settled = Extract<RunEvent, { readonly type: "task-settled" }>;

async function settledOf(pictures: Iterable<Malformed>): Promise<readonly Settled[]> {
  await using rig = new PictureRig();
  let count = 0;
  for (const { name, bytes } of pictures) {
    rig.write({ [`photos/${name}`]: bytes });
    count++;
  }
  const { events, status } = await rig.run(recipe);
  assert.equal(status, "complete");
  const settled = events.flatMap((event) => event.type === "task-settled" ? [event] : []);
  for (const node of ["photos", "metadata", "content", "proxies", "prints"]) {
    assert.equal(settled.filter((event) => event.node === node).length, count, node);
  }
  return settled;
}

function assertJudged(settled: readonly Settled[]) {
  for (const { node, item, outcome, reason, elapsedMs } of settled) {
    const what = `${item} (${node}): ${outcome} ${reason ?? ""}`;
    assert.ok(outcome !== "failed" && outcome !== "waiting", what);
    assert.ok((elapsedMs ?? 0) < slowestMs, `${what} after ${elapsedMs} ms`);
    if (outcome === "rejected") assert.ok(reason !== undefined && reason.length < 300, what);
  }
}

Deno.test("600 spoilt pictures of all formats each get a verdict, and soon", async () => {
  assertJudged(await settledOf(malformed(await wholePictures(), { count: 600, seed: 11 })));
});

Deno.test("small files that claim or become much get a verdict, and soon", async () => {
  const settled = await settledOf(await bombs());
  assertJudged(settled);
  const rejected = new Set(
    settled.filter(({ outcome }) => outcome === "rejected").map(({ item }) => item),
  );
  for (const name of ["bomb-over.png", "bomb-empty.jpg", "bomb-circle.tif", "bomb-name-only.png"]) {
    assert.ok(rejected.has(name), name);
  }
});

async function reasonOf(name: string, bytes: Uint8Array): Promise<string | undefined> {
  const settled = await settledOf([{ name, bytes }]);
  assertJudged(settled);
  return settled.find(({ outcome }) => outcome === "rejected")?.reason;
}

Deno.test("an AVIF whose decoding would take gigabytes is left out by its header", async () => {
  const small = sharp({ create: { width: 64, height: 64, channels: 3, background: "red" } });
  const bytes = new Uint8Array(await small.avif({ effort: 0 }).toBuffer());
  const at = new TextDecoder("latin1").decode(bytes).indexOf("ispe");
  const view = new DataView(bytes.buffer);
  view.setUint32(at + 8, 16_384);
  view.setUint32(at + 12, 16_000);
  assert.equal(
    await reasonOf("wide.avif", bytes),
    "16,384 × 16,000 pixels is over the limit of 67,108,864",
  );
});

Deno.test("a TIFF with more channels than its colours have is left out, which is no failure", async () => {
  const red = sharp({ create: { width: 48, height: 36, channels: 3, background: "red" } });
  const tiled = red.tiff({ compression: "deflate", tile: true, tileWidth: 16, tileHeight: 16 });
  const bytes = new Uint8Array(await tiled.toBuffer());
  const view = new DataView(bytes.buffer);
  const directory = view.getUint32(4, true);
  for (let entry = directory + 2; entry < bytes.length - 12; entry += 12) {
    // Photometric interpretation (TIFF 6.0, section 3): grey, white is zero.
    if (view.getUint16(entry, true) !== 262) continue;
    view.setUint16(entry + 8, 0, true);
    break;
  }
  const reason = await reasonOf("grey.tif", bytes);
  assert.equal(reason, "TIFF has 5 channels (3, or 4 with alpha, are wanted)");
});
