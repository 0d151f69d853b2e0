import assert from "node:assert/strict";
import { tintype } from "../cli/rig.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { pathsIn } from "./killing.ts";

/** Whether this process may have small file systems of its own, which on most machines it may not. */
async function mount(folder: string, options: string): Promise<boolean> {
  const args = ["-t", "tmpfs", "-o", options, "tmpfs", folder];
  try {
    return (await new Deno.Command("mount", { args, stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

async function unmount(folder: string): Promise<void> {
  await new Deno.Command("umount", { args: [folder] }).output();
}

const probe = Deno.makeTempDirSync({ prefix: "tintype-mount-" });
const canMount = await mount(probe, "size=64k");
if (canMount) await unmount(probe);
Deno.removeSync(probe);

async function withPictures(rig: PictureRig) {
  Deno.mkdirSync(rig.path("small"));
  for (let seed = 1; seed <= 12; seed++) {
    rig.write({ [`photos/${seed}.jpg`]: await photo(320, 240, { seed }) });
  }
}

const set = (
  out: string,
) => ["--set", "source=photos", "--set", "short_side=200", "--set", `out=${out}`];

Deno.test({
  name: "a workspace whose disk fills up ends the run with the way out, and the next one goes on",
  ignore: !canMount,
  async fn() {
    await using rig = new PictureRig();
    await withPictures(rig);
    const small = rig.path("small");
    await mount(small, "size=300k");
    try {
      const run = ["--workspace", "small/ws", "run", "proxy", ...set("out")];
      const full = await tintype(rig, run);
      assert.equal(full.code, 1);
      assert.match(
        full.stderr,
        /error: Cannot write to workspace ".*": its disk is full \(free some space and run again/,
      );
      assert.doesNotMatch(full.stderr, /Uncaught|at async/);
      assert.deepEqual([...pathsIn(small)].filter((path) => path.includes(".tintype-tmp-")), []);
      await mount(small, "remount,size=20m");
      const again = await tintype(rig, run);
      assert.equal(again.code, 0, again.stderr);
    } finally {
      await unmount(small);
    }
  },
});

Deno.test({
  name: "a read-only workspace, and a read-only folder to publish in, are named with the way out",
  ignore: !canMount,
  async fn() {
    await using rig = new PictureRig();
    await withPictures(rig);
    const small = rig.path("small");
    await mount(small, "size=1m,ro");
    try {
      const run = await tintype(rig, ["--workspace", "small/ws", "run", "proxy", ...set("out")]);
      assert.equal(run.code, 1);
      assert.match(run.stderr, /Cannot write to workspace ".*": it is on a read-only disk/);
      const published = await tintype(rig, ["run", "proxy", ...set("small/out")]);
      assert.equal(published.code, 1);
      assert.match(published.stderr, /Failed \(1 task\)\n {2}files: .*/);
      assert.doesNotMatch(published.stderr, /Uncaught|at async/);
    } finally {
      await unmount(small);
    }
  },
});
