import assert from "node:assert/strict";
import { type CameraFacts, readCamera } from "../../src/imaging/camera.ts";
import type { Embedded } from "../../src/imaging/embedded.ts";
import { type BlockTags, exifBlock } from "./exif_block.ts";

const Tag = {
  Make: 0x10f,
  Model: 0x110,
  ExposureTime: 0x829a,
  FNumber: 0x829d,
  ISO: 0x8827,
  RecommendedExposureIndex: 0x8832,
  DateTimeOriginal: 0x9003,
  CreateDate: 0x9004,
  OffsetTimeOriginal: 0x9011,
  FocalLength: 0x920a,
  SubSecTimeOriginal: 0x9291,
  LensModel: 0xa434,
} as const;

const none: CameraFacts = {
  camera_make: null,
  camera_model: null,
  lens: null,
  iso: null,
  exposure_s: null,
  f_number: null,
  focal_length_mm: null,
  taken_at: null,
  taken_at_offset: null,
  taken_at_from: null,
  latitude: null,
  longitude: null,
  altitude_m: null,
};

/** The fields that are not null. */
async function found(embedded: Embedded) {
  const { facts, problems } = await readCamera(embedded);
  assert.deepEqual(Object.keys(facts).sort(), Object.keys(none).sort());
  const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== null));
  return { known, problems };
}

async function fromExif(tags: BlockTags, options?: { readonly isLittle?: boolean }) {
  return await found({ exif: exifBlock(tags, options) });
}

function xmpOf(attributes: string): Uint8Array {
  return new TextEncoder().encode(
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF ' +
      'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" ' +
      `${attributes}</rdf:RDF></x:xmpmeta>`,
  );
}

const whole: BlockTags = {
  ifd0: { [Tag.Make]: "Canon", [Tag.Model]: "EOS R5  \0\0junk" },
  exif: {
    [Tag.ExposureTime]: { rational: [[1, 237]] },
    [Tag.FNumber]: { rational: [[28, 10]] },
    [Tag.ISO]: { short: [200, 0] },
    [Tag.DateTimeOriginal]: "2021:05:01 12:00:00",
    [Tag.OffsetTimeOriginal]: "+02:00",
    [Tag.FocalLength]: { rational: [[2431, 701]] },
    [Tag.SubSecTimeOriginal]: "012 ",
    [Tag.LensModel]: "Zéphyr 35mm",
  },
  gps: {
    1: "S",
    2: { rational: [[33, 1], [51, 1], [244224, 10000]] },
    3: "W",
    4: { rational: [[70, 1], [40123457, 1000000], [0, 1]] },
    5: { byte: [1] },
    6: { rational: [[1234, 100]] },
  },
};

Deno.test("all fields are read from EXIF in either byte order", async () => {
  for (const isLittle of [true, false]) {
    assert.deepEqual(await fromExif(whole, { isLittle }), {
      problems: [],
      known: {
        camera_make: "Canon",
        camera_model: "EOS R5",
        lens: "Zéphyr 35mm",
        iso: 200,
        exposure_s: 0.004219409283,
        f_number: 2.8,
        focal_length_mm: 3.467902996,
        taken_at: "2021-05-01T12:00:00.012",
        taken_at_offset: "+02:00",
        taken_at_from: "EXIF:DateTimeOriginal",
        latitude: -33.856784,
        longitude: -70.66872428,
        altitude_m: -12.34,
      },
    });
  }
});

Deno.test("a file without metadata has null everywhere", async () => {
  assert.deepEqual(await readCamera({}), { facts: none, problems: [] });
});

Deno.test("what is broken is null, with a warning that names the tag", async () => {
  const cases: readonly (readonly [tag: string, tags: BlockTags])[] = [
    ["ExposureTime", { exif: { [Tag.ExposureTime]: { rational: [[1, 0]] } } }],
    ["FNumber", { exif: { [Tag.FNumber]: { rational: [[0, 0]] } } }],
    ["FocalLength", { exif: { [Tag.FocalLength]: "50 mm" } }],
    ["ISO", { exif: { [Tag.ISO]: { short: [0] } } }],
    ["Make", { ifd0: { [Tag.Make]: { short: [7] } } }],
    ["DateTimeOriginal", { exif: { [Tag.DateTimeOriginal]: "2021:13:01 12:00:00" } }],
    ["DateTimeOriginal", { exif: { [Tag.DateTimeOriginal]: "2021:02:29 12:00:00" } }],
    ["DateTimeOriginal", { exif: { [Tag.DateTimeOriginal]: "0000:00:00 00:00:00" } }],
    ["CreateDate", { exif: { [Tag.CreateDate]: "2021:02:28 24:00:00" } }],
    ["GPSLatitude", { gps: { 1: "N", 2: { rational: [[95, 1], [0, 1], [0, 1]] } } }],
    ["GPSLatitude", { gps: { 1: "N", 2: { rational: [[45, 1], [0, 0], [0, 1]] } } }],
    ["GPSLatitude", { gps: { 1: "N", 2: "45" } }],
    ["GPSLongitudeRef", { gps: { 4: { rational: [[45, 1], [0, 1], [0, 1]] } } }],
    ["GPSLongitudeRef", { gps: { 3: "N", 4: { rational: [[45, 1], [0, 1], [0, 1]] } } }],
    ["GPSAltitude", { gps: { 6: { rational: [[5, 0]] } } }],
    ["GPSTimeStamp", { gps: { 7: { rational: [[1, 0]] }, 0x1d: "2020:01:01" } }],
  ];
  for (const [tag, tags] of cases) {
    const { known, problems } = await fromExif(tags);
    assert.deepEqual(known, {}, tag);
    assert.equal(problems.length, 1, tag);
    assert.match(problems[0]!, new RegExp(`^EXIF tag ${tag} is broken: .+`));
  }
});

Deno.test("a tag that reaches beyond its block does not hide the others", async () => {
  const block = exifBlock(whole);
  const view = new DataView(block.buffer);
  // The first entry of the Exif directory, at 400, is ExposureTime.
  assert.equal(view.getUint16(402, true), Tag.ExposureTime);
  view.setUint32(402 + 8, 0x7fffffff, true);
  const { known, problems } = await found({ exif: block });
  assert.deepEqual(problems, ["EXIF tag ExposureTime cannot be read"]);
  assert.equal(known.exposure_s, undefined);
  assert.equal(known.iso, 200);
  assert.equal(known.latitude, -33.856784);
});

Deno.test("no damage to a block makes it throw or give anything but finite numbers", async () => {
  const block = exifBlock(whole);
  let state = 7;
  for (let round = 0; round < 400; round++) {
    const damaged = block.slice(0, round % 5 === 0 ? round * 3 : undefined);
    for (let change = 0; change < 6; change++) {
      state = (state * 1664525 + 1013904223) >>> 0;
      damaged[(state >>> 8) % Math.max(1, damaged.length)] = state >>> 24;
    }
    const { facts } = await readCamera({ exif: damaged });
    for (const value of Object.values(facts)) {
      assert.ok(value === null || typeof value === "string" || Number.isFinite(value));
    }
  }
});

Deno.test("dates that say that they are unknown are no fault", async () => {
  const { known, problems } = await fromExif({
    exif: { [Tag.DateTimeOriginal]: "    :  :     :  :  ", [Tag.CreateDate]: " " },
  });
  assert.deepEqual([known, problems], [{}, []]);
});

Deno.test("the date is the original one, then that of GPS, then CreateDate", async () => {
  const create = { [Tag.CreateDate]: "2018:06:06 22:20:11" };
  const gps = { 7: { rational: [[1, 1], [20, 1], [1125, 100]] }, 0x1d: "2018:06:07" } as const;
  const original = { ...create, [Tag.DateTimeOriginal]: "2018:06:06 22:20:10" };
  const from = async (tags: BlockTags) => {
    const { taken_at, taken_at_offset, taken_at_from } = (await fromExif(tags)).known;
    return [taken_at, taken_at_offset, taken_at_from];
  };
  assert.deepEqual(await from({ exif: original, gps }), [
    "2018-06-06T22:20:10",
    undefined,
    "EXIF:DateTimeOriginal",
  ]);
  assert.deepEqual(await from({ exif: create, gps }), [
    "2018-06-07T01:20:11.25",
    "+00:00",
    "GPS:GPSDateTime",
  ]);
  assert.deepEqual(await from({ exif: create }), [
    "2018-06-06T22:20:11",
    undefined,
    "EXIF:CreateDate",
  ]);
});

Deno.test("an ISO too large for its tag is in another", async () => {
  const exif = {
    [Tag.ISO]: { short: [65535] },
    [Tag.RecommendedExposureIndex]: { long: [102400] },
  };
  assert.equal((await fromExif({ exif })).known.iso, 102400);
});

Deno.test("an ISO of several numbers is the first that is one", async () => {
  assert.equal((await fromExif({ exif: { [Tag.ISO]: { short: [0, 200] } } })).known.iso, 200);
  assert.equal((await fromExif({ exif: { [Tag.ISO]: { short: [100, 200] } } })).known.iso, 100);
});

const properties = `tiff:Make="Leica &amp; Co" tiff:Model="M10" exif:ExposureTime="1/60"
  exif:FNumber="14/10" exif:FocalLength="50/1" exif:GPSLatitude="12,30.0S"
  exif:GPSLongitude="77,15,36E" exif:GPSAltitude="9000/10" exif:GPSAltitudeRef="0"
  exif:DateTimeOriginal="2020-02-29T10:11:12.345+05:30" aux:Lens="Summilux" avm:Sky.Name="x">
  <exif:ISOSpeedRatings><rdf:Seq><rdf:li>200</rdf:li></rdf:Seq></exif:ISOSpeedRatings>
  </rdf:Description>`;

Deno.test("XMP fills what EXIF lacks, and only that", async () => {
  const xmp = xmpOf(properties);
  const { known, problems } = await found({ xmp });
  assert.deepEqual(problems, []);
  assert.deepEqual(known, {
    camera_make: "Leica & Co",
    camera_model: "M10",
    lens: "Summilux",
    iso: 200,
    exposure_s: 0.01666666667,
    f_number: 1.4,
    focal_length_mm: 50,
    taken_at: "2020-02-29T10:11:12.345",
    taken_at_offset: "+05:30",
    taken_at_from: "XMP:DateTimeOriginal",
    latitude: -12.5,
    longitude: 77.26,
    altitude_m: 900,
  });
  const both = await found({ xmp, exif: exifBlock({ ifd0: { [Tag.Make]: "Apple" } }) });
  assert.deepEqual([both.known.camera_make, both.known.camera_model], ["Apple", "M10"]);
  assert.deepEqual(
    (await found({ xmp, exif: exifBlock(whole) })).known,
    (await fromExif(whole)).known,
  );
});

Deno.test("a broken XMP property is null, with a warning that names it", async () => {
  const xmp = xmpOf('exif:FNumber="f/8" xmp:CreateDate="2020-14-01" exif:GPSLatitude="95,0N"/>');
  const { known, problems } = await found({ xmp });
  assert.deepEqual(known, {});
  assert.deepEqual(problems.map((problem) => /XMP property (\S+) is broken/.exec(problem)?.[1]), [
    "exif:FNumber",
    "exif:GPSLatitude",
    "xmp:CreateDate",
  ]);
});

function iptcRecord(number: number, text: string): readonly number[] {
  return [0x1c, 2, number, 0, text.length, ...new TextEncoder().encode(text)];
}

Deno.test("of EXIF, XMP and IPTC, the date that comes closest to when it was taken counts", async () => {
  const dates = {
    gps: { gps: { 7: { rational: [[1, 1], [2, 1], [3, 1]] }, 0x1d: "2018:06:07" } },
    create: { exif: { [Tag.CreateDate]: "2018:06:06 22:20:11" } },
  } as const satisfies Record<string, BlockTags>;
  const gpsXmp = 'exif:GPSTimeStamp="2017-01-01T01:01:01Z" ';
  const createXmp = 'xmp:CreateDate="2016-01-01T01:01:01" ';
  const publishedXmp = 'photoshop:DateCreated="2015-01-01T01:01:01" ';
  const iptcDay = Uint8Array.from(iptcRecord(55, "20141029"));
  const iptcTime = Uint8Array.from([...iptcDay, ...iptcRecord(60, "154444-0500")]);
  const all = gpsXmp + createXmp + publishedXmp;
  const cases: readonly (readonly [from: string, BlockTags | null, xmp: string, Uint8Array])[] = [
    ["XMP:DateTimeOriginal", dates.gps, all + 'exif:DateTimeOriginal="2013-01-01"', iptcTime],
    ["IPTC:DateCreated", dates.gps, all, iptcTime],
    ["GPS:GPSDateTime", dates.gps, all, iptcDay],
    ["XMP:GPSDateTime", dates.create, all, iptcDay],
    ["EXIF:CreateDate", dates.create, createXmp + publishedXmp, iptcDay],
    ["XMP:CreateDate", null, createXmp + publishedXmp, iptcDay],
    ["XMP:DateCreated", null, publishedXmp, iptcDay],
    ["IPTC:DateCreated", null, "", iptcDay],
  ];
  for (const [from, exif, xmp, iptc] of cases) {
    const embedded = { xmp: xmpOf(`${xmp}/>`), iptc, ...exif && { exif: exifBlock(exif) } };
    const { known, problems } = await found(embedded);
    assert.deepEqual([known.taken_at_from, problems], [from, []]);
    if (from === "XMP:GPSDateTime") {
      assert.deepEqual([known.taken_at, known.taken_at_offset], ["2017-01-01T01:01:01", "+00:00"]);
    }
  }
});

Deno.test("the date of IPTC counts where there is no other", async () => {
  const iptc = Uint8Array.from([...iptcRecord(55, "20151029"), ...iptcRecord(60, "154444-0500")]);
  assert.deepEqual((await found({ iptc })).known, {
    taken_at: "2015-10-29T15:44:44",
    taken_at_offset: "-05:00",
    taken_at_from: "IPTC:DateCreated",
  });
  assert.equal(
    (await found({ iptc, exif: exifBlock(whole) })).known.taken_at_from,
    "EXIF:DateTimeOriginal",
  );
  const dateOnly = Uint8Array.from(iptcRecord(55, "20151029"));
  assert.equal((await found({ iptc: dateOnly })).known.taken_at, "2015-10-29");
});
