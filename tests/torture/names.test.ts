import assert from "node:assert/strict";
import { makeDataset } from "../../src/export/dataset.ts";
import { openZip } from "../../src/export/zip.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { tintype } from "../cli/rig.ts";

/** Names that systems allow and programs stumble over. */
const oddNames = [
  "new\nline.jpg",
  "quo\"te's.jpg",
  "-rf.jpg",
  "--help.jpg",
  "right\u202egpj.exe.jpg",
  "caf\u00e9.jpg",
  "trailing .jpg",
  "dots...jpg",
  " leading.jpg",
  "{stem}{id}.jpg",
  ".tintype-manifest.json.jpg",
  "esc\u001b[31mred.jpg",
  "$(touch x)`id`;a|b&c.jpg",
  "<img src=x onerror=alert(1)>.jpg",
  "..jpg",
  "=1+1.jpg",
  "[a]*?.jpg",
  "emoji😀.jpg",
  `${"é".repeat(115)}.jpg`,
] as const;

Deno.test("pictures with odd names go through proxies, datasets and reports", async () => {
  await using rig = new PictureRig();
  for (const [seed, name] of oddNames.entries()) {
    rig.write({ [`photos/${name}`]: await photo(96, 64, { seed: seed + 1 }) });
  }
  const isSeen = (name: string) => !name.startsWith(".");
  const { status, events } = await rig.proxy({ short_side: 32 });
  assert.equal(status, "complete");
  const items = events.flatMap((event) =>
    event.type === "task-settled" && event.node === "photos" ? [event.item] : []
  );
  assert.deepEqual(new Set(items), new Set(oddNames.filter(isSeen)));
  const published = Array.from(Deno.readDirSync(rig.path("proxies")), ({ name }) => name)
    .filter((name) => name.endsWith("_nova.jpg"));
  assert.equal(published.length, items.length);
  const { counts } = await rig.proxy({ short_side: 32 });
  assert.equal(counts.ran, 0);
});

Deno.test("a name that the pattern makes too long fails alone, and says how to shorten it", async () => {
  await using rig = new PictureRig();
  const long = "a".repeat(251);
  rig.write({ [`photos/${long}.jpg`]: await photo(40, 30), "photos/b.jpg": await photo(30, 40) });
  const { events, counts } = await rig.proxy();
  assert.equal(counts.failed, 1);
  const failed = events.find((event) =>
    event.type === "task-settled" && event.outcome === "failed"
  );
  assert.ok(failed?.type === "task-settled" && failed.item === `${long}.jpg`);
  assert.match(
    failed.reason ?? "",
    /it is 269 bytes long \(255 at most\) \(take a shorter pattern/,
  );
  assert.deepEqual(
    Array.from(Deno.readDirSync(rig.path("proxies")), ({ name }) => name.slice(0, 2)).sort(),
    [".t", "b_"],
  );
});

Deno.test({
  name:
    "files and folders whose names are not UTF-8 are counted in a warning, and nothing is cleaned up",
  ignore: Deno.build.os !== "linux", // others have no such names
  async fn() {
    await using rig = new PictureRig();
    rig.write({ "photos/a.jpg": await photo(40, 30), "photos/\ufffd.jpg": await photo(30, 40) });
    const script =
      `cd "$1" && cp a.jpg "$(printf 'bad\\377.jpg')" && mkdir "$(printf 'dir\\376')" &&
      cp a.jpg "$(printf '\\377.jpg')"`;
    const { success } = await new Deno.Command("sh", {
      args: ["-c", script, "sh", rig.path("photos")],
    }).output();
    assert.ok(success);
    const { events, status } = await rig.proxy();
    assert.equal(status, "complete");
    const warnings = events.flatMap((event) => event.type === "warning" ? [event.message] : []);
    assert.deepEqual(warnings, [
      "3 names are not UTF-8, so that what has them cannot be read: " +
      '"\ufffd.jpg", "bad\ufffd.jpg", "dir\ufffd" (rename to include)',
    ]);
    const found = events.find((event) => event.type === "items-found");
    assert.equal(found?.type === "items-found" && found.count, 2);
  },
});

Deno.test("what a run prints holds nothing that steers a terminal", async () => {
  await using rig = new PictureRig();
  const name = `${"a".repeat(240)}\u001b[2J.jpg`;
  rig.write({ [`photos/${name}`]: await photo(40, 30), "photos/b\u001b[31m.jpg": "no picture" });
  const { stdout, stderr } = await tintype(rig, [
    ...["run", "proxy", "--set", "source=photos", "--set", "out=out"],
  ]);
  assert.match(stderr, /\\u001b\[2J/);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(stdout + stderr, /\u001b/);
});

Deno.test("no name in a zip leads out of its folder, on any system, or breaks a line", async () => {
  const bytes = await photo(40, 30);
  const names = ["..\\..\\evil.jpg", "a\nb.jpg", "C:\\x.jpg", "sub/-rf.jpg"];
  const pictures = names.map((name) => ({
    name,
    bytes,
    ending: "jpg",
    caption: `photo of ${name}`,
  }));
  const dataset = await makeDataset(
    pictures.map((each) => ({ ...each, caption: "photo of hall_x" })),
    { target: "replicate-flux", trigger: "hall_x" },
  );
  assert.deepEqual(dataset.verification.problems, []);
  const { paths } = await openZip(dataset.zip);
  for (const path of paths) assert.doesNotMatch(path, /[\\\n]|(^|\/)\.\.(\/|$)|^\//);
  assert.equal(dataset.metadata.trimEnd().split("\n").length, names.length);
});
