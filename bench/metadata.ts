import { join } from "node:path";
import sharp from "sharp";
import type { Bench, Benchmark } from "./benchmark.ts";
import { photoSize, writePhotos } from "./photos.ts";
import { type Command, denoRun, isInstalled, type Measure, tintype } from "./process.ts";
import { inTurn, ratio } from "./rounds.ts";
import { barLine, grouped, measureLines, ratioText } from "./wording.ts";

const exiftool = "exiftool";

/**
 * What `inspect.metadata` says of a folder against exiftool, which reads it in one batch: the step alone,
 * and a whole run, which reads and hashes every byte and writes cache and catalogue too.
 */
export const metadata: Benchmark = {
  name: "metadata",
  about: "camera, date and place of 2,000 photos, cold, against exiftool in one batch",
  async run(bench) {
    const { isQuick, say, folder } = bench;
    if (!await isInstalled(exiftool, ["-ver"])) {
      return say(`\nmetadata: skipped, exiftool is not installed`);
    }
    const count = isQuick ? 300 : 2000;
    const source = join(folder, "photos");
    Deno.mkdirSync(source);
    const { origin, meanBytes } = await writeCameraPhotos(source, count);
    say(
      `\nmetadata: ${grouped(count)} photos with EXIF, ${origin}, ` +
        `${Math.round(meanBytes / 1000)} kB each; whole processes`,
    );
    const recipe = writeRecipe(folder, "metadata", "");
    const rounds = isQuick ? 2 : 5;
    const measures = await inTurn([
      { name: step, rounds, run: () => bench.measure({ argv: denoRun(stepRun, [source]) }) },
      { name: whole, rounds, run: () => coldRun(bench, recipe, source) },
      { name: theirs, rounds, run: () => bench.measure({ argv: [exiftool, ...batch, source] }) },
    ]);
    measureLines(measures).forEach(say);
    const found = ratio(measures.get(theirs)!, measures.get(step)!);
    say(barLine({ text: "≥ 15 × exiftool", isMet: found.median >= 15 }, ratioText(found)));
    say(`  whole runs: ${ratioText(ratio(measures.get(theirs)!, measures.get(whole)!))}`);
  },
};

const step = "inspect.metadata alone";
const whole = "tintype run, inspect.metadata";
const stepRun = new URL("./metadata_run.ts", import.meta.url);
const theirs = "exiftool -n -json -r";
const batch = ["-n", "-json", "-r"];

/** What the two inspections cost where the proxy decodes the pictures anyway. */
export const inspect: Benchmark = {
  name: "inspect",
  about: "inspect.metadata, inspect.content and proxies of 60 photos, cold, against proxies alone",
  async run(bench) {
    const { isQuick, say, folder } = bench;
    const count = isQuick ? 12 : 60;
    const source = join(folder, "photos");
    Deno.mkdirSync(source);
    await writePhotos(source, { count, photographs: corpusPhotos() });
    say(
      `\ninspect: ${grouped(count)} photos of ${photoSize.width} × ${photoSize.height}; ` +
        "two at a time, whole processes",
    );
    const rounds = isQuick ? 3 : 7;
    const recipes = [[alone, "alone", proxies], [all, "all", inspections + proxies]] as const;
    const measures = await inTurn(recipes.map(([name, file, steps]) => {
      const recipe = writeRecipe(folder, file, steps);
      return { name, rounds, run: () => coldRun(bench, recipe, source) };
    }));
    measureLines(measures).forEach(say);
    const found = ratio(measures.get(all)!, measures.get(alone)!);
    say(barLine({ text: "≤ 1.25 × proxies alone", isMet: found.median <= 1.25 }, ratioText(found)));
  },
};

const alone = "proxies alone";
const all = "proxies, metadata and content";

const proxies = `
  proxies: { use: image.proxy, from: photos }
  files: { use: publish.files, from: proxies, with: { folder: $out, name: "{stem}.{ext}" } }`;
const inspections = `
  metadata: { use: inspect.metadata, from: photos }
  content: { use: inspect.content, from: photos }`;

/** Writes a recipe that scans `source` and does what `steps` say, or reads the metadata alone. */
function writeRecipe(folder: string, name: string, steps: string): string {
  const path = join(folder, `${name}.yaml`);
  const out = steps === "" ? "" : "\n  out: { type: folder }";
  const rest = steps === "" ? "\n  metadata: { use: inspect.metadata, from: photos }" : steps;
  const text = `recipe: ${name}
params:
  source: { type: folder }${out}
steps:
  photos: { use: ingest.scan, with: { folder: $source } }${rest}
`;
  Deno.writeTextFileSync(path, text);
  return path;
}

/** Runs a recipe with an empty workspace, and checks that no picture was left out. */
async function coldRun(bench: Bench, recipe: string, source: string): Promise<Measure> {
  const round = join(bench.folder, "round");
  Deno.mkdirSync(round);
  const hasOut = Deno.readTextFileSync(recipe).includes("  out:");
  const settings = ["--set", `source=${source}`];
  if (hasOut) settings.push("--set", `out=${join(round, "out")}`);
  const workspace = ["--workspace", join(round, "workspace")];
  const command: Command = {
    argv: tintype(["run", recipe, ...settings, ...workspace, "--jobs", "2"]),
  };
  const measured = await bench.measure(command);
  await Deno.remove(round, { recursive: true });
  return measured;
}

/** Where the real photographs are; undefined without TINTYPE_CORPUS. */
function corpusPhotos(): string | undefined {
  const corpus = Deno.env.get("TINTYPE_CORPUS");
  return corpus === undefined ? undefined : join(corpus, "corpus", "photos");
}

/**
 * Writes photos as cameras and phones do: those of the corpus that have EXIF, over and over, or made
 * ones. No two have the same content: a comment holds the number.
 */
async function writeCameraPhotos(folder: string, count: number) {
  const photographs = corpusPhotos();
  const found = photographs === undefined ? [] : photosWithExif(photographs);
  const photos = found.length > 0 ? found : [await madePhoto()];
  let bytes = 0;
  for (let index = 0; index < count; index++) {
    const photo = numbered(photos[index % photos.length]!, index);
    Deno.writeFileSync(join(folder, `photo_${String(index).padStart(5, "0")}.jpg`), photo);
    bytes += photo.length;
  }
  const origin = found.length > 0 ? `copies of ${found.length} of TINTYPE_CORPUS` : "made";
  return { origin, meanBytes: bytes / count };
}

/** Larger ones would measure how fast a disk is read. */
const largestBytes = 800_000;

function photosWithExif(folder: string): Uint8Array[] {
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
  const photos = names.filter((name) => name.endsWith(".jpg")).map((name) =>
    Deno.readFileSync(join(folder, name))
  );
  return photos.filter((photo) => {
    const start = new TextDecoder("latin1").decode(photo.subarray(0, 65_536));
    return start.includes("Exif\0\0") && photo.length <= largestBytes;
  });
}

async function madePhoto(): Promise<Uint8Array> {
  const size = { width: 1024, height: 768 };
  const noise = Uint8Array.from(
    { length: size.width * size.height * 3 },
    (_, at) => 128 + 40 * Math.sin(at / 997) + (at * 7919 % 31),
  );
  return await sharp(noise, { raw: { ...size, channels: 3 } }).jpeg({ quality: 90 }).withExif({
    IFD0: { Make: "Tintype", Model: "Benchmark" },
    IFD2: {
      DateTimeOriginal: "2024:06:12 05:48:31",
      OffsetTimeOriginal: "+02:00",
      ISOSpeedRatings: "200",
      ExposureTime: "1/250",
      FNumber: "28/10",
      FocalLength: "35/1",
    },
    IFD3: {
      GPSLatitudeRef: "N",
      GPSLatitude: "46/1 35/1 1452/100",
      GPSLongitudeRef: "E",
      GPSLongitude: "7/1 54/1 2988/100",
    },
  }).toBuffer();
}

/** With a comment segment after SOI: 0xFF 0xFE and its length (ITU-T T.81, B.2.4.5). */
function numbered(jpeg: Uint8Array, index: number): Uint8Array {
  const digits = new TextEncoder().encode(String(index).padStart(6, "0"));
  const comment = [0xff, 0xfe, 0, 2 + digits.length, ...digits];
  const bytes = new Uint8Array(jpeg.length + comment.length);
  bytes.set(jpeg.subarray(0, 2));
  bytes.set(comment, 2);
  bytes.set(jpeg.subarray(2), 2 + comment.length);
  return bytes;
}
