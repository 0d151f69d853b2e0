import assert from "node:assert/strict";
import { join } from "node:path";
import { discover, type PictureFacts } from "../../src/baseline/discover.ts";
import { predictEffect } from "../../src/baseline/effect.ts";
import { policyShape } from "../../src/baseline/policy.ts";
import { PictureRig } from "../picture_rig.ts";

const corpus = Deno.env.get("TINTYPE_CORPUS");
const recipe = new URL("../../pipelines/normalize.yaml", import.meta.url);

/** Larger ones would take half a minute. */
const largestBytes = 200_000;

const policies = {
  "a limit of size": { long_side_px: 512, quality: 82 },
  "another format": { format: "webp", quality: 75 },
  "no colours": { colour: "grey", long_side_px: 600 },
};

/** What `publish.mapping` says of a picture, as far as it is counted here. */
interface Mapped {
  readonly action: string;
  readonly width_after: number;
  readonly height_after: number;
  readonly bytes_after: number;
}

/** Rows with plain numbers, as steps get them. */
function plain(rows: readonly Record<string, unknown>[]): readonly Record<string, unknown>[] {
  const number = (value: unknown) => typeof value === "bigint" ? Number(value) : value;
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([column, value]) => [column, number(value)]))
  );
}

async function factsOf(rig: PictureRig): Promise<readonly PictureFacts[]> {
  const metadata = plain(await rig.query("SELECT * FROM metadata ORDER BY item"));
  const content = plain(await rig.query("SELECT * FROM content ORDER BY item"));
  return metadata.map((row, at) => ({ metadata: row, content: content[at] })) as never;
}

Deno.test({
  name: "the predicted bytes are within 15 % of what normalizing photographs gives" +
    (corpus === undefined ? " (skipped: TINTYPE_CORPUS is not set)" : ""),
  ignore: corpus === undefined,
  async fn() {
    await using rig = new PictureRig();
    const folder = join(corpus!, "corpus", "photos");
    for (const { name } of Deno.readDirSync(folder)) {
      const bytes = Deno.readFileSync(join(folder, name));
      if (bytes.length <= largestBytes) rig.write({ [`photos/${name}`]: bytes });
    }
    for (const [name, settings] of Object.entries(policies)) {
      const policy = policyShape.parse(settings);
      rig.write({ "policy.yaml": JSON.stringify(policy) });
      assert.equal((await rig.run(Deno.readTextFileSync(recipe))).status, "complete");
      const lines = Deno.readTextFileSync(rig.path("out/normalized/mapping.jsonl")).trim();
      const mapped = lines.split("\n").map((line) => JSON.parse(line) as Mapped);
      const sum = (of: (row: Mapped) => number) =>
        mapped.reduce((total, row) => total + of(row), 0);
      const { baseline } = await discover(await factsOf(rig));
      const effect = predictEffect(baseline, policy);
      const ratio = effect.bytes_after / sum(({ bytes_after }) => bytes_after);
      assert.ok(ratio > 0.85 && ratio < 1.15, `${name}: ${ratio} times the bytes`);
      assert.equal(effect.images, mapped.length);
      assert.equal(effect.pixels_after, sum((row) => row.width_after * row.height_after));
      const changed = sum(({ action }) =>
        action === "unchanged" || action === "metadata_only" ? 0 : 1
      );
      assert.ok(Math.abs(effect.changed - changed) <= 2, `${name}: ${effect.changed}, ${changed}`);
    }
  },
});
