import assert from "node:assert/strict";
import { join } from "node:path";
import { outcomes, PictureRig } from "../picture_rig.ts";

const corpus = Deno.env.get("TINTYPE_CORPUS");
const suffix = corpus === undefined ? " (skipped: TINTYPE_CORPUS is not set)" : "";

function corpusTest(name: string, run: (folder: string) => Promise<void>) {
  Deno.test({
    name: name + suffix,
    ignore: corpus === undefined,
    fn: () => run(join(corpus!, "corpus")),
  });
}

corpusTest("every odd picture, and every one with broken EXIF, gets its proxy", async (folder) => {
  for (const part of ["odd", "broken_exif", "orientation"]) {
    await using rig = new PictureRig();
    const { events, status } = await rig.proxy({ source: join(folder, part) });
    assert.equal(status, "complete");
    const settled = outcomes(events, "proxies");
    const bad = Object.entries(settled).filter(([, outcome]) =>
      !["ran", "cached"].includes(outcome)
    );
    assert.deepEqual(bad, [], part);
    assert.equal(Object.keys(settled).length, [...Deno.readDirSync(join(folder, part))].length);
    if (part !== "broken_exif") continue;
    const warned = new Set(events.flatMap((event) => event.type === "warning" ? event.item : []));
    assert.equal(warned.size, Object.keys(settled).length);
  }
});

corpusTest("every broken picture and every bomb is left out with a reason", async (folder) => {
  for (const part of ["broken", "bombs"]) {
    await using rig = new PictureRig();
    const { events, counts } = await rig.proxy({ source: join(folder, part) });
    const files = [...Deno.readDirSync(join(folder, part))].map((entry) => entry.name).sort();
    const reasons = events.flatMap((event) =>
      event.type === "task-settled" && event.outcome === "rejected"
        ? [[event.item!, event.reason!] as const]
        : []
    );
    assert.deepEqual(reasons.map(([item]) => item).sort(), files);
    assert.ok(reasons.every(([, reason]) => reason.length > 10), JSON.stringify(reasons));
    assert.equal(counts.failed, 0);
  }
});

corpusTest(
  "no proxy of a photo is larger than 896 on its short side, none is enlarged",
  async (folder) => {
    await using rig = new PictureRig();
    const { status } = await rig.proxy({ source: join(folder, "photos") });
    assert.equal(status, "complete");
    const wrong = await rig.query(`
    SELECT item FROM photos JOIN proxies USING (item)
    WHERE least(proxies.width, proxies.height) <> least(896, photos.width, photos.height)`);
    assert.deepEqual(wrong, []);
    const [{ n }] = await rig.query(
      "SELECT count(*) AS n FROM proxies WHERE status = 'produced'",
    ) as [
      { n: number },
    ];
    assert.equal(n, [...Deno.readDirSync(join(folder, "photos"))].length);
  },
);
