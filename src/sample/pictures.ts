import { gpsAt, takenAt } from "./exif.ts";
import type { Picture } from "./picture.ts";

const FIELD = { make: "Tintype", model: "Field 12" };
const FIELD_ZOOM = { ...FIELD, lens_model: "Tintype 24-70mm f/4" };
const FIELD_PRIME = { ...FIELD, lens_model: "Tintype 50mm f/1.4" };
const FIELD_MACRO = { ...FIELD, lens_model: "Tintype 90mm f/2.8 Macro" };
const PHONE = { make: "Tintype", model: "Pocket 3", lens_model: "Pocket 3 main 5.1mm f/1.8" };
const OLD = { make: "Tintype", model: "Coolpocket 2", lens_model: null };

/** The 24 pictures of the sample. */
export const PICTURES: readonly Picture[] = [
  {
    from: "scene",
    name: "IMG_0101.JPG",
    scene: "lake",
    size: { width: 4000, height: 3000 },
    encoding: { as: "jpeg", quality: 92 },
    exif: {
      taken: takenAt("2024:06:12 05:48:31.412 +02:00"),
      camera: { ...FIELD_ZOOM, iso: 100, exposure_time: "1/250", f_number: 8, focal_length_mm: 24 },
      gps: gpsAt("46 35 14.52 N", "7 54 29.88 E", 1560.5),
    },
  },
  {
    from: "scene",
    name: "IMG_0102.jpg",
    scene: "dunes",
    size: { width: 2048, height: 1365 },
    encoding: { as: "jpeg", quality: 90 },
    exif: {
      taken: takenAt("2023:11:03 17:21:09.07 +01:00"),
      camera: {
        ...FIELD_ZOOM,
        iso: 100,
        exposure_time: "1/500",
        f_number: 11,
        focal_length_mm: 35,
      },
      gps: gpsAt("31 4 58.20 N", "4 0 42.75 W", 718),
    },
  },
  {
    from: "scene",
    name: "IMG_0103.jpg",
    scene: "forest",
    size: { width: 1200, height: 1800 },
    encoding: { as: "jpeg", quality: 88 },
    orientation: 6,
    exif: {
      taken: takenAt("2024:04:21 07:15:58.930 +10:00"),
      camera: { ...FIELD_PRIME, iso: 400, exposure_time: "1/60", f_number: 4, focal_length_mm: 50 },
      gps: gpsAt("42 40 49.44 S", "146 35 6.60 E", 312.4),
    },
  },
  {
    from: "scene",
    name: "IMG_0104.jpg",
    scene: "pebbles",
    size: { width: 1200, height: 1600 },
    encoding: { as: "jpeg", quality: 85 },
    orientation: 8,
    exif: {
      taken: takenAt("2024:02:09 13:40:00.001 -03:00"),
      camera: { ...PHONE, iso: 50, exposure_time: "1/1200", f_number: 1.8, focal_length_mm: 5.1 },
      gps: gpsAt("41 28 20.07 S", "72 56 11.31 W", 3),
    },
  },
  {
    from: "scene",
    name: "IMG_0105.jpg",
    scene: "meadow",
    size: { width: 1600, height: 1200 },
    encoding: { as: "jpeg", quality: 92 },
    orientation: 3,
    exif: {
      taken: takenAt("2024:06:01 11:02:44 +02:00"),
      camera: {
        ...FIELD_ZOOM,
        iso: 200,
        exposure_time: "1/320",
        f_number: 5.6,
        focal_length_mm: 24,
      },
    },
  },
  {
    from: "scene",
    name: "IMG_0106.jpg",
    scene: "city",
    size: { width: 1600, height: 1067 },
    encoding: { as: "jpeg", quality: 80 },
    orientation: 2,
    exif: {
      taken: takenAt("2023:12:22 18:55:13.550 +09:00"),
      camera: {
        ...FIELD_PRIME,
        iso: 1600,
        exposure_time: "1/80",
        f_number: 1.4,
        focal_length_mm: 50,
      },
      gps: gpsAt("35 39 34.08 N", "139 42 1.80 E", 40),
    },
  },
  {
    from: "scene",
    name: "mer en été.jpg",
    scene: "sea",
    size: { width: 2000, height: 1333 },
    encoding: { as: "jpeg-p3", quality: 90 },
    exif: {
      taken: takenAt("2022:08:14 21:08:20.25 +02:00"),
      camera: { ...PHONE, iso: 64, exposure_time: "1/900", f_number: 1.8, focal_length_mm: 5.1 },
      gps: gpsAt("48 51 2.16 N", "3 0 7.02 W", 12),
    },
  },
  {
    from: "scene",
    name: "panorama.jpg",
    scene: "hills",
    size: { width: 3200, height: 880 },
    encoding: { as: "jpeg", quality: 84, isProgressive: true },
  },
  {
    from: "scene",
    name: "cutout/leaf.png",
    scene: "leaf",
    size: { width: 800, height: 800 },
    encoding: { as: "png" },
  },
  {
    from: "scene",
    name: "night_sky.png",
    scene: "night",
    size: { width: 1080, height: 720 },
    encoding: { as: "png-16" },
    exif: {
      taken: takenAt("2021:09:05 01:30:00.000 +00:00"),
      camera: {
        ...FIELD_ZOOM,
        iso: 3200,
        exposure_time: "20/1",
        f_number: 2.8,
        focal_length_mm: 24,
      },
      gps: gpsAt("28 18 1.50 N", "16 30 32.40 W", 2390),
    },
  },
  {
    from: "scene",
    name: "scans/alpine_1958.jpg",
    scene: "alpine",
    size: { width: 1500, height: 1125 },
    encoding: { as: "jpeg-grey", quality: 75 },
  },
  {
    from: "scene",
    name: "scans/letter.png",
    scene: "letter",
    size: { width: 1240, height: 1754 },
    encoding: { as: "png-grey" },
  },
  {
    from: "scene",
    name: "drawings/view camera.png",
    scene: "diagram",
    size: { width: 1200, height: 800 },
    encoding: { as: "png-grey" },
  },
  {
    from: "scene",
    name: "drawings/chart.png",
    scene: "chart",
    size: { width: 1280, height: 800 },
    encoding: { as: "png-palette", colours: 64 },
  },
  {
    from: "scene",
    name: "planks.webp",
    scene: "wood",
    size: { width: 1280, height: 960 },
    encoding: { as: "webp", quality: 86 },
    exif: {
      taken: takenAt("2024:03:17 15:22:05.61 +01:00"),
      camera: {
        ...FIELD_MACRO,
        iso: 320,
        exposure_time: "1/125",
        f_number: 5.6,
        focal_length_mm: 90,
      },
    },
  },
  {
    from: "scene",
    name: "print/oranges.jpg",
    scene: "oranges",
    size: { width: 1280, height: 960 },
    encoding: { as: "jpeg-cmyk", quality: 90 },
    exif: {
      taken: takenAt("2024:01:28 10:10:10 +01:00"),
      camera: { ...FIELD_MACRO, iso: 100, exposure_time: "1/4", f_number: 8, focal_length_mm: 90 },
    },
  },
  {
    from: "scene",
    name: "phone/DSC00007.jpg",
    scene: "skyline",
    size: { width: 640, height: 480 },
    encoding: { as: "jpeg", quality: 70 },
    exif: {
      taken: takenAt("2004:10:30 17:59:41"),
      camera: { ...OLD, iso: 200, exposure_time: "1/15", f_number: 2.8, focal_length_mm: 7.4 },
    },
  },
  {
    from: "scene",
    name: "phone/IMG_5531.jpg",
    scene: "fjord",
    size: { width: 1600, height: 1200 },
    encoding: { as: "jpeg", quality: 85 },
    exif: {
      taken: takenAt("2024:01:05 09:31:27.884 +13:00"),
      camera: { ...PHONE, iso: 80, exposure_time: "1/200", f_number: 1.8, focal_length_mm: 5.1 },
      gps: gpsAt("44 40 16.50 S", "167 55 41.20 E", 2),
    },
    keptRatio: 0.6,
  },
  { from: "copy", name: "backup/IMG_0102.jpg", of: "IMG_0102.jpg" },
  { from: "copy", name: "phone/IMG_0104 (1).jpg", of: "IMG_0104.jpg" },
  {
    from: "altered",
    name: "web/lake_1000.jpg",
    of: "IMG_0101.JPG",
    how: "resized",
    quality: 80,
    keepsExif: true,
  },
  { from: "altered", name: "web/forest.jpg", of: "IMG_0103.jpg", how: "recompressed", quality: 35 },
  { from: "altered", name: "web/meadow_crop.jpg", of: "IMG_0105.jpg", how: "cropped", quality: 88 },
  {
    from: "altered",
    name: "web/city_bright.jpg",
    of: "IMG_0106.jpg",
    how: "brightened",
    quality: 85,
  },
];
