import assert from "node:assert/strict";
import exifr from "exifr";
import sharp from "sharp";
import { jpegQuality } from "../../src/imaging/jpeg_quality.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { normalized, published } from "./normalize_rig.ts";

const corpus = Deno.env.get("TINTYPE_CORPUS");

async function tagged(width = 80, height = 60, quality = 80): Promise<Uint8Array> {
  return new Uint8Array(
    await sharp(await photo(width, height, { format: "png" })).withExif({
      IFD0: { Make: "Ricoh", Model: "GR III" },
      IFD2: { BodySerialNumber: "SERIAL-1234", DateTimeOriginal: "2021:05:01 12:00:00" },
      IFD3: {
        GPSLatitudeRef: "S",
        GPSLatitude: "33/1 51/1 35/1",
        GPSLongitudeRef: "E",
        GPSLongitude: "151/1 12/1 0/1",
      },
    }).jpeg({ quality }).toBuffer(),
  );
}

Deno.test("a picture within the policy stays byte for byte", async () => {
  await using rig = new PictureRig();
  const [a, b] = [await photo(80, 60), await photo(80, 60, { format: "png" })];
  rig.write({ "photos/a.jpg": a, "photos/b.png": b });
  const { rows } = await normalized(rig, { quality: 100, long_side_px: 80 });
  assert.deepEqual([...rows.values()].map((row) => row.action), ["unchanged", "unchanged"]);
  assert.deepEqual([published(rig, "a.jpg"), published(rig, "b.png")], [a, b]);
});

Deno.test("a picture within the policy that ends too soon is rejected, also where its content is not measured", async () => {
  await using rig = new PictureRig();
  const whole = await photo(200, 150);
  rig.write({ "photos/cut.jpg": whole.slice(0, whole.length * 3 / 4), "photos/whole.jpg": whole });
  const options = { metadata: "keep", hasContent: false };
  const { rows } = await normalized(rig, { quality: 100 }, options);
  assert.equal(rows.get("whole.jpg")!.action, "unchanged");
  assert.match(
    rows.get("cut.jpg")!.reason,
    /^JPEG ends after [\d,]+ bytes, inside its picture data$/,
  );
  const files = [...Deno.readDirSync(rig.path("out"))].map(({ name }) => name).sort();
  assert.deepEqual(files, [".tintype-manifest.json", "whole.jpg"]);
});

Deno.test("metadata goes without touching the picture, and is said to", async () => {
  await using rig = new PictureRig();
  const before = await tagged();
  rig.write({ "photos/a.jpg": before });
  const { rows } = await normalized(rig, { quality: 90 });
  const after = published(rig, "a.jpg");
  assert.equal(rows.get("a.jpg")!.action, "metadata_only");
  assert.match(
    rows.get("a.jpg")!.steps[0]!,
    /^metadata taken out without touching the picture: [\d,]+ bytes → [\d,]+ bytes$/,
  );
  assert.equal(await exifr.parse(after), undefined);
  assert.ok((await sharp(before).raw().toBuffer()).equals(await sharp(after).raw().toBuffer()));
});

Deno.test("keep_safe leaves the camera and takes GPS and serial numbers out, also of resized pictures", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await tagged(), "photos/b.jpg": await tagged(300, 200) });
  await normalized(rig, { quality: 90, long_side_px: 100 }, { metadata: "keep_safe" });
  for (const name of ["a.jpg", "b.jpg"]) {
    const tags = await exifr.parse(published(rig, name), { gps: true });
    assert.equal(tags.Make, "Ricoh");
    assert.ok(tags.DateTimeOriginal instanceof Date);
    assert.equal(tags.latitude, undefined);
    const text = new TextDecoder("latin1").decode(published(rig, name));
    assert.doesNotMatch(text, /SERIAL-1234/);
  }
});

Deno.test("keep leaves everything, with the orientation of what was turned set to upright", async () => {
  await using rig = new PictureRig();
  const sideways = await sharp(await tagged(300, 200)).keepExif().withMetadata({ orientation: 6 })
    .jpeg({ quality: 80 }).toBuffer();
  rig.write({ "photos/a.jpg": new Uint8Array(sideways) });
  const { rows } = await normalized(rig, {}, { metadata: "keep" });
  const after = published(rig, "a.jpg");
  const info = await sharp(after).metadata();
  assert.deepEqual([info.width, info.height, info.orientation], [200, 300, 1]);
  const tags = await exifr.parse(after, { gps: true });
  assert.match(new TextDecoder("latin1").decode(after), /SERIAL-1234/);
  assert.ok(tags.latitude < -33);
  assert.equal(rows.get("a.jpg")!.steps[0], "turned upright (EXIF orientation 6)");
});

Deno.test("quality comes down where it saves, and stays where it does not", async () => {
  await using rig = new PictureRig();
  const [high, near] = [
    await sharp(await photo(400, 300, { format: "png" })).jpeg({ quality: 98 }).toBuffer(),
    await sharp(await photo(400, 300, { format: "png" })).jpeg({ quality: 81, mozjpeg: false })
      .toBuffer(),
  ];
  rig.write({ "photos/high.jpg": new Uint8Array(high), "photos/near.jpg": new Uint8Array(near) });
  const { rows } = await normalized(rig, { quality: 80 });
  const [a, b] = [rows.get("high.jpg")!, rows.get("near.jpg")!];
  assert.equal(a.action, "recompressed");
  assert.deepEqual(a.steps.slice(0, 1), ["quality 98 → 80"]);
  assert.ok(Number(a.bytes_after) < Number(a.bytes_before));
  assert.equal(jpegQuality(published(rig, "high.jpg")), 80);
  assert.ok(a.ssim! > 0.8 && a.ssim! < 1, `SSIM ${a.ssim}`);
  assert.equal(b.action, "unchanged");
  assert.match(
    b.because,
    /^quality 81 is above 80, but encoding anew would bring [\d,]+ bytes to [\d,]+ bytes, which is not worth a loss$/,
  );
  assert.deepEqual(published(rig, "near.jpg"), new Uint8Array(near));
});

Deno.test("sizes, formats, colours and alpha come out as the policy has them", async () => {
  await using rig = new PictureRig();
  const icon = await sharp({
    create: { width: 60, height: 40, channels: 4, background: "#ff000080" },
  })
    .png().toBuffer();
  const grey = await sharp(await photo(64, 48)).toColourspace("b-w").jpeg({ quality: 90 })
    .toBuffer();
  const tiff = await sharp(await photo(64, 48)).tiff({ compression: "none" }).toBuffer();
  rig.write({
    "photos/big.jpg": await photo(400, 300),
    "photos/icon.png": new Uint8Array(icon),
    "photos/grey.jpg": new Uint8Array(grey),
    "photos/scan.tif": new Uint8Array(tiff),
  });
  const { rows } = await normalized(rig, {
    long_side_px: 200,
    quality: 95,
    alpha: "flatten",
    background: "#0000ff",
  });
  const size = async (name: string) => {
    const { width, height, channels, format } = await sharp(published(rig, name)).metadata();
    return { width, height, channels, format };
  };
  assert.deepEqual(await size("big.jpg"), { width: 200, height: 150, channels: 3, format: "jpeg" });
  assert.deepEqual(await size("icon.png"), { width: 60, height: 40, channels: 3, format: "png" });
  assert.deepEqual([...await sharp(published(rig, "icon.png")).raw().toBuffer()].slice(0, 3), [
    128,
    0,
    127,
  ]);
  assert.deepEqual(await size("grey.jpg"), { width: 64, height: 48, channels: 1, format: "jpeg" });
  assert.deepEqual(await size("scan.png"), { width: 64, height: 48, channels: 3, format: "png" });
  assert.deepEqual(rows.get("icon.png")!.steps[0], "transparency put on #0000ff");
});

Deno.test("what the policy leaves out is rejected with its reason", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(80, 60), "photos/b.jpg": await photo(80, 20) });
  const { rows } = await normalized(rig, { leave_out: { short_side_below_px: 50 } });
  assert.equal(rows.get("b.jpg")!.status, "rejected");
  assert.equal(rows.get("b.jpg")!.reason, "its short side of 20 px is below 50 px");
  assert.deepEqual([...Deno.readDirSync(rig.path("out"))].map(({ name }) => name).sort(), [
    ".tintype-manifest.json",
    "a.jpg",
  ]);
});

Deno.test({
  name:
    "of the corpus none is enlarged, none takes more bytes for a lower quality, and a rerun does nothing",
  ignore: corpus === undefined,
  fn: async () => {
    for (
      const settings of [
        { quality: 60 },
        { long_side_px: 512, quality: 85 },
        { short_side_px: 300, format: "jpeg", quality: 95, colour: "grey", alpha: "flatten" },
      ]
    ) {
      await using rig = new PictureRig();
      for (const folder of ["photos", "odd", "orientation"]) {
        for (const { name, isFile } of Deno.readDirSync(`${corpus}/corpus/${folder}`)) {
          if (!isFile) continue;
          rig.write({
            [`photos/${folder}_${name}`]: Deno.readFileSync(`${corpus}/corpus/${folder}/${name}`),
          });
        }
      }
      const { rows } = await normalized(rig, settings);
      const made = [...rows.values()].filter((row) => row.status === "produced");
      assert.ok(made.length > 100);
      for (const row of made) {
        const [before, after] = [Number(row.bytes_before), Number(row.bytes_after)];
        assert.ok(Number(row.width_after) <= Number(row.width_before), row.item);
        assert.ok(Number(row.height_after) <= Number(row.height_before), row.item);
        const isSameFormat = row.format_before === row.format_after;
        if (isSameFormat) {
          assert.ok(after <= before, `${row.item} ${row.action}: ${before} → ${after}`);
        } else {assert.ok(
            after <= before || row.steps.some((step) => step.startsWith("takes more bytes")),
          );}
      }
      assert.equal((await normalized(rig, settings)).ran, 0);
    }
  },
});
