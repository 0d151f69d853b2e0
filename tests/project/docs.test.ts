import assert from "node:assert/strict";
import { policyShape } from "../../src/baseline/policy.ts";
import { parsePolicy } from "../../src/baseline/policy_file.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { paramFacts } from "../../src/runtime/params.ts";
import { files } from "../../src/steps/publish/files.ts";
import { placeholders } from "../../src/steps/publish/names.ts";
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

Deno.test("the policy that the README shows is taken, names every setting, and says what limits when left out", async () => {
  const text = /```yaml\n(long_side_px[\s\S]*?)```/.exec(read("README.md"))![1]!;
  const { problem } = await parsePolicy(new TextEncoder().encode(text), "policy.yaml");
  assert.equal(problem, undefined);
  const { leave_out, ...settings } = policyShape.parse({});
  for (const name of [...Object.keys(settings), ...Object.keys(leave_out)]) {
    assert.match(text, new RegExp(`\\b${name}\\b`));
  }
  const limits = { ...settings, ...leave_out, quality: null, background: null };
  assert.deepEqual(
    Object.values(limits).filter((value) => value !== null && value !== "keep"),
    [],
  );
  assert.ok(read("README.md").includes(`but for \`quality\`, which is ${settings.quality} then`));
});

Deno.test("the placeholders of names are all explained by describe", () => {
  const { about } = paramFacts(files.params).find(({ name }) => name === "name")!;
  for (const placeholder of placeholders) {
    assert.ok(about.includes(`{${placeholder}}`), placeholder);
  }
});

Deno.test("the decisions that the README and describe show are taken by dedupe", async () => {
  await using rig = new PictureRig();
  const whole = await photo(600, 400);
  const again = new Uint8Array([...whole, 0]); // the same pixels in another file
  rig.write({ "photos/a.jpg": whole, "photos/b.jpg": again });
  const tintype = async (...args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", `${root.pathname}src/cli/main.ts`, ...args],
      cwd: rig.folder,
      env: { NO_COLOR: "1" },
    }).output();
    const [out = "", err = ""] = [stdout, stderr].map((each) => new TextDecoder().decode(each));
    assert.equal(code, 0, err);
    assert.doesNotMatch(err, /is no decision/);
    return out;
  };
  const dedupe = async (decisions: string) => {
    rig.write({ "out/decisions.jsonl": decisions });
    return /chosen: .*/.exec(await tintype("run", "dedupe", "--set", "out=out"))![0];
  };
  const block = /```json\n({"field":"keep"[\s\S]*?)```/.exec(read("README.md"))![1]!;
  const [keep, alike] = block.trim().split("\n") as [string, string];
  const described = /{"field":.*?}/.exec(await tintype("describe", "decisions.read"))![0];
  assert.equal(await dedupe(""), "chosen: 2 pictures: 1 kept, 1 set aside from 1 group");
  const query = /tintype query "(select item, hash[^"]*)"/.exec(read("README.md"))![1]!;
  const listed = await tintype("query", query);
  const [a, b] = [sha256(whole), sha256(again)];
  for (const hash of [a, b]) assert.ok(listed.includes(hash), "a hash is shown whole");
  for (const keeping of [keep, described]) {
    // As an editor may leave it: without an end to its last line.
    const text = keeping.replace(/"image":"[^"]*"/, `"image":"${b}"`);
    assert.match(await dedupe(text), /1 kept, 1 set aside .*; 2 by a person's decision/);
  }
  const apart = alike.replace(/"image":"[^"]*"/, `"image":"${a}"`)
    .replace(/"other":"[^"]*"/, `"other":"${b}"`);
  assert.match(await dedupe(`${apart}\n`), /2 kept, 0 set aside/);
});

Deno.test("what the README's lines make in a checkout is no change of it", () => {
  const ignored = read(".gitignore").split("\n");
  const made = [
    ...read("README.md").matchAll(/--set out=\.\/([\w-]+)|tintype sample \.\/([\w-]+)/g),
    ...read("README.md").matchAll(/default: \.\/(out|photos)\b/g),
  ].map(([, out, sample]) => `/${out ?? sample}/`);
  assert.ok(new Set(made).size >= 5, made.join());
  for (const folder of [...made, ".tintype/", "/tintype-demo/", "/notebooks/*.html"]) {
    assert.ok(ignored.includes(folder), folder);
  }
});

Deno.test("Deno is told of every package whose build script is not run, and does not warn of it", () => {
  const { npm } = JSON.parse(read("deno.lock")) as {
    readonly npm: Readonly<Record<string, { readonly scripts?: boolean }>>;
  };
  const withScripts = Object.entries(npm).filter(([, { scripts }]) => scripts)
    .map(([name]) => `npm:${name.replace(/@[^@]*$/, "")}`);
  assert.deepEqual(JSON.parse(read("deno.json")).allowScripts.deny, withScripts);
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
