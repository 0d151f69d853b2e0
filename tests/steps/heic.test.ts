import assert from "node:assert/strict";
import sharp from "sharp";
import { readHeader } from "../../src/imaging/header.ts";
import { heicOf, heicTest, sampleOf } from "../imaging/heic_files.ts";
import { outcomes, photo, PictureRig } from "../picture_rig.ts";
import { inspected } from "./inspected.ts";
import { normalized, published } from "./normalize_rig.ts";

const exif = {
  IFD0: { Make: "Apple", Model: "iPhone 14 Pro", Orientation: "6" },
  IFD2: {
    DateTimeOriginal: "2024:03:09 17:45:12",
    OffsetTimeOriginal: "+01:00",
    ISOSpeedRatings: "80",
    ExposureTime: "1/120",
    FNumber: "178/100",
    FocalLength: "686/100",
  },
  IFD3: {
    GPSLatitudeRef: "N",
    GPSLatitude: "52/1 31/1 1234/100",
    GPSLongitudeRef: "E",
    GPSLongitude: "13/1 24/1 4567/100",
  },
};

/** A HEIC with the EXIF of a phone. */
async function phonePhoto(width: number, height: number, seed = 1): Promise<Uint8Array> {
  const source = sharp(await photo(width, height, { seed })).withExif(exif).jpeg({ quality: 95 });
  return await heicOf(new Uint8Array(await source.toBuffer()));
}

const heic = await sampleOf(() => phonePhoto(640, 480));

heicTest(
  "camera, exposure, date and place of a HEIC are those of its EXIF, its orientation is not",
  async () => {
    const { row, warnings, decodes } = await inspected(heic);
    const { format, width, height, orientation, camera_make, camera_model } = row;
    assert.deepEqual([format, width, height, orientation], ["heic", 640, 480, 1]);
    assert.deepEqual([camera_make, camera_model], ["Apple", "iPhone 14 Pro"]);
    assert.deepEqual(
      [row.iso, row.f_number, row.focal_length_mm, row.taken_at, row.taken_at_offset],
      [80, 1.78, 6.86, "2024-03-09T17:45:12", "+01:00"],
    );
    assert.deepEqual([row.latitude, row.longitude], [52.52009444, 13.41268611]);
    assert.deepEqual([warnings, decodes], [[], 0]);
  },
);

const other = await sampleOf(() => phonePhoto(320, 400, 3));

/** JPEG and HEIC side by side, one of them cut short. */
async function writePhotos(rig: PictureRig): Promise<void> {
  rig.write({
    "photos/a.jpg": await photo(640, 480, { seed: 2 }),
    "photos/b.heic": heic,
    "photos/c.HEIC": heic.slice(0, -100),
    "photos/d.heif": other,
  });
}

/** What lies in a folder under a name that begins so. */
function filesIn(rig: PictureRig, folder: string, start = ""): string[] {
  const names = [...Deno.readDirSync(rig.path(folder))].map(({ name }) => name);
  return names.filter((name) => name.startsWith(start)).map((name) =>
    rig.path(`${folder}/${name}`)
  );
}

heicTest(
  "proxies of HEICs are JPEGs, made once, and one that is cut short is left out",
  async () => {
    await using rig = new PictureRig();
    await writePhotos(rig);
    const { events } = await rig.proxy({ short_side: 240 });
    const left = { "c.HEIC": "skipped" };
    assert.deepEqual(
      outcomes(events, "proxies"),
      { "a.jpg": "ran", "b.heic": "ran", "d.heif": "ran", ...left },
    );
    const [made, ...more] = filesIn(rig, "proxies", "b_");
    assert.deepEqual([made!.endsWith(".jpg"), more], [true, []]);
    const header = await readHeader(Deno.readFileSync(made!));
    assert.deepEqual([header.format, header.width, header.height], ["jpeg", 320, 240]);

    const again = await rig.proxy({ short_side: 240 });
    assert.deepEqual(
      outcomes(again.events, "proxies"),
      { "a.jpg": "cached", "b.heic": "cached", "d.heif": "cached", ...left },
    );
    assert.equal(again.counts.ran, 0);
  },
);

heicTest("HEICs are normalized to JPEGs, whose kept EXIF says that they are upright", async () => {
  await using rig = new PictureRig();
  await writePhotos(rig);
  const { rows } = await normalized(rig, { long_side_px: 200 }, { metadata: "keep" });
  const row = rows.get("b.heic")!;
  assert.deepEqual(
    [row.status, row.format_before, row.format_after, row.width_after, row.height_after],
    ["produced", "heic", "jpeg", 200, 150],
  );
  assert.match(rows.get("c.HEIC")!.reason, /^left out at "photos": HEIC ends after/);
  const { row: kept } = await inspected(published(rig, "b.jpg"));
  assert.deepEqual([kept.orientation, kept.camera_model], [1, "iPhone 14 Pro"]);
});
