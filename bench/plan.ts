import { join } from "node:path";
import type { Bench, Benchmark } from "./benchmark.ts";
import { tintype } from "./process.ts";
import { tinyPhotoNames, writeTinyPhotos } from "./tiny_photos.ts";
import { barLine, grouped, megabytes, seconds, short } from "./wording.ts";

/** So many files have bytes of their own; the rest are further names of them. */
const ownFiles = 1000;

/** How much longer a plan may take an item when there are ten times as many. */
const mostGrowth = 1.3;

/** A plan reads no file, so a million items are named, looked at and counted. */
export const plan: Benchmark = {
  name: "plan",
  about: "plans of 100,000 and 1,000,000 items: time an item and memory",
  async run(bench) {
    const sizes = bench.isQuick ? [1000, 10_000] : [100_000, 1_000_000];
    const [small, large] = [await planned(bench, sizes[0]!), await planned(bench, sizes[1]!)];
    const growth = large / small;
    bench.say(
      barLine(
        {
          text: `≤ ${mostGrowth} × the time an item with ten times as many`,
          isMet: growth <= mostGrowth,
        },
        short(growth),
      ),
    );
  },
};

/** Plans so many items of the shipped proxy recipe; gives the time an item in microseconds. */
async function planned({ folder, say, measure }: Bench, items: number): Promise<number> {
  const source = join(folder, String(items));
  await writeTinyPhotos(source, ownFiles);
  const names = tinyPhotoNames(items);
  for (const [index, name] of names.entries()) {
    if (index < ownFiles) continue;
    if (index % ownFiles === 0) Deno.mkdirSync(join(source, name, ".."), { recursive: true });
    Deno.linkSync(join(source, names[index % ownFiles]!), join(source, name));
  }
  const settings = ["--set", `source=${source}`, "--set", `out=${join(folder, "out")}`];
  const workspace = ["--workspace", join(folder, "workspace")];
  const measured = await measure({ argv: tintype(["plan", "proxy", ...settings, ...workspace]) });
  if (!measured.stdout.includes(`${grouped(items)}  ×  proxies`)) {
    throw new Error(`Cannot take this for a plan: "${measured.stdout.trim().split("\n").at(-1)}"`);
  }
  const each = measured.elapsedMs * 1000 / items;
  const memory = megabytes(measured.peakBytes);
  say(
    `  ${grouped(items)} items: ${seconds(measured.elapsedMs)}, ${short(each)} µs each, ${memory}`,
  );
  await Deno.remove(source, { recursive: true });
  return each;
}
