import assert from "node:assert/strict";
import { photo, PictureRig } from "../picture_rig.ts";

const root = new URL("../../", import.meta.url);

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, root));
}

Deno.test("the step that CONTRIBUTING shows works", async () => {
  await using rig = new PictureRig();
  const snippet = /```ts ignore\n([\s\S]*?)```/.exec(read("CONTRIBUTING.md"))![1]!;
  const code = snippet.replaceAll('"../../', `"${root.href}src/`)
    .replaceAll('"../kinds.ts"', `"${root.href}src/steps/kinds.ts"`);
  rig.write({
    "size.ts": code,
    "photos/a.jpg": await photo(1000, 800),
    "photos/b.jpg": await photo(20, 10),
  });
  await rig.run(`
recipe: sizes
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  sizes: { use: ./size.ts, from: photos }
`);
  assert.deepEqual(await rig.query("SELECT item, megapixels, reason FROM sizes ORDER BY item"), [
    { item: "a.jpg", megapixels: 0.8, reason: null },
    { item: "b.jpg", megapixels: null, reason: "it is too small" },
  ]);
});

Deno.test("the commands and options that the README names exist", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "src/cli/main.ts", "help", "run"],
    cwd: root.pathname,
  }).output();
  const help = new TextDecoder().decode(stdout);
  for (
    const option of ["--set", "--jobs", "--until", "--force", "--limit", "--json", "--workspace"]
  ) {
    assert.ok(help.includes(option), option);
    assert.ok(read("README.md").includes(option), option);
  }
  const tasks = Object.keys(JSON.parse(read("deno.json")).tasks);
  for (const [, task] of read("README.md").matchAll(/deno(?:@2\.9\.6)? task ([\w-]+)/g)) {
    assert.ok(tasks.includes(task!), `task ${task}`);
  }
});

Deno.test("the list that the README gives to normalize_subject is taken", async () => {
  const [, name, list] = /`--set (aspects)='(\[[^']*\])'`/.exec(read("README.md"))!;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "src/cli/main.ts",
      "check",
      "normalize_subject",
      "--set",
      `${name}=${list}`,
    ],
    cwd: root.pathname,
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
});

Deno.test("the journal's page names every event and every outcome", () => {
  const page = read("docs/journal.md");
  const source = read("src/runtime/event.ts");
  const types = [...source.matchAll(/readonly type: "([a-z-]+)"/g)].map(([, type]) => type!);
  assert.ok(types.length > 8);
  for (const name of [...types, "ran", "cached", "rejected", "skipped", "failed", "waiting"]) {
    assert.ok(page.includes(`\`${name}\``), name);
  }
});
