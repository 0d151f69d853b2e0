import assert from "node:assert/strict";
import { commandNames, taskCommand } from "../../src/cli/program.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { type Answer, mainModule, tintype } from "./rig.ts";

const project = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");
const start = {
  initialFolder: project,
  currentFolder: project,
  deno: "/usr/bin/deno",
  denoVersion: "2.9.6",
};

Deno.test("a task is named as it was started: from the project, from elsewhere, by npx", () => {
  const command = (folder: string, change: Partial<typeof start> = {}) =>
    taskCommand("tintype", folder, { ...start, ...change });
  assert.equal(command(project), "deno task tintype");
  assert.equal(command(`${project}/photos`), "deno task tintype");
  assert.equal(command("/elsewhere"), `deno task --config ${project}/deno.json tintype`);
  assert.equal(
    command(project, { deno: "/home/a/.npm/_npx/7a40/node_modules/@deno/linux/deno" }),
    "npx -y deno@2.9.6 task tintype",
  );
  assert.equal(taskCommand("demo", project, start), "deno task demo");
});

Deno.test("an installed program is no task, whatever task of another project started it", () => {
  for (const change of [{ initialFolder: undefined }, { currentFolder: "/elsewhere" }]) {
    assert.equal(taskCommand("tintype", project, { ...start, ...change }), undefined);
  }
});

Deno.test("the commands that texts may name are those that there are", async () => {
  await using rig = new PictureRig();
  const { stdout } = await tintype(rig, ["--help"]);
  const [, commands = ""] = stdout.split("Commands:\n");
  const names = [...commands.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name!);
  assert.deepEqual(names.filter((name) => name !== "help"), commandNames);
});

/** Runs the task as `deno task` does: in the project's folder, with the caller's in INIT_CWD. */
async function task(rig: PictureRig, args: readonly string[]): Promise<Answer> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "--config", `${project}/deno.json`, "tintype", ...args],
    cwd: rig.folder,
    env: { NO_COLOR: "1", INIT_CWD: rig.folder, TINTYPE_MODELS: rig.path("models") },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

const embedding = (if_missing: string) =>
  `recipe: look
steps:
  photos: { use: ingest.scan, with: { folder: photos } }
  seen: { use: inspect.embedding, from: photos, with: { if_missing: ${if_missing} } }
  alike: { use: dedupe.group, from: { fingerprint: print, embedding: seen } }
  print: { use: inspect.fingerprint, from: photos }
`;

Deno.test("hints name the task where it was started, and the program where that was; what is kept has the plain name", async () => {
  await using rig = new PictureRig();
  rig.write({
    "photos/a.jpg": await photo(64, 64),
    "skip.yaml": embedding("skip"),
    "fail.yaml": embedding("fail"),
  });
  const models = { TINTYPE_MODELS: rig.path("models") };
  const byTask = new RegExp(`task --config ${project}/deno\\.json tintype`);
  const commands: [string[], RegExp][] = [
    [["run", "skip.yaml"], /\(run: (?<command>.*tintype) models pull clip-vit-b32\)/],
    [["run", "fail.yaml"], /\(run: (?<command>.*tintype) models pull clip-vit-b32\)/],
    [["errors"], /→ (?<command>.*tintype) models list shows/],
    [["models", "verify", "yunet"], /\(run: (?<command>.*tintype) models pull yunet\)/],
    [["cache", "stats"], /\((?<command>.*tintype) cache gc --apply removes that\)/],
  ];
  for (const [args, pattern] of commands) {
    const commandIn = ({ stdout, stderr }: Answer) => {
      const found = pattern.exec(stdout + stderr)?.groups?.["command"];
      assert.ok(found, `${args.join(" ")}\n${stdout}${stderr}`);
      return found;
    };
    assert.match(commandIn(await task(rig, args)), byTask);
    assert.equal(commandIn(await tintype(rig, args, models)), "tintype");
  }
  const json = await task(rig, ["errors", "--json"]);
  assert.match(json.stdout, /"tintype models list shows/);
  const runs = [...Deno.readDirSync(rig.path(".tintype/runs"))];
  assert.equal(runs.length, 4);
  for (const { name } of runs) {
    const journal = Deno.readTextFileSync(rig.path(`.tintype/runs/${name}/journal.jsonl`));
    assert.match(journal, /run: tintype models pull/);
    assert.doesNotMatch(journal, /deno\.json tintype/);
  }
});

Deno.test("hints of another workspace name it, where the command works in one", async () => {
  await using rig = new PictureRig();
  rig.write({
    "photos/a.jpg": await photo(64, 64),
    "skip.yaml": embedding("skip"),
  });
  const models = { TINTYPE_MODELS: rig.path("models") };
  const outside = rig.path("other place");
  const at = async (workspace: string, args: readonly string[]) => {
    const { stdout, stderr } = await tintype(rig, [...args, "--workspace", workspace], models);
    return stdout + stderr;
  };
  assert.match(await at("other place", ["run", "skip.yaml"]), /\(run: tintype models pull clip/);
  const wanted = "(tintype --workspace 'other place' cache gc --apply removes that)";
  for (const workspace of ["other place", "./other place/", outside]) {
    const stats = await at(workspace, ["cache", "stats"]);
    assert.ok(stats.includes(wanted), stats);
  }
  const pasted = ["--workspace", "other place", "cache", "gc", "--apply"];
  assert.match((await tintype(rig, pasted)).stdout, /^Removed .*\n1 run stays/);
  assert.match(await at(".tintype", ["run", "skip.yaml"]), /complete/);
  assert.match(await at(".tintype", ["cache", "stats"]), /\(tintype cache gc --apply/);
  const cache = rig.path("other place/cache.sqlite");
  const whole = Deno.readFileSync(cache);
  const commands = [["cache", "stats"], ["cache", "gc"], ["run", "skip.yaml"], [
    "plan",
    "skip.yaml",
  ]];
  const noDatabase = new TextEncoder().encode("no database");
  // Its first page, which is read when it is opened, is left as it is.
  const damagedWithin = whole.map((byte, at) => at < 4096 ? byte : 255);
  for (const bytes of [damagedWithin, noDatabase]) {
    for (const command of commands) {
      Deno.writeFileSync(cache, bytes);
      assert.match(
        await at("other place", command),
        /(?:^|\n)error: Cannot open cache .*\(tintype --workspace 'other place' verify --repair sets it aside\)\n$/,
        command.join(" "),
      );
    }
  }
  assert.match(
    await at("other place", ["verify"]),
    /→ tintype --workspace 'other place' verify --repair sets it aside; /,
  );
});

Deno.test("names of files and folders that read like a command are left as they are", async () => {
  await using rig = new PictureRig();
  const names = ["tintype run (1).jpg", "my tintype review.jpg", "a tintype runs b.jpg"];
  rig.write({
    ...Object.fromEntries(names.map((name) => [`photos/${name}`, "no picture"])),
    "photos/a.jpg": await photo(64, 64, { seed: 1 }),
    "photos/tintype runs/a.jpg": await photo(64, 64, { seed: 2 }),
    "skip.yaml": `${
      embedding("skip")
    }  checked: { use: dataset.check, from: photos, with: { trigger: hall } }\n`,
  });
  const commands: [string[], readonly string[]][] = [
    [["run", "skip.yaml"], [
      ...names.map((name) => `${name} (photos)`),
      `"${names[0]}: not an image`,
    ]],
    [["errors"], names.slice(0, 1).map((name) => `e.g. ${name}: `)],
    [["run", "tintype runs/none.yaml"], ['"tintype runs/none.yaml"']],
    [["run", "my tintype runs"], ['"my tintype runs"']],
    [["run", "tintype runs"], ['"tintype runs"']],
  ];
  for (const [args, wanted] of commands) {
    const { stdout, stderr } = await task(rig, args);
    for (const text of wanted) assert.ok((stdout + stderr).includes(text), stdout + stderr);
    if (args[1] === "skip.yaml") assert.match(stderr, /deno\.json tintype models pull/);
  }
});

Deno.test("a process with few permissions needs no more to name its task", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(64, 64), "fail.yaml": embedding("fail") });
  await tintype(rig, ["run", "fail.yaml"], { TINTYPE_MODELS: rig.path("models") });
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-read", "--allow-env=INIT_CWD", mainModule, "errors"],
    cwd: project,
    env: { INIT_CWD: rig.folder, NO_COLOR: "1" },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  assert.match(new TextDecoder().decode(stdout), /→ .*deno\.json tintype models list shows/);
});
