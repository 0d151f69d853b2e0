import assert from "node:assert/strict";
import sharp from "sharp";
import { outcomes, photo, PictureRig } from "../picture_rig.ts";

async function only(rig: PictureRig): Promise<Uint8Array> {
  const names = [...Deno.readDirSync(rig.path("proxies"))].map((entry) => entry.name)
    .filter((name) => !name.startsWith("."));
  assert.equal(names.length, 1, String(names));
  return await Deno.readFile(rig.path(`proxies/${names[0]}`));
}

Deno.test("the short side becomes exactly 896, the long side follows", async () => {
  await using rig = new PictureRig();
  rig.write({
    "photos/wide.jpg": await photo(1601, 1067),
    "photos/tall.jpg": await photo(1000, 2003),
  });
  await rig.proxy();
  assert.deepEqual(
    await rig.query("SELECT item, format, width, height FROM proxies ORDER BY item"),
    [
      { item: "tall.jpg", format: "jpeg", width: 896, height: Math.round(2003 * 896 / 1000) },
      { item: "wide.jpg", format: "jpeg", width: Math.round(1601 * 896 / 1067), height: 896 },
    ],
  );
});

Deno.test("a small photo passes on without recompression, its private metadata cut out", async () => {
  await using rig = new PictureRig();
  const plain = await photo(300, 200);
  const withExif = new Uint8Array(
    await sharp(plain).jpeg({ quality: 90 }).withExif({
      IFD0: { Make: "Canon" },
      IFD3: { GPSLatitudeRef: "N", GPSLatitude: "51/1 30/1 0/1" },
    }).toBuffer(),
  );
  rig.write({ "photos/a.jpg": withExif });
  await rig.proxy();
  const proxy = await only(rig);
  const picture = (bytes: Uint8Array) =>
    bytes.subarray(
      bytes.findLastIndex((byte, at) =>
        byte === 0xda && bytes[at - 1] === 0xff && bytes[at + 1] === 0
      ),
    );
  assert.deepEqual(picture(proxy), picture(withExif));
  assert.equal((await sharp(proxy).metadata()).exif, undefined);
  assert.ok(proxy.length < withExif.length);
});

Deno.test("a small photo without metadata is passed on as it is", async () => {
  await using rig = new PictureRig();
  const plain = await photo(300, 200);
  rig.write({ "photos/a.jpg": plain });
  await rig.proxy();
  assert.deepEqual(await only(rig), plain);
});

Deno.test("a small photo that lies on its side is turned", async () => {
  await using rig = new PictureRig();
  const plain = await photo(300, 200);
  rig.write({
    "photos/a.jpg": new Uint8Array(await sharp(plain).withMetadata({ orientation: 6 }).toBuffer()),
  });
  await rig.proxy();
  const { width, height, orientation } = await sharp(await only(rig)).metadata();
  assert.deepEqual([width, height, orientation ?? 1], [200, 300, 1]);
});

Deno.test("auto makes PNG of drawings and of transparency, JPEG of photos; a format is obeyed", async () => {
  await using rig = new PictureRig();
  const drawing = `<svg width="1200" height="1000"><rect width="1200" height="1000" fill="white"/>
    <g stroke="black" stroke-width="6" fill="none"><path d="M100 100L900 700"/><circle cx="600" cy="500" r="300"/></g></svg>`;
  const { data, info } = await sharp(await photo(1200, 1000)).ensureAlpha().raw()
    .toBuffer({ resolveWithObject: true });
  for (let at = 3; at < data.length / 2; at += 4) data[at] = 0;
  rig.write({
    "photos/drawing.png": new Uint8Array(
      await sharp(new TextEncoder().encode(drawing)).png().toBuffer(),
    ),
    "photos/cutout.png": new Uint8Array(
      await sharp(data, { raw: { width: info.width, height: info.height, channels: 4 } }).png()
        .toBuffer(),
    ),
    "photos/photo.png": await photo(1200, 1000, { format: "png" }),
  });
  await rig.proxy();
  const formats = async () =>
    Object.fromEntries(
      (await rig.query("SELECT item, format FROM proxies")).map((
        row,
      ) => [row["item"], row["format"]]),
    );
  assert.deepEqual(await formats(), {
    "cutout.png": "png",
    "drawing.png": "png",
    "photo.png": "jpeg",
  });
  await rig.proxy({ format: "webp" });
  assert.deepEqual(await formats(), {
    "cutout.png": "webp",
    "drawing.png": "webp",
    "photo.png": "webp",
  });
});

Deno.test("a truncated photo is left out with the reason, and stays so from the cache", async () => {
  await using rig = new PictureRig();
  const whole = await photo(1000, 1000);
  rig.write({ "photos/a.jpg": whole.subarray(0, whole.length / 2), "photos/b.jpg": whole });
  const first = await rig.proxy();
  assert.deepEqual(outcomes(first.events, "proxies"), { "a.jpg": "rejected", "b.jpg": "ran" });
  assert.equal(first.status, "complete");
  const second = await rig.proxy();
  assert.equal(second.counts.ran, 0);
  assert.equal(second.counts.rejected, 1);
  const [row] = await rig.query("SELECT reason FROM proxies WHERE item = 'a.jpg'");
  assert.match(String(row!["reason"]), /JPEG ends after [\d,]+/);
});

Deno.test("changing the quality reruns proxies and what follows, nothing before", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(1000, 1000), "photos/small.jpg": await photo(100, 80) });
  await rig.proxy();
  const { events } = await rig.proxy({ quality: 60 });
  assert.deepEqual(outcomes(events, "photos"), { "a.jpg": "cached", "small.jpg": "cached" });
  assert.deepEqual(outcomes(events, "proxies"), { "a.jpg": "ran", "small.jpg": "ran" });
  assert.deepEqual(outcomes(events, "savings"), { "": "ran" });
});

Deno.test("renaming a photo reruns only the publication, which carries the name", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(1000, 1000), "photos/b.jpg": await photo(900, 1000) });
  await rig.proxy();
  Deno.renameSync(rig.path("photos/a.jpg"), rig.path("photos/z.jpg"));
  const { events, counts } = await rig.proxy();
  assert.equal(counts.ran, 1);
  assert.deepEqual(outcomes(events, "files"), { "": "ran" });
  const names = [...Deno.readDirSync(rig.path("proxies"))].map((entry) => entry.name[0]).sort();
  assert.deepEqual(names, [".", "b", "z"]);
});

Deno.test("savings compare bytes and dimensions, one by one and together", async () => {
  await using rig = new PictureRig();
  const a = await photo(1600, 1200);
  rig.write({ "photos/a.jpg": a, "photos/bad.jpg": a.subarray(0, 5000) });
  await rig.proxy();
  const proxy = await only(rig);
  const [row] = await rig.query("SELECT * FROM savings WHERE status = 'produced'");
  assert.deepEqual(
    [row!["bytes_before"], row!["bytes_after"], row!["width_before"], row!["height_after"]],
    [a.length, proxy.length, 1600, 896],
  );
  const [total] = await rig.query("SELECT images, without_proxy, bytes_saved FROM savings_total");
  assert.deepEqual(total, { images: 1, without_proxy: 1, bytes_saved: a.length - proxy.length });
});
