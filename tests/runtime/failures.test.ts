import assert from "node:assert/strict";
import fc from "fast-check";
import { causeCodes, causeOf, codeOf, patternOf, wayOutOf } from "../../src/runtime/cause.ts";
import { failuresOfRun, UnknownRun } from "../../src/runtime/failure_record.ts";
import { type Failure, groupFailures, wordsOf } from "../../src/runtime/failures.ts";
import { Rig } from "../rig.ts";

const recipe = `
recipe: words
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  upper: { use: test.upper, from: texts }
  long: { use: test.length, from: upper }
  rank: { use: test.rank, from: upper }
`;

/** Sentences as they come out of steps, decoders, services and systems. */
const reasons: readonly (readonly [string, string])[] = [
  ["JPEG ends after 9,000 of 64,000 bytes", "file-truncated"],
  ["JPEG ends after 141,357 bytes, inside its picture data", "file-truncated"],
  ["PNG ends after 81,920 of at least 105,559 bytes, inside chunk IDAT", "file-truncated"],
  ["GIF ends after 44 bytes, before its trailer", "file-truncated"],
  ['WebP chunk "VP8" reaches beyond the end of the file', "file-truncated"],
  ["JPEG frame header ends early", "file-truncated"],
  ["PNG chunk IDAT at byte 1,204 is damaged: its checksum does not match", "file-damaged"],
  ["JPEG data is damaged: its pixels cannot be decoded", "file-damaged"],
  ["TIFF is broken: it names no pixels", "file-damaged"],
  ["JPEG is 0 × 400 pixels", "file-damaged"],
  ["JPEG has no frame header", "file-damaged"],
  ["file is empty", "file-empty"],
  ['not an image: starts with "this is " (JPEG, PNG or WebP is wanted)', "not-an-image"],
  ["65,536 × 65,536 pixels is over the limit of 268,435,456", "too-many-pixels"],
  ["HEIC with a feature that this build cannot decode (convert it to JPEG)", "format-unsupported"],
  ["Cannot decode HEIC: its worker broke, it took longer than 54 s", "worker-broke"],
  ["JPEG of kind SOF11, which this build cannot decode", "format-unsupported"],
  ["a camera raw file, which this build cannot decode (develop it first)", "format-unsupported"],
  ["Permission denied (os error 13)", "permission-denied"],
  ['Cannot write "a.jpg": No space left on device (os error 28)', "disk-full"],
  ['Cannot publish to "/out": 30.0 MB are needed, 16.0 MB are free', "disk-full"],
  ["The file was changed while the run was under way; run again", "file-changed"],
  ['Cannot write "a.jpg": something that Tintype did not write is there', "would-overwrite"],
  [
    'Cannot ask "x": it has too much to do, or a quota is used up (HTTP 429; 5 s)',
    "too-many-requests",
  ],
  ["Cannot ask Gemini: there is no key (set GEMINI_API_KEY)", "no-key"],
  ["Cannot ask Gemini: it answers HTTP 403: forbidden", "key-refused"],
  ["Cannot ask Gemini: it fails with HTTP 503 (its own log says why)", "server-error"],
  ["Cannot ask Gemini: nothing answers there", "no-network"],
  ['Cannot ask Gemini: no answer came within 60 s (raise "timeout_s")', "no-answer-in-time"],
  [
    "a quota of the day or the account is used up (HTTP 429; wait until it is renewed)",
    "quota-spent",
  ],
  [
    'Cannot use model "yunet": its file is not there (run: tintype models pull yunet)',
    "model-missing",
  ],
  ['Cannot scan folder "/photos": it is not there', "file-missing"],
  ["Cannot read properties of undefined (reading 'width')", "step-mistake"],
  ["tagOf is not a function", "step-mistake"],
  ["it broke", "unexpected"],
];

Deno.test("reasons of one cause have one code, in whatever words they come", () => {
  const wrong = reasons.map(([reason, code]) => [reason, code, codeOf("failed", reason)])
    .filter(([, wanted, found]) => wanted !== found);
  assert.deepEqual(wrong, []);
  assert.equal(codeOf("rejected", "the picture is too dull"), "left-out");
  assert.equal(codeOf("waiting", "file is empty"), "person-wanted");
  assert.equal(codeOf("ran", "file is empty"), undefined);
});

Deno.test("every code has advice, and codes are names", () => {
  assert.equal(new Set(causeCodes).size, causeCodes.length);
  for (const code of causeCodes) assert.match(code, /^[a-z]+(-[a-z]+)*$/);
  for (const [reason] of reasons) {
    const { advice } = causeOf("failed", reason);
    assert.ok(advice.length > 10 && !advice.endsWith("."), advice);
  }
});

/** Where tasks fail: what is written there is what a person reads. */
const folders = ["steps", "imaging", "vision", "quality", "dedupe", "export", "captions"];

function* sourcesBelow(folder: URL): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const url = new URL(isDirectory ? `${name}/` : name, folder);
    if (isDirectory) yield* sourcesBelow(url);
    else if (name.endsWith(".ts")) yield Deno.readTextFileSync(url);
  }
}

/** The sentences that a module fails or leaves out with, each value in them as "0". */
function sentencesIn(source: string, call: string): string[] {
  const text = String.raw`(?:\`(?:[^\`\\]|\\.)*\`|"(?:[^"\\]|\\.)*")`;
  const pattern = new RegExp(String.raw`\b${call}\(\s*(${text}(?:\s*\+\s*${text})*)`, "g");
  return [...source.matchAll(pattern)].map(([, parts]) =>
    parts!.replace(/[\`"]\s*\+\s*[\`"]/g, "").slice(1, -1)
      .replace(/\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/g, "0")
  );
}

Deno.test("every sentence that a step fails with has a code of its own, with advice", () => {
  const root = new URL("../../src/", import.meta.url);
  const sources = folders.flatMap((each) => [...sourcesBelow(new URL(`${each}/`, root))]);
  const failing = sources.flatMap((source) => sentencesIn(source, "failed"));
  const rejecting = sources.flatMap((source) => sentencesIn(source, "new Rejection"));
  assert.ok(failing.length > 8 && rejecting.length > 20, `${failing.length} ${rejecting.length}`);
  assert.deepEqual(failing.filter((each) => codeOf("failed", each) === "unexpected"), []);
  // What a picture's bytes are at fault for is no judgement by parameters.
  assert.deepEqual(rejecting.filter((each) => codeOf("rejected", each) === "left-out"), []);
});

Deno.test("a group is put into the same words wherever it is read, all its names where asked for", () => {
  const failures = Array.from({ length: 5 }, (_, index): Failure => ({
    node: "photos",
    item: `p${index}.jpg`,
    outcome: "rejected",
    reason: `JPEG ends after ${index} of 90 bytes`,
  }));
  const after = { node: "small", outcome: "skipped", item: "p1.jpg" } as const;
  failures.push({ ...after, reason: 'left out at "photos": it ends' });
  const [group] = groupFailures(failures, { photos: "ingest.scan" });
  assert.deepEqual(wordsOf(group!), {
    outcome: "rejected",
    headline: "5 pictures left out: the file is cut short (file-truncated at photos, ingest.scan)",
    wordings: ["5 × JPEG ends after N of N bytes"],
    examples: [0, 1, 2].map((n) => ({
      item: `p${n}.jpg`,
      reason: `JPEG ends after ${n} of 90 bytes`,
    })),
    more: 2,
    consequence: "1 task skipped because of this",
    advice: [
      "copy the file again from where it came, or take it out of the folder",
    ],
  });
  const [all] = groupFailures(failures, {}, { mostExamples: 100 }).map(wordsOf);
  assert.deepEqual([all!.headline, all!.examples.length, all!.more], [
    "5 pictures left out: the file is cut short (file-truncated at photos)",
    5,
    0,
  ]);
});

Deno.test("numbers, names and paths go out of a reason, parameters and statuses stay", () => {
  const pattern = (reason: string, item?: string) => patternOf(reason, item);
  assert.equal(
    pattern("PNG ends after 81,920 of at least 105,559 bytes, inside chunk IDAT"),
    "PNG ends after N of at least N bytes, inside chunk IDAT",
  );
  assert.equal(pattern('Cannot read "in/ä b.jpg": it is 12.5 MB'), 'Cannot read "…": it is N MB');
  assert.equal(
    pattern('no answer within 60 s (raise "timeout_s")'),
    'no answer within N s (raise "timeout_s")',
  );
  assert.equal(pattern("it fails with HTTP 503"), "it fails with HTTP 503");
  assert.equal(pattern("JPEG of kind SOF11"), "JPEG of kind SOF11");
  assert.equal(pattern("4,000 × 3,000 pixels"), "N × N pixels");
  assert.equal(pattern("cannot open /home/me/a b.jpg"), "cannot open … b.jpg");
  assert.equal(pattern("trip/a.jpg is gone", "trip/a.jpg"), "… is gone");
  assert.equal(pattern("artifact 3f2a91c05d is lost"), "artifact … is lost");
  assert.equal(pattern("-3.5 and 0.25, 1 204 pictures"), "N and N, N pictures");
});

Deno.test("the pattern of a reason does not depend on its numbers or its quoted name", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9 .\-äß]{1,20}\.jpg$/);
  fc.assert(
    fc.property(fc.nat(), fc.nat(), name, name, (a, b, one, two) => {
      const reason = (count: number, file: string) =>
        `Cannot write "${file}": ${count.toLocaleString("en")} bytes are too many`;
      assert.equal(patternOf(reason(a, one)), patternOf(reason(b, two)));
    }),
  );
});

Deno.test("the way out that a reason names is found", () => {
  assert.equal(wayOutOf("JPEG ends (convert it to PNG)"), "convert it to PNG");
  assert.equal(wayOutOf("it asks to wait (HTTP 429; try again later)"), "try again later");
  assert.equal(wayOutOf("The file was changed; run again"), "run again");
  assert.equal(wayOutOf("no such file (os error 2)"), undefined);
  assert.equal(wayOutOf("it is 3 (5 is wanted)"), undefined);
  assert.equal(wayOutOf("Cannot read properties of undefined (reading 'x')"), undefined);
  assert.equal(wayOutOf("it broke"), undefined);
});

Deno.test("failures fall together by node and cause, with counts, examples and what to do", () => {
  const failures: Failure[] = [
    ...["a", "b", "c", "d"].map((item, index): Failure => ({
      node: "proxies",
      item: `${item}.jpg`,
      outcome: "rejected",
      reason: `JPEG ends after ${index * 1000 + 7} of 64,000 bytes`,
    })),
    { node: "proxies", item: "e.png", outcome: "rejected", reason: "PNG ends after 3 bytes" },
    { node: "proxies", item: "f.jpg", outcome: "failed", reason: "it broke at 17" },
    { node: "proxies", item: "g.jpg", outcome: "failed", reason: "it broke at 99" },
    { node: "proxies", item: "h.jpg", outcome: "failed", reason: "another thing" },
    {
      node: "files",
      item: "a.jpg",
      outcome: "skipped",
      reason: 'left out at "proxies": JPEG ends',
    },
    { node: "files", item: "f.jpg", outcome: "skipped", reason: 'held up at "proxies": it broke' },
  ];
  const groups = groupFailures(failures, { proxies: "image.proxy" });
  assert.deepEqual(
    groups.map(({ outcome, code, count, skipped }) => [outcome, code, count, skipped]),
    [
      ["failed", "unexpected", 2, 1],
      ["failed", "unexpected", 1, 0],
      ["rejected", "file-truncated", 5, 1],
    ],
  );
  const truncated = groups[2]!;
  assert.equal(truncated.step, "image.proxy");
  assert.deepEqual(truncated.wordings, [
    { text: "JPEG ends after N of N bytes", count: 4 },
    { text: "PNG ends after N bytes", count: 1 },
  ]);
  assert.deepEqual(truncated.examples.map(({ item }) => item), ["a.jpg", "e.png", "b.jpg"]);
  assert.match(truncated.advice[0]!, /copy the file again/);
});

Deno.test("a run's failures and rejections are grouped, with members that a step for all left out", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "reject 1", "in/b": "fail", "in/c": "throw", "in/d": "odd", "in/e": "wait" });
  const { run } = await rig.run(recipe);
  const found = failuresOfRun(rig.workspace);
  assert.equal(found.run, run);
  assert.equal(found.recipe, "words");
  assert.deepEqual(
    found.groups.map((
      { node, outcome, code, wordings, count, skipped },
    ) => [node, outcome, code, wordings[0]!.text, count, skipped]),
    [
      ["upper", "failed", "unexpected", "a bug", 1, 1],
      ["upper", "failed", "unexpected", "it broke", 1, 1],
      ["upper", "waiting", "person-wanted", "a person must look", 1, 1],
      ["rank", "rejected", "left-out", "odd", 1, 0],
      ["upper", "rejected", "left-out", "it says so", 1, 1],
    ],
  );
  assert.deepEqual(found.counts, { failed: 2, rejected: 2, waiting: 1, skipped: 4 });
  assert.throws(() => failuresOfRun(rig.workspace, "none"), UnknownRun);
});

Deno.test("members of a step for all may be more than a call has room for arguments", async () => {
  await using rig = new Rig();
  const count = 200_000;
  const folder = `${rig.workspace}/runs/1`;
  const entries = [
    { type: "run-started", recipe: "many", nodes: { rank: "test.rank" } },
    { type: "task-settled", node: "rank", outcome: "ran" },
  ];
  const rows = Array.from({ length: count }, (_, at) => [`${at}`, "rejected", [null], "odd"]);
  const lines = (all: readonly unknown[]) =>
    all.map((each) => `${JSON.stringify(each)}\n`).join("");
  Deno.mkdirSync(`${folder}/tables`, { recursive: true });
  Deno.writeTextFileSync(`${folder}/journal.jsonl`, lines(entries));
  const head = { node: "rank", ports: ["rank"] };
  Deno.writeTextFileSync(`${folder}/tables/rank.hashes`, lines([head, ...rows]));
  assert.equal(failuresOfRun(rig.workspace).counts.rejected, count);
});

Deno.test("the table of tasks has the code of what failed, waits or is left out, also from the cache", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "reject", "in/b": "fail", "in/c": "wait", "in/d": "fine" });
  await rig.run(recipe);
  await rig.run(recipe);
  const catalog = await rig.session().openCatalog();
  const { rows } = await catalog.query(
    "SELECT item, outcome, code, count(*) AS n FROM tasks WHERE node = 'upper' GROUP BY ALL ORDER BY item, outcome",
  );
  catalog.close();
  assert.deepEqual(rows, [
    { item: "a", outcome: "rejected", code: "left-out", n: 2 },
    { item: "b", outcome: "failed", code: "unexpected", n: 2 },
    { item: "c", outcome: "waiting", code: "person-wanted", n: 2 },
    { item: "d", outcome: "cached", code: null, n: 1 },
    { item: "d", outcome: "ran", code: null, n: 1 },
  ]);
});
