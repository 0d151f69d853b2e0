import assert from "node:assert/strict";
import { photo, PictureRig } from "../picture_rig.ts";

const root = new URL("../../", import.meta.url).pathname;
const main = `${root}src/cli/main.ts`;

/** Runs a command with nothing but the permissions that are named. */
async function command(rig: PictureRig, permissions: readonly string[], args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--config", `${root}deno.json`, ...permissions, main, ...args],
    cwd: rig.folder,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

const recipe = `
recipe: own
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  proxies: { use: image.proxy, from: photos, with: { short_side_px: 32 } }
  own: { use: ./own.ts, from: proxies }
`;

const step = (permissions: string) => `
import { defineStep, each, image, produced, rowKind, z } from "tintype";
const width = rowKind("width", "how wide it is", z.object({ width: z.int(), home: z.string() }));
export default defineStep({
  name: "own.width", version: 1, doc: "Measures.", origin: "computed", isResult: true,
  permissions: ${permissions},
  inputs: { image: each(image, "pictures") }, params: z.object({}), outputs: { width: each(width, "rows") },
  async run({ image }) {
    const home = Deno.permissions.querySync({ name: "env", variable: "HOME" }).state;
    return produced({ width: { width: (await (await image.read()).header()).width, home } });
  },
});`;

async function rigWith(permissions: string): Promise<PictureRig> {
  const rig = new PictureRig();
  rig.write({
    "own.yaml": recipe,
    "own.ts": step(permissions),
    "photos/a.jpg": await photo(90, 60),
    "photos/b.png": await photo(80, 70, { format: "png" }),
  });
  return rig;
}

/** Every file below the rig, with its content's length and its time. */
function everything(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder)).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) return everything(path);
    const { size, mtime } = Deno.statSync(path);
    return [`${path} ${size} ${mtime?.getTime()}`];
  }).sort();
}

Deno.test("a recipe is checked and planned with reading alone, and nothing is written", async () => {
  await using rig = await rigWith("{}");
  const reading = [`--allow-read=${root},${rig.folder}`];
  const before = everything(rig.folder);
  const checked = await command(rig, reading, ["check", "own.yaml"]);
  assert.deepEqual(checked, {
    code: 0,
    stdout: "./own.ts asks for nothing\nown.yaml: nothing wrong\n",
    stderr: "",
  });
  const fresh = await command(rig, reading, ["plan", "own.yaml"]);
  assert.match(fresh.stdout, /^2 +× +photos +run: new/);
  assert.match(fresh.stdout, /6 to run, 0 perhaps, 0 cached\n$/);
  assert.equal(fresh.stderr, "./own.ts asks for nothing\n");
  assert.deepEqual(everything(rig.folder), before);
});

Deno.test("a plan with reading alone says of a run's results what a plan with everything says", async () => {
  await using rig = await rigWith("{}");
  assert.equal((await command(rig, ["--allow-all"], ["run", "own.yaml"])).code, 0);
  rig.write({ "photos/c.jpg": await photo(70, 70) });
  const before = everything(rig.folder);
  const reading = [`--allow-read=${root},${rig.folder}`];
  const narrow = await command(rig, reading, ["plan", "own.yaml"]);
  assert.match(narrow.stdout, /6 cached\n$/);
  assert.deepEqual(everything(rig.folder), before);
  assert.deepEqual(narrow, await command(rig, ["--allow-all"], ["plan", "own.yaml"]));
  rig.write({ "own.ts": step("{}").replace("Measures.", "Measures anew.") });
  const changed = await command(rig, reading, ["plan", "own.yaml"]);
  assert.match(changed.stdout, /2 +× +own +run: code: [0-9a-f]{8} → /);
});

Deno.test("what a step file asks for is shown first, and it does not run before somebody allows it", async () => {
  await using rig = await rigWith('{ env: ["HOME"], net: ["api.example.com"] }');
  const line = "./own.ts asks for: net api.example.com, env HOME\n";
  const args = ["run", "own.yaml"];
  const checked = await command(rig, ["--allow-all"], ["check", "own.yaml"]);
  assert.ok(checked.stdout.startsWith(line));
  const refused = await command(rig, ["--allow-all"], args);
  assert.equal(refused.code, 2);
  assert.equal(
    refused.stderr,
    `${line}error: Cannot run step files that ask for permissions: ./own.ts asks for ` +
      "net api.example.com, env HOME (read them; --allow-steps lets them have that)\n",
  );
  const allowed = await command(rig, ["--allow-all"], [...args, "--allow-steps"]);
  assert.equal(allowed.code, 0, allowed.stderr);
  assert.ok(allowed.stderr.startsWith(line));
  const again = await command(rig, ["--allow-all"], args);
  assert.equal(again.code, 0, again.stderr);
  assert.ok(!again.stderr.includes("asks for"));
  assert.deepEqual(await rig.query("SELECT DISTINCT home FROM own"), [{ home: "granted" }]);
});

Deno.test("a step cannot have what Tintype itself was not started with", async () => {
  await using rig = await rigWith('{ net: ["api.example.com"] }');
  const most = [
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-run",
    "--allow-ffi",
    "--allow-sys",
  ];
  const { code, stderr } = await command(rig, most, ["run", "own.yaml", "--allow-steps"]);
  assert.equal(code, 1);
  assert.match(stderr, /asks for net api\.example\.com, which Tintype itself was not started with/);
});

Deno.test("describe shows a step file like a step of the catalogue, and what it asks for", async () => {
  await using rig = await rigWith('{ read: ["./tables"] }');
  const { stdout, code } = await command(rig, ["--allow-all"], ["describe", "./own.ts"]);
  assert.equal(code, 0);
  assert.match(stdout, /^own\.width \(version 1\)\nMeasures\.\nIt asks for read \.\/tables\n/);
  assert.match(stdout, /\ninputs\n {2}image {2}each image {2}pictures\n/);
});

Deno.test("no task prompts, and none that users start has everything", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${root}deno.json`)) as {
    readonly tasks: Readonly<Record<string, string>>;
  };
  for (const name of ["demo", "tintype", "check", "plan", "schema", "accept-steps"]) {
    assert.ok(tasks[name]!.includes("deno run --no-prompt "), name);
    assert.doesNotMatch(tasks[name]!, / -A |--allow-all/, name);
  }
});

Deno.test("the task tintype has what a run with pictures, tables and a step file needs", async () => {
  await using rig = await rigWith('{ env: ["HOME"] }');
  const task = JSON.parse(Deno.readTextFileSync(`${root}deno.json`)).tasks["tintype"] as string;
  const permissions = task.split(" ").filter((part) => part.startsWith("--allow-"));
  const ran = await command(rig, permissions, ["run", "own.yaml", "--allow-steps"]);
  assert.equal(ran.code, 0, ran.stderr);
  const asked = await command(rig, permissions, [
    "query",
    "SELECT count(*) AS n FROM own",
    "--json",
  ]);
  assert.deepEqual(JSON.parse(asked.stdout), [{ n: 2 }]);
});
