import assert from "node:assert/strict";
import { join } from "node:path";
import { sha256 } from "../../src/runtime/hash.ts";
import { checkFile, modelFolder } from "../../src/services/model_files.ts";
import { ModelRig } from "./model_rig.ts";
import { environment } from "./model_server.ts";

const bytes = new TextEncoder().encode("weights");

Deno.test("the folder of models is where the environment says", () => {
  const folder = (variables: Readonly<Record<string, string>>) =>
    modelFolder(environment({ HOME: "/home/ada", ...variables }), "/work");
  assert.equal(folder({}), "/home/ada/.cache/tintype/models");
  assert.equal(folder({ XDG_CACHE_HOME: "/cache" }), "/cache/tintype/models");
  assert.equal(folder({ TINTYPE_MODELS: "/m", XDG_CACHE_HOME: "/cache" }), "/m");
  assert.equal(folder({ TINTYPE_MODELS: "models" }), "/work/models");
  assert.equal(folder({ TINTYPE_MODELS: "" }), "/home/ada/.cache/tintype/models");
  assert.equal(
    modelFolder(environment({ USERPROFILE: "/users/ada" }), "/work"),
    "/users/ada/.cache/tintype/models",
  );
});

Deno.test("a file is right when its size and sha256 are", async () => {
  using rig = new ModelRig();
  const entry = rig.add("m", {}, bytes);
  const check = () => checkFile(rig.folder, entry);
  assert.deepEqual(await check(), { status: "fine" });
  rig.write("m.onnx", "weight");
  assert.deepEqual(await check(), { status: "wrong-size", size: 6 });
  rig.write("m.onnx", "weighty");
  assert.deepEqual(await check(), { status: "wrong-digest", sha256: sha256("weighty") });
  assert.deepEqual(await checkFile(rig.folder, entry, { isRead: false }), { status: "fine" });
  Deno.removeSync(join(rig.folder, "m.onnx"));
  assert.deepEqual(await check(), { status: "missing" });
  Deno.mkdirSync(join(rig.folder, "m.onnx"));
  assert.deepEqual(await check(), { status: "not-a-file" });
});

Deno.test("a file that says the same in other words is as good", async () => {
  using rig = new ModelRig();
  const other = { bytes: 9, sha256: sha256("the same!") };
  const entry = rig.add("m", { equivalents: [other] }, bytes);
  rig.write("m.onnx", "the same!");
  assert.deepEqual(await checkFile(rig.folder, entry), { status: "fine" });
  rig.write("m.onnx", "not same!");
  assert.equal((await checkFile(rig.folder, entry)).status, "wrong-digest");
});

Deno.test("a file is read once until its size, time or inode change", async () => {
  using rig = new ModelRig();
  const entry = rig.add("m", {}, bytes);
  const path = join(rig.folder, "m.onnx");
  const time = new Date("2026-01-01T00:00:00Z");
  Deno.utimeSync(path, time, time);
  assert.deepEqual(await checkFile(rig.folder, entry), { status: "fine" });
  // Written in place with its size and time kept: nothing that is looked at has changed.
  rig.write("m.onnx", "weighty");
  Deno.utimeSync(path, time, time);
  assert.deepEqual(await checkFile(rig.folder, entry), { status: "fine" });
  const later = new Date("2026-01-01T00:00:01Z");
  Deno.utimeSync(path, later, later);
  assert.equal((await checkFile(rig.folder, entry)).status, "wrong-digest");
});
