import assert from "node:assert/strict";
import { photo, PictureRig } from "../picture_rig.ts";
import { proxyArgs, tintype } from "./rig.ts";

async function rigWithPhotos(): Promise<PictureRig> {
  const rig = new PictureRig();
  const whole = await photo(1000, 1200);
  rig.write({
    "photos/a.jpg": whole,
    "photos/b.jpg": await photo(1300, 1000, { seed: 4 }),
    "photos/cut.jpg": whole.subarray(0, 9000),
  });
  assert.equal((await tintype(rig, proxyArgs)).code, 0);
  return rig;
}

function storeFile(rig: PictureRig): string {
  const store = rig.path(".tintype/store");
  const [shard] = [...Deno.readDirSync(store)].map(({ name }) => name).sort();
  const [file] = [...Deno.readDirSync(`${store}/${shard}`)];
  return `${store}/${shard}/${file!.name}`;
}

Deno.test("verify is exit code 0 where nothing is wrong, 1 where something was, repaired or not", async () => {
  await using rig = await rigWithPhotos();
  const fine = await tintype(rig, ["verify", "--sample", "2"]);
  assert.equal(fine.code, 0, fine.stderr);
  assert.match(
    fine.stdout,
    /^Read \d+ artifacts \(.*\), \d+ results, 2 published files in 1 folder\nRead \d+ originals \(.*\)\nRepeated 2 tasks\nNothing is wrong\n$/,
  );
  const path = storeFile(rig);
  const bytes = Deno.readFileSync(path);
  bytes[100]! ^= 1;
  Deno.writeFileSync(path, bytes);
  const wrong = await tintype(rig, ["verify"]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^corrupt-artifact \(1\)\n {2}Artifact [0-9a-f]{12}… is corrupt/);
  assert.match(wrong.stderr, /\(proxy\/proxies, [ab]\.jpg\)\n {4}set aside as .*quarantine/);
  assert.match(wrong.stderr, /→ tintype verify --repair makes it again, or tintype run /);
  const repaired = await tintype(rig, ["verify", "--repair", "--json"]);
  assert.equal(repaired.code, 1);
  const { findings } = JSON.parse(repaired.stdout);
  assert.deepEqual(
    findings.map(({ code, isHealed }: Record<string, unknown>) => [code, isHealed]),
    [["missing-artifact", true]],
  );
  assert.equal((await tintype(rig, ["verify"])).code, 0);
});

Deno.test("verify does not take --sample and --all together, nor a sample of nothing", async () => {
  await using rig = new PictureRig();
  assert.equal((await tintype(rig, ["verify", "--sample", "3", "--all"])).code, 2);
  assert.equal((await tintype(rig, ["verify", "--sample", "0"])).code, 2);
});

Deno.test("cache stats and cache gc say what is there, and change nothing without --apply", async () => {
  await using rig = await rigWithPhotos();
  await tintype(rig, [...proxyArgs, "--set", "quality=50"]);
  const stats = await tintype(rig, ["cache", "stats"]);
  assert.equal(stats.code, 0, stats.stderr);
  assert.match(stats.stdout, /^step +results +artifacts +size\nimage\.proxy +6 +4 +/m);
  assert.match(stats.stdout, /^No run needs 0 bytes/m);
  assert.equal(
    JSON.parse((await tintype(rig, ["cache", "stats", "--json"])).stdout).runs.length,
    2,
  );
  const planned = await tintype(rig, ["cache", "gc", "--keep-runs", "1"]);
  assert.match(planned.stdout, /^Would remove run \S+ \(proxy\), which alone needs /);
  assert.match(planned.stdout, /Nothing was changed \(--apply does it\)\n$/);
  assert.equal([...Deno.readDirSync(rig.path(".tintype/runs"))].length, 2);
  const done = await tintype(rig, ["cache", "gc", "--keep-runs", "1", "--apply"]);
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^Removed run \S+ \(proxy\)/);
  assert.equal([...Deno.readDirSync(rig.path(".tintype/runs"))].length, 1);
  const again = await tintype(rig, [...proxyArgs, "--set", "quality=50"]);
  assert.match(again.stdout, /complete in .*: 0 ran, 7 cached, 1 left out/);
});

Deno.test("spans and sizes are read with their units, and nothing else is", async () => {
  await using rig = await rigWithPhotos();
  for (const args of [["--older-than", "30d"], ["--max-size", "1.5GiB"], ["--keep-runs", "0"]]) {
    assert.equal((await tintype(rig, ["cache", "gc", ...args])).code, 0, args.join(" "));
  }
  for (const args of [["--older-than", "30"], ["--max-size", "ten GB"], ["--keep-runs", "-1"]]) {
    assert.equal((await tintype(rig, ["cache", "gc", ...args])).code, 2, args.join(" "));
  }
});

Deno.test("errors groups what was left out, says what to do, and knows its runs", async () => {
  await using rig = await rigWithPhotos();
  const { stdout, code } = await tintype(rig, ["errors"]);
  assert.equal(code, 0);
  assert.match(stdout, /^proxy · run \S+: 1 picture left out\n/);
  assert.match(
    stdout,
    /\n1 picture left out: the file is cut short \(file-truncated at proxies, image\.proxy\)\n {2}e\.g\. cut\.jpg: JPEG ends after 9,000 bytes, .*\n {2}→ copy the file again from where it came/,
  );
  const json = JSON.parse((await tintype(rig, ["errors", "--json"])).stdout);
  assert.deepEqual(
    json.groups.map(({ node, code }: Record<string, unknown>) => [node, code]).sort(),
    [["proxies", "file-truncated"]],
  );
  const unknown = await tintype(rig, ["errors", "--run", "none"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /^error: Cannot show errors: there is no run "none" in /);
});

Deno.test("run, errors and runs agree on how many pictures are missing, whatever nodes left them out", async () => {
  await using rig = new PictureRig();
  const whole = await photo(600, 400);
  rig.write({
    "photos/a.jpg": whole,
    "photos/cut.jpg": whole.subarray(0, 9000),
    "photos/half.jpg": whole.subarray(0, 12_000),
    "photos/empty.jpg": new Uint8Array(),
    "fail.ts": `import { defineStep, each, image, produced, z } from "tintype";
      export default defineStep({ name: "own.fail", version: 1, doc: "Fails.", origin: "computed", isResult: true,
        inputs: { image: each(image, "in") }, params: z.object({}), outputs: { image: each(image, "out") },
        run({ image }) { if (image) throw new Error("out of paint"); return produced({ image }); } });`,
    "r.yaml": `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: photos } }
  print: { use: inspect.fingerprint, from: photos }
  quality: { use: inspect.quality, from: photos }
  alike: { use: dedupe.group, from: print }
  small: { use: image.proxy, from: photos }
  broken: { use: ./fail.ts, from: small }
`,
  });
  const run = await tintype(rig, ["run", "r.yaml"]);
  assert.match(run.stderr, /Left out \(3 pictures\)\n/);
  assert.match(run.stderr, /\n {2}cut\.jpg \((?:print|quality|small|, ){5}\): JPEG ends/);
  assert.equal(run.stderr.match(/cut\.jpg/g)!.length, 1, "a picture is named once");
  assert.match(
    run.stderr,
    /Failed \(1 picture\)\n {2}a\.jpg \(broken\): out of paint\n {2}\(.*errors says what can/,
  );
  assert.match(run.stdout, /\nfailed in .* s, 1 picture failed, 3 pictures left out; tasks: /);
  const errors = await tintype(rig, ["errors"]);
  assert.match(
    errors.stdout,
    /^r · run \S+: 1 picture failed, 3 pictures left out; \d+ tasks skipped/,
  );
  assert.doesNotMatch(errors.stdout, /at alike/, "that it had nothing to go by is no news");
  const runs = await tintype(rig, ["runs"]);
  assert.match(runs.stdout, /\s+left out\s+failed\s+tasks ran\s/);
  assert.match(runs.stdout, / failed +3 pictures +1 picture +\d+ /);
  const [summary] = JSON.parse((await tintype(rig, ["runs", "--json"])).stdout);
  assert.deepEqual(summary.items, { rejected: 3, failed: 1, waiting: 0 });
});

Deno.test("they agree on pictures that have one name in two folders", async () => {
  await using rig = new PictureRig();
  const whole = await photo(600, 400);
  rig.write({
    "one/a.jpg": whole.subarray(0, 9000),
    "two/a.jpg": whole.subarray(0, 9000),
    "two/b.jpg": whole,
    "r.yaml": `recipe: r
steps:
  first: { use: ingest.scan, with: { folder: one } }
  second: { use: ingest.scan, with: { folder: two } }
  print: { use: inspect.fingerprint, from: first }
  other: { use: inspect.fingerprint, from: second }
  quality: { use: inspect.quality, from: second }
`,
  });
  const run = await tintype(rig, ["run", "r.yaml"]);
  assert.match(run.stderr, /Left out \(2 pictures\)\n/);
  assert.match(run.stderr, /\n {2}a\.jpg \(print\): JPEG ends/);
  assert.match(run.stderr, /\n {2}a\.jpg \((?:other|quality|, ){3}\): JPEG ends/);
  assert.match(run.stdout, /, 2 pictures left out; tasks/);
  assert.match((await tintype(rig, ["errors"])).stdout, /^r · run \S+: 2 pictures left out\n/);
});

Deno.test("they agree on what a step for all pictures left out, and on what follows from a failure", async () => {
  await using rig = new PictureRig();
  rig.write({
    "photos/a.jpg": await photo(60, 40, { seed: 1 }),
    "photos/b.jpg": await photo(60, 40, { seed: 2 }),
    "photos/c.jpg": await photo(60, 40, { seed: 3 }),
    "drop.ts": `import { all, defineStep, each, image, produced, rejected, z } from "tintype";
      export default defineStep({ name: "own.drop", version: 1, doc: "Drops.", origin: "computed", usesItemName: true,
        inputs: { image: all(image, "in") }, params: z.object({}), outputs: { image: each(image, "out") },
        run({ image }, _, { members }) {
          return produced({ image: new Map(members.map(({ member, name }) =>
            [member, name === "a.jpg" ? rejected("too dull") : image.get(member)!])) });
        } });`,
    "fail.ts": `import { defineStep, each, failed, image, produced, z } from "tintype";
      export default defineStep({ name: "own.fail", version: 1, doc: "Fails.", origin: "computed", usesItemName: true,
        inputs: { image: each(image, "in") }, params: z.object({}), outputs: { image: each(image, "out") },
        run({ image }, _, { itemName }) {
          return itemName === "b.jpg" ? failed("out of paint") : produced({ image });
        } });`,
    "r.yaml": `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: photos } }
  kept: { use: ./drop.ts, from: photos }
  small: { use: image.proxy, from: kept }
  savings: { use: report.savings, from: { originals: photos, proxies: small } }
`,
  });
  const said = async () => {
    const run = await tintype(rig, ["run", "r.yaml"]);
    const errors = await tintype(rig, ["errors"]);
    const [found, summaries] = [
      JSON.parse((await tintype(rig, ["errors", "--json"])).stdout),
      JSON.parse((await tintype(rig, ["runs", "--json"])).stdout),
    ];
    assert.deepEqual(found.items, summaries.at(-1).items);
    const runs = (await tintype(rig, ["runs"])).stdout.trimEnd().split("\n").at(-1)!;
    return [
      / in [\d.]+ s, (.*); tasks/.exec(run.stdout)?.[1],
      /: (.*); /.exec(errors.stdout)?.[1],
      runs,
      /^Left out .*\n(?: {2}.*\n)+/m.exec(run.stderr)?.[0],
    ];
  };
  for (const _ of ["ran", "cached"]) {
    const [run, errors, runs, listed] = await said();
    assert.deepEqual([run, errors], ["1 picture left out", "1 picture left out"]);
    assert.equal(listed, "Left out (1 picture)\n  a.jpg (kept): too dull\n");
    assert.match(runs!, / complete +1 picture +\d/);
  }
  const recipe = Deno.readTextFileSync(rig.path("r.yaml"));
  rig.write({ "r.yaml": recipe.replace("drop.ts", "fail.ts") });
  for (const _ of ["ran", "cached"]) {
    const [run, errors, runs, listed] = await said();
    assert.deepEqual([run, errors], ["1 picture failed", "1 picture failed"]);
    assert.equal(listed, undefined);
    assert.match(runs!, / failed +1 picture +\d/);
  }
});
