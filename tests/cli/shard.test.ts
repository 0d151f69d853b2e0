import assert from "node:assert/strict";
import { photo, PictureRig } from "../picture_rig.ts";
import { tintype } from "./rig.ts";

async function rigWith(count: number): Promise<PictureRig> {
  const rig = new PictureRig();
  for (let at = 0; at < count; at++) {
    rig.write({ [`photos/${at}.jpg`]: await photo(640, 480, { seed: at + 1 }) });
  }
  return rig;
}

const proxy = [
  ...["proxy", "--set", "source=photos", "--set", "out=proxies"],
  ...["--set", "short_side=400"],
];

function countsOf(stdout: string): Record<string, number> {
  const line = stdout.split("\n").find((each) => each.startsWith("complete in"))!;
  return Object.fromEntries(
    [...line.matchAll(/(\d+) (ran|cached|left out)/g)].map((
      [, count, what],
    ) => [what!, Number(count)]),
  );
}

Deno.test("a shard that cannot be is a mistake of the command line, with what is wanted", async () => {
  await using rig = await rigWith(1);
  const wrong: Readonly<Record<string, RegExp>> = {
    "0/4": /There is no shard 0 of 4 \(there are 4, 1\/4 to 4\/4\)/,
    "5/4": /There is no shard 5 of 4 \(there are 4, 1\/4 to 4\/4\)/,
    "a/b": /"a\/b" is no shard \(i\/n is wanted, such as 2\/4\)/,
    "2": /"2" is no shard/,
  };
  for (const command of ["run", "plan"]) {
    for (const [text, message] of Object.entries(wrong)) {
      const { code, stderr } = await tintype(rig, [command, ...proxy, "--shard", text]);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
  }
  const until = await tintype(rig, ["run", ...proxy, "--shard", "1/2", "--until", "files"]);
  assert.equal(until.code, 2);
  assert.match(
    until.stderr,
    /^error: Cannot run node "files" in shard 1\/2: it needs the items of/,
  );
  const plan = await tintype(rig, ["plan", ...proxy, "--shard", "1/2", "--until", "savings"]);
  assert.equal(plan.code, 2);
  assert.match(plan.stderr, /Cannot run node "savings" in shard 1\/2/);
});

Deno.test("two machines do a shard each; merged here, the whole run decodes no picture again", async () => {
  await using rig = await rigWith(12);
  let ran = 0;
  for (const shard of ["1/2", "2/2"]) {
    const workspace = `machine ${shard.slice(0, 1)}`;
    const { code, stdout, stderr } = await tintype(rig, [
      ...["--workspace", workspace, "run", ...proxy, "--shard", shard],
    ]);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      new RegExp(`^shard ${shard}: held for the run without --shard: files, savings$`, "m"),
    );
    ran += countsOf(stdout)["ran"]!;
    const runs = await tintype(rig, ["--workspace", workspace, "runs"]);
    assert.match(runs.stdout, new RegExp(`proxy \\(shard ${shard}\\) +complete`));
    const asked = await tintype(rig, [
      ...["--workspace", workspace, "query", "select shard from runs", "--json"],
    ]);
    assert.deepEqual(JSON.parse(asked.stdout), [{ shard }]);
  }
  assert.equal(ran, 24);
  assert.throws(() => Deno.statSync(rig.path("proxies")), Deno.errors.NotFound);
  const merged = await tintype(rig, ["cache", "merge", "machine 1", "machine 2"]);
  assert.equal(merged.code, 0, merged.stderr);
  assert.match(merged.stdout, /^"machine 1": took \d+ results and \d+ artifacts \(.*\); 0 known/);
  const again = await tintype(rig, ["cache", "merge", "machine 1", "--json"]);
  const [report] = JSON.parse(again.stdout);
  assert.deepEqual([report.results, report.artifacts, report.left], [0, 0, 0]);
  const whole = await tintype(rig, ["run", ...proxy]);
  assert.equal(whole.code, 0, whole.stderr);
  // The publication and the report, which waited for all.
  assert.deepEqual(countsOf(whole.stdout), { ran: 2, cached: 24, "left out": 0 });
  assert.equal((await tintype(rig, ["verify"])).code, 0);
});

Deno.test("a shard travels as a pack too, and is rerun as the shard that it was", async () => {
  await using rig = await rigWith(8);
  await tintype(rig, ["--workspace", "far", "run", ...proxy, "--shard", "1/3"]);
  const packed = await tintype(rig, ["--workspace", "far", "pack", "--out", "far.tintype"]);
  assert.equal(packed.code, 0, packed.stderr);
  const unpacked = await tintype(rig, ["unpack", "far.tintype", "--to", "here"]);
  assert.equal(unpacked.code, 0, unpacked.stderr);
  const [, rerun] = /&& tintype run (.*)$/m.exec(unpacked.stdout)!;
  const { code, stdout, stderr } = await tintype(
    { folder: rig.path("here") } as PictureRig,
    ["run", ...rerun!.split(" ")],
  );
  assert.equal(code, 0, stderr);
  assert.equal(countsOf(stdout)["ran"], 0);
  assert.match(stdout, /^shard 1\/3: /m);
  const merged = await tintype(rig, ["cache", "merge", "here", "--json"]);
  assert.equal(merged.code, 0, merged.stderr);
  const mine = JSON.parse(merged.stdout)[0].results;
  assert.ok(mine > 0, merged.stdout);
  const whole = await tintype(rig, ["run", ...proxy]);
  assert.equal(countsOf(whole.stdout)["cached"], mine);
});

Deno.test("a plan of a shard says what it would do and what it would not", async () => {
  await using rig = await rigWith(6);
  const { stdout, code } = await tintype(rig, ["plan", ...proxy, "--shard", "1/1"]);
  assert.equal(code, 0);
  assert.match(stdout, /^6 {2}× {2}proxies {2}run: after photos$/m);
  assert.match(stdout, /^1 {2}× {2}files {4}skip: held for the run without --shard$/m);
});

Deno.test("a workspace that is none is a mistake of the command line", async () => {
  await using rig = await rigWith(1);
  const { code, stderr } = await tintype(rig, ["cache", "merge", "photos"]);
  assert.equal(code, 2);
  assert.match(stderr, /^error: Cannot merge workspace "photos": there is no cache\.sqlite in it/);
});
