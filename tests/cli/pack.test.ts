import assert from "node:assert/strict";
import { photo, PictureRig } from "../picture_rig.ts";
import { mainModule, proxyArgs, tintype } from "./rig.ts";

async function rigWithPhotos(): Promise<PictureRig> {
  const rig = new PictureRig();
  rig.write({
    "photos/a.jpg": await photo(400, 300),
    "photos/sub/b's.jpg": await photo(200, 100),
  });
  return rig;
}

/** The command that unpack prints, as arguments, and the folder it is run in. */
function rerunOf(stdout: string): { readonly folder: string; readonly args: string[] } {
  const line = stdout.trim().split("\n").at(-1)!;
  const [, folder, args] = /^ {2}cd (\S+) && tintype (.+)$/.exec(line)!;
  return { folder: folder!, args: args!.split(" ") };
}

/** Runs the printed command in the unpacked folder, with nothing of this environment but its tools. */
async function rerun(rig: PictureRig, { folder, args }: ReturnType<typeof rerunOf>) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", mainModule, ...args],
    cwd: rig.path(folder),
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("pack, unpack and the printed command give a run in which everything is cached", async () => {
  await using rig = await rigWithPhotos();
  await tintype(rig, proxyArgs);
  const packed = await tintype(rig, ["pack", "--out", "p.tintype"]);
  assert.equal(packed.code, 0, packed.stderr);
  assert.match(packed.stdout, /packed into "p\.tintype": 2 originals, 6 results, 3 files outside/);
  const unpacked = await tintype(rig, ["unpack", "p.tintype", "--to", "there"]);
  assert.equal(unpacked.code, 0, unpacked.stderr);
  const out = await rerun(rig, rerunOf(unpacked.stdout));
  assert.match(out, /complete in .*: 0 ran, 6 cached, 0 left out, 0 skipped, 0 failed/);
});

for (
  const [recipe, settings] of [["normalize", []], ["caption", ["--set", "trigger=hall"]]] as const
) {
  Deno.test(`a run of ${recipe} reruns from its pack with nothing computed`, async () => {
    await using rig = await rigWithPhotos();
    const args = ["run", recipe, "--set", "source=photos", "--set", "out=out", ...settings];
    const first = await tintype(rig, args);
    assert.equal(first.code, 0, first.stderr);
    const packed = await tintype(rig, ["pack", "--out", "p.tintype"]);
    assert.deepEqual([packed.code, packed.stderr], [0, ""]);
    const unpacked = await tintype(rig, ["unpack", "p.tintype"]);
    assert.match(await rerun(rig, rerunOf(unpacked.stdout)), /complete in .*: 0 ran, \d+ cached/);
    const replayed = await tintype(rig, ["replay"]);
    assert.equal(replayed.code, 0, replayed.stdout);
    assert.match(replayed.stdout, /identical; \d+ results compared/);
  });
}

Deno.test("replay is exit code 1 where something differs, and names it", async () => {
  await using rig = await rigWithPhotos();
  await tintype(rig, proxyArgs);
  rig.write({ "photos/a.jpg": await photo(300, 400) });
  const { code, stdout } = await tintype(rig, ["replay"]);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^photos: 1 difference: input changed\n {4}a\.jpg: images: \w{12}… → \w{12}…$/m,
  );
  assert.match(stdout, /^proxies: 1 difference: follows from photos$/m);
});

Deno.test("a pack that is killed leaves no half-written one, and the next clears up", async () => {
  await using rig = await rigWithPhotos();
  // Large enough that packing goes on when the first bytes have come.
  for (let at = 0; at < 12; at++) {
    const noise = new Uint8Array(8_000_000).fill(at + 1);
    rig.write({ [`photos/big${at}.jpg`]: noise });
  }
  await tintype(rig, proxyArgs);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", mainModule, "pack", "--out", "p.tintype"],
    cwd: rig.folder,
    stdout: "null",
    stderr: "null",
  }).spawn();
  for await (const event of watched(rig.folder)) {
    if (event.paths.some((path) => /tintype-tmp-pack|p\.tintype$/.test(path))) break;
  }
  child.kill("SIGKILL");
  await child.status;
  const names = () => [...Deno.readDirSync(rig.folder)].map(({ name }) => name);
  assert.ok(!names().includes("p.tintype"), "it was packed before it was killed");
  const again = await tintype(rig, ["pack", "--out", "p.tintype"]);
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(names().filter((name) => name.includes("tmp")), []);
});

async function* watched(folder: string) {
  using watcher = Deno.watchFs(folder, { recursive: false });
  yield* watcher;
}

Deno.test("what cannot be replayed, packed or unpacked is a usage error with its reason", async () => {
  await using rig = await rigWithPhotos();
  await tintype(rig, proxyArgs);
  await tintype(rig, ["pack", "--out", "whole.tintype"]);
  const pack = Deno.readFileSync(rig.path("whole.tintype"));
  rig.write({ "no.tintype": "this is no pack", "cut.tintype": pack.subarray(0, 9000) });
  const cases: [string[], number, RegExp][] = [
    [["replay", "2020"], 2, /Cannot replay run "2020": there is none of that name/],
    [["pack", "2020"], 2, /Cannot pack run "2020": there is none of that name/],
    [["unpack", "no.tintype"], 2, /Cannot unpack "no\.tintype": it is no pack/],
    [["unpack", "cut.tintype"], 1, /Cannot unpack "cut\.tintype": it ends after 9000 bytes/],
    [["unpack", "no.tintype", "--to", "photos"], 2, /it is there already/],
    [["run", "proxy", "--lock", "no.tintype"], 2, /it is no lock\.json of a run/],
  ];
  for (const [args, code, expected] of cases) {
    const answer = await tintype(rig, args);
    assert.equal(answer.code, code, args.join(" "));
    assert.match(answer.stderr, expected);
  }
});
