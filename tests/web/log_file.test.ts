import assert from "node:assert/strict";
import type { Decision } from "../../src/decisions/decisions.ts";
import { DecisionLog } from "../../src/decisions/log_file.ts";

const image = "a".repeat(64);

function caption(before: string, after: string): Decision {
  return { field: "caption", at: "2026-01-01T00:00:00.000Z", image, name: "a.jpg", before, after };
}

async function withLog(work: (log: DecisionLog, path: string) => Promise<void>) {
  const folder = Deno.makeTempDirSync({ prefix: "tintype-log-" });
  const path = `${folder}/out/decisions.jsonl`;
  const log = DecisionLog.open(path);
  try {
    await work(log, path);
  } finally {
    log.close();
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("a change is in the file when it is acknowledged, one a line, with who and which", async () => {
  await withLog(async (log, path) => {
    await log.append([{ decision: caption("", "one"), by: "page", number: 1 }]);
    assert.equal(
      Deno.readTextFileSync(path),
      `{"field":"caption","at":"2026-01-01T00:00:00.000Z","image":"${image}","name":"a.jpg",` +
        `"before":"","after":"one","by":"page","number":1}\n`,
    );
    assert.deepEqual(log.captionOf(image), { text: "one" });
    assert.equal(log.lastNumber("page"), 1);
  });
});

Deno.test("changes of many writers at once are all there, in the order they were given in", async () => {
  await withLog(async (log, path) => {
    const texts = Array.from({ length: 200 }, (_, index) => `text ${index}`);
    await Promise.all(texts.map((text) => log.append([{ decision: caption("", text) }])));
    const lines = Deno.readTextFileSync(path).trimEnd().split("\n");
    assert.deepEqual(lines.map((line) => JSON.parse(line).after), texts);
  });
});

Deno.test("what a killed process left half is cut off, and the next line is whole", async () => {
  await withLog(async (log, path) => {
    await log.append([{ decision: caption("", "one") }]);
    Deno.writeTextFileSync(path, '{"field":"caption","at":"2026', { append: true });
    const again = DecisionLog.open(path);
    await again.append([{ decision: caption("one", "two") }]);
    again.close();
    const lines = Deno.readTextFileSync(path).trimEnd().split("\n");
    assert.deepEqual(lines.map((line) => JSON.parse(line).after), ["one", "two"]);
  });
});

Deno.test("a last line that an editor left without its end counts, and gets it", async () => {
  await withLog(async (log, path) => {
    await log.append([{ decision: caption("", "one") }]);
    Deno.writeTextFileSync(path, JSON.stringify(caption("one", "by hand")), { append: true });
    const again = DecisionLog.open(path);
    assert.equal(again.captionOf(image).text, "by hand");
    await again.append([{ decision: caption("by hand", "two") }]);
    again.close();
    assert.equal(Deno.readTextFileSync(path).trimEnd().split("\n").length, 3);
  });
});

Deno.test("what somebody else writes meanwhile is taken in, and nothing of it is lost", async () => {
  await withLog(async (log, path) => {
    await log.append([{ decision: caption("", "one") }]);
    const other = { ...caption("", "theirs"), image: "b".repeat(64) };
    Deno.writeTextFileSync(path, `${JSON.stringify(other)}\n`, { append: true });
    await log.append([{ decision: caption("one", "two") }]);
    assert.equal(log.captionOf("b".repeat(64)).text, "theirs");
    assert.equal(log.captionOf(image).text, "two");
    assert.equal(Deno.readTextFileSync(path).trimEnd().split("\n").length, 3);
  });
});

Deno.test("where the file was removed, the next change makes it anew", async () => {
  await withLog(async (log, path) => {
    await log.append([{ decision: caption("", "one") }]);
    Deno.removeSync(path);
    await log.append([{ decision: caption("one", "two") }]);
    assert.equal(JSON.parse(Deno.readTextFileSync(path)).after, "two");
  });
});

Deno.test("a change that cannot be written is no change, and may be given again", async () => {
  await withLog(async (log, path) => {
    await log.append([{ decision: caption("", "one"), by: "page", number: 1 }]);
    Deno.renameSync(path, `${path}.away`);
    Deno.mkdirSync(path);
    const second = { decision: caption("one", "two"), by: "page", number: 2 };
    await assert.rejects(() => log.append([second]));
    Deno.removeSync(path);
    Deno.renameSync(`${path}.away`, path);
    await log.append([second]);
    assert.deepEqual([log.lastNumber("page"), log.captionOf(image).text], [2, "two"]);
    assert.equal(Deno.readTextFileSync(path).trimEnd().split("\n").length, 2);
  });
});
