import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Bench, Benchmark } from "./benchmark.ts";
import { photoSize, writePhotos } from "./photos.ts";
import { type Command, denoRun, isInstalled, type Measure, tintype } from "./process.ts";
import { type Contender, inTurn, type Measures, medianMs, ratio } from "./rounds.ts";
import { barLine, grouped, measureLines, ratioText } from "./wording.ts";

/** What `proxy` makes of 4000 × 3000. */
const proxySize = { width: 1195, height: 896 } as const;

const sharpLoop = new URL("./peers/sharp_loop.ts", import.meta.url);
const pillowPool = fileURLToPath(new URL("./peers/pillow_pool.py", import.meta.url));

const ours = "tintype run proxy";

interface Peer {
  readonly name: string;
  /** Takes part in half of the rounds: it is far enough off to need no more. */
  readonly isSlow?: boolean;
  readonly command: (source: string, out: string) => Command;
  /** What Deno does not bring, and how it is had. */
  readonly needs?: { readonly isThere: () => Promise<boolean>; readonly install: string };
}

const size = [String(proxySize.width), String(proxySize.height)];

const sharpPeers: readonly Peer[] = [["default", "2"], ["1", "2"], ["1", "3"]].map((
  [threads, atOnce],
) => ({
  name: `sharp loop, threads: ${threads}, ${atOnce} at a time`,
  command: (source, out) => ({
    argv: denoRun(sharpLoop, [source, out, ...size, threads!, atOnce!]),
  }),
}));

/** Debian's, which has Debian's packages; the first `python3` of the path may be another. */
const python = "/usr/bin/python3";

const pillow: Peer = {
  name: "Pillow",
  isSlow: true,
  command: (source, out) => ({ argv: [python, pillowPool, source, out, ...size] }),
  needs: {
    isThere: () => isInstalled(python, ["-c", "import PIL"]),
    install: "apt install python3-pil",
  },
};

const vips: Peer = {
  name: "vipsthumbnail",
  isSlow: true,
  command: (source, out) => {
    const paths = Array.from(Deno.readDirSync(source), ({ name }) => join(source, name));
    const each = Math.ceil(paths.length / 2);
    const output = join(out, "%s.jpg[Q=85]");
    const vipsthumbnail = ["vipsthumbnail", "--size", `x${proxySize.height}`, "-o", output];
    return {
      argv: ["xargs", "-0", "-P", "2", "-n", String(each), ...vipsthumbnail],
      stdin: paths.sort().join("\0"),
    };
  },
  needs: {
    isThere: () => isInstalled("vipsthumbnail", ["--version"]),
    install: "apt install libvips-tools",
  },
};

/** A cold run of the shipped recipe against what people use without Tintype. */
export const proxy: Benchmark = {
  name: "proxy",
  about: "proxies of 60 photos of 12 megapixels, cold, against sharp, Pillow and vipsthumbnail",
  async run(bench) {
    const { isQuick, say, folder } = bench;
    const count = isQuick ? 12 : 60;
    const source = join(folder, "photos");
    Deno.mkdirSync(source);
    const corpus = Deno.env.get("TINTYPE_CORPUS");
    const photographs = corpus === undefined ? undefined : join(corpus, "corpus", "photos");
    const meanBytes = await writePhotos(source, { count, photographs });
    const origin = photographs === undefined ? "made from noise" : "of TINTYPE_CORPUS, enlarged";
    say(
      `\nproxy: ${grouped(count)} photos of ${photoSize.width} × ${photoSize.height}, ` +
        `${(meanBytes / 1e6).toFixed(1)} MB each, ${origin}; whole processes`,
    );
    const measures = await inTurn(await contenders(bench, source, count));
    measureLines(measures).forEach(say);
    results(measures).forEach(say);
  },
};

async function contenders(
  { isQuick, folder, say, measure }: Bench,
  source: string,
  count: number,
): Promise<Contender[]> {
  const rounds = isQuick ? 2 : 7;
  const all: Contender[] = [{
    name: ours,
    rounds,
    run: () => inFreshFolder(folder, count, (out) => measure(tintypeCommand(source, out))),
  }];
  for (const peer of [...sharpPeers, pillow, vips]) {
    if (peer.needs !== undefined && !await peer.needs.isThere()) {
      say(`  skipped: ${peer.name} is not installed (${peer.needs.install})`);
      continue;
    }
    all.push({
      name: peer.name,
      rounds: peer.isSlow ? Math.ceil(rounds / 2) : rounds,
      run: () => inFreshFolder(folder, count, (out) => measure(peer.command(source, out))),
    });
  }
  return all;
}

function tintypeCommand(source: string, out: string): Command {
  const settings = ["--set", `source=${source}`, "--set", `out=${out}`];
  const workspace = ["--workspace", join(out, "..", "workspace")];
  return { argv: tintype(["run", "proxy", ...settings, ...workspace]) };
}

/** Runs with an empty output folder, and checks that all proxies are in it afterwards. */
async function inFreshFolder(
  folder: string,
  count: number,
  work: (out: string) => Promise<Measure>,
): Promise<Measure> {
  const round = join(folder, "round");
  const out = join(round, "out");
  Deno.mkdirSync(out, { recursive: true });
  const measured = await work(out);
  const made = Array.from(Deno.readDirSync(out)).filter(({ name }) => name.endsWith(".jpg"));
  if (made.length !== count) throw new Error(`Cannot compare: ${made.length} of ${count} proxies`);
  await Deno.remove(round, { recursive: true });
  return measured;
}

/** How many times a peer's throughput ours has to be. */
const bars = [
  {
    peers: sharpPeers.map((peer) => peer.name),
    text: "≥ 0.92 of the bare sharp loop",
    least: 0.92,
  },
  { peers: [pillow.name], text: "≥ 3 × Pillow", least: 3 },
  { peers: [vips.name], text: "≥ 1.5 × vipsthumbnail", least: 1.5 },
];

function results(measures: Measures): string[] {
  return bars.flatMap(({ peers, text, least }) => {
    const there = peers.filter((name) => measures.has(name));
    if (there.length === 0) return [];
    const medians = there.map((name) => medianMs(measures.get(name)!));
    const fastest = there[medians.indexOf(Math.min(...medians))]!;
    const found = ratio(measures.get(fastest)!, measures.get(ours)!);
    return [barLine({ text, isMet: found.median >= least }, ratioText(found))];
  });
}
