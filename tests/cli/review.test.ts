import assert from "node:assert/strict";
import { join } from "node:path";
import { photo, PictureRig } from "../picture_rig.ts";
import { mainModule, tintype } from "./rig.ts";

/** What `tintype review` prints, line by line, until it is left; the process ends with it. */
async function* reviewLines(rig: PictureRig, args: readonly string[] = [], env = {}) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", mainModule, "review", "caption", "--no-open", ...args],
    cwd: rig.folder,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    let rest = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      yield* lines;
    }
  } finally {
    child.kill();
    await child.status;
  }
}

/** The first line that says something. */
async function lineWith(lines: AsyncIterable<string>, words: RegExp): Promise<string> {
  for await (const line of lines) if (words.test(line)) return line;
  throw new Error(`no line has ${words}`);
}

Deno.test("a review of a folder that is not there ends at once, and says so", async () => {
  await using rig = new PictureRig();
  rig.write({ "a.jpg": await photo(60, 40) });
  for (const [source, is] of [["nowhere", "it is not there"], ["a.jpg", "it is a file"]]) {
    const { code, stdout, stderr } = await tintype(rig, [
      "review",
      "caption",
      "--no-open",
      "--set",
      `source=${source}`,
    ]);
    assert.deepEqual([code, stdout], [2, ""]);
    const path = join(rig.folder, source!);
    assert.ok(stderr.includes(`Cannot review folder "${path}": ${is}`), stderr);
  }
});

Deno.test("a review of an empty folder says that it is empty, and what to do", async () => {
  await using rig = new PictureRig();
  Deno.mkdirSync(rig.path("photos"));
  const words = `No pictures in "${rig.path("photos")}": put some there, then press "Look again"`;
  assert.ok((await lineWith(reviewLines(rig), /^No pictures/)).startsWith(words));
});

Deno.test("a trigger word that nobody chose is said to be none, by a run and by a review", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(60, 40) });
  const words = 'the trigger word is "my_subject", which only holds the place of yours ' +
    "(--set trigger=WORD)";
  const { stdout, stderr } = await tintype(rig, ["run", "caption", "--until", "checked"]);
  assert.ok(stderr.includes(words), stderr);
  assert.match(stdout, /1 picture can be captioned, with the trigger word "my_subject"/);
  assert.equal(await lineWith(reviewLines(rig), /trigger/), `Warning: ${words}`);
  const set = ["--set", "trigger=hall"];
  const chosen = await tintype(rig, ["run", "caption", "--until", "checked", ...set]);
  assert.ok(!chosen.stderr.includes("trigger"), chosen.stderr);
});

Deno.test("a review counts pictures and files, and says where there is no caption and why", async () => {
  await using rig = new PictureRig();
  const bytes = await photo(60, 40);
  rig.write({ "photos/a.jpg": bytes, "photos/copy.jpg": bytes });
  assert.equal(await lineWith(reviewLines(rig), / ready/), "1 picture (2 files) ready");
  const lines = reviewLines(rig, ["--set", "provider=gemini"], { GEMINI_API_KEY: "" });
  const said: string[] = [];
  for await (const line of lines) {
    said.push(line);
    if (line.includes("→ set GEMINI_API_KEY")) break;
  }
  assert.ok(said.includes("1 picture (2 files) ready, 1 of them without a caption"), said.join());
});
