import assert from "node:assert/strict";
import { photo, PictureRig } from "../picture_rig.ts";
import { mainModule, proxyArgs, tintype } from "./rig.ts";

async function rigWithPhotos(): Promise<PictureRig> {
  const rig = new PictureRig();
  const whole = await photo(1000, 1200);
  rig.write({
    "photos/a.jpg": whole,
    "photos/b.jpg": await photo(200, 100),
    "photos/cut.jpg": whole.subarray(0, 9000),
  });
  return rig;
}

Deno.test("run publishes proxies, says what came of it, and does nothing twice", async () => {
  await using rig = await rigWithPhotos();
  const first = await tintype(rig, proxyArgs);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /savings: 2 pictures: .* % saved \(without a proxy: 1\)/);
  assert.match(first.stdout, /complete in .*: 7 ran, 0 cached, 1 left out, 0 skipped, 0 failed/);
  assert.match(
    first.stderr,
    /Left out \(1 picture\)\n {2}cut\.jpg \(proxies\): JPEG ends after 9,000 bytes/,
  );
  assert.equal([...Deno.readDirSync(rig.path("proxies"))].length, 3);
  const second = await tintype(rig, proxyArgs);
  assert.match(second.stdout, /complete in .*: 0 ran, 7 cached, 1 left out/);
});

Deno.test("--json prints events, one a line, ending in one run-finished with the counts", async () => {
  await using rig = await rigWithPhotos();
  const { stdout, code } = await tintype(rig, [...proxyArgs, "--json"]);
  const events = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(events[0].type, "run-started");
  assert.equal(events.filter((event) => event.type === "run-finished").length, 1);
  assert.deepEqual(events.at(-1).counts, {
    ran: 7,
    cached: 0,
    rejected: 1,
    skipped: 0,
    failed: 0,
    waiting: 0,
  });
  assert.equal(code, 0);
});

Deno.test("a failed item is exit code 1, with its name and reason on standard error", async () => {
  await using rig = new PictureRig();
  rig.write({
    "photos/a.jpg": await photo(64, 64),
    "fail.ts": `import { defineStep, each, image, produced, z } from "tintype";
      export default defineStep({ name: "own.fail", version: 1, doc: "Fails.", origin: "computed", isResult: true,
        inputs: { image: each(image, "in") }, params: z.object({}), outputs: { image: each(image, "out") },
        run({ image }) { if (image) throw new Error("out of paint"); return produced({ image }); } });`,
    "r.yaml": `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: photos } }
  broken: { use: ./fail.ts, from: photos }
`,
  });
  const { code, stderr } = await tintype(rig, ["run", "r.yaml"]);
  assert.equal(code, 1);
  assert.match(stderr, /Failed \(1 picture\)\n {2}a\.jpg \(broken\): out of paint/);
});

Deno.test("a wrong recipe is exit code 2, with place and caret on standard error", async () => {
  await using rig = new PictureRig();
  rig.write({
    "r.yaml": "recipe: r\nsteps:\n  photos: { use: ingest.scann, with: { folder: photos } }\n",
  });
  for (const command of ["check", "plan", "run"]) {
    const { code, stderr, stdout } = await tintype(rig, [command, "r.yaml"]);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /^r\.yaml:3:18 error\[unknown-step\] There is no step "ingest\.scann"\n/);
    assert.match(stderr, /\n {5}\| {18}~{12}\n {2}help: Did you mean "ingest\.scan"\?/);
  }
});

Deno.test("usage errors are exit code 2 and say what is wrong", async () => {
  await using rig = new PictureRig();
  const cases: [string[], RegExp][] = [
    [["run", "nowhere.yaml"], /Cannot read recipe "nowhere.yaml": there is no such file/],
    [["run", "proxy", "--set", "quality"], /Write it as name=value/],
    [
      ["run", "proxy", "--set", "qualty=80"],
      /has no parameter "qualty"[\s\S]*Did you mean "quality"/,
    ],
    [["run", "proxy", "--set", "quality=high"], /is text "high" \(a whole number.* is wanted\)/],
    [["run", "proxy", "--until", "proxie"], /no node "proxie"/],
    [["run", "proxy", "--jobs", "0"], /A whole number from 1 is wanted/],
    [["frobnicate"], /unknown command/],
    [["describe", "image.proxi"], /Did you mean "image\.proxy"\?/],
    [["why", "x"], /There is no run/],
    [["query", "selec"], /syntax error/],
  ];
  for (const [args, expected] of cases) {
    const { code, stderr } = await tintype(rig, args);
    assert.equal(code, 2, args.join(" "));
    assert.match(stderr, expected);
  }
});

Deno.test("wrong arguments are told plainly, with what was given and what it may have meant", async () => {
  await using rig = new PictureRig();
  rig.write({
    "photos/a.jpg": await photo(64, 64),
    "file.txt": "hello",
    "empty/.keep": "",
    "long.tintype": "x".repeat(2000),
  });
  assert.equal((await tintype(rig, proxyArgs)).code, 0);
  const [run] = [...Deno.readDirSync(rig.path(".tintype/runs"))].map(({ name }) => name);
  const mistyped = run!.replace(/.$/, (digit) => digit === "0" ? "1" : "0");
  const cases: [string[], RegExp][] = [
    [["restore"], /^error: unknown command 'restore'\n\(Did you mean restore-names\?\)\n$/],
    [["merge", "x"], /\(Did you mean cache merge\?\)/],
    [["cache", "pull"], /\(Did you mean models pull\?\)/],
    [["frobnicate"], /^error: unknown command 'frobnicate'\n\(tintype --help lists them\)\n$/],
    [["unpack", "nope"], /^error: Cannot unpack "nope": there is no such file\n$/],
    [["unpack", "empty"], /^error: Cannot unpack "empty": it is a folder \(a pack is wanted\)\n$/],
    [["unpack", "file.txt"], /^error: Cannot unpack "file\.txt": it is no pack \(a file that /],
    [["unpack", "long.tintype"], /^error: Cannot unpack "long\.tintype": it is no pack /],
    [["replay", mistyped], /there is none of that name \(did you mean "2.*"\?\)\n$/],
    [["pack", "nope"], /there is none of that name \(the newest are 2.*\)\n$/],
    [["why", "photos", "--run", "nope"], /There is no run "nope" in ".*" \(the newest are /],
    [["errors", "--run", mistyped], /there is no run ".*" in ".*" \(did you mean /],
    [["query", "select 1", "--run", "nope"], /there is none of that name in ".*" \(the newest/],
    [["why", "nonsense"], /no item "nonsense" \(nodes: photos, proxies, files, savings\)\n$/],
    [
      ["query", "select * from proxis"],
      /^error: Cannot query: there is no view "proxis" \(Did you mean "proxies"\?\)\n$/,
    ],
    [["query", "select * from zebras"], /there is no view "zebras" \(Views: "calls", "files", /],
    [["query", "selec"], /^error: Cannot query: Parser Error: syntax error/],
    [["query", "  "], /^error: Give a query, such as /],
    [
      ["verify", "--workspace", "nope"],
      /^error: There is no workspace ".*nope" \(run a recipe first/,
    ],
    [["cache", "gc", "--workspace", "nope"], /^error: There is no workspace ".*nope"/],
    [
      ["cache", "stats", "--workspace", "file.txt"],
      /^error: Cannot use workspace "file\.txt": it is a file /,
    ],
    [
      [...proxyArgs, "--workspace", "file.txt"],
      /^error: Cannot use workspace "file\.txt": it is a file /,
    ],
    [["run", "photos"], /^error: Cannot read recipe "photos": it is a folder\n$/],
    [
      ["run", "proxy", "--lock", "empty"],
      /^error: Cannot read lock "empty": it is a folder \(the lock\.json /,
    ],
    [
      ["run", "proxy", "--lock", "nope"],
      /^error: Cannot read lock "nope": there is no such file or folder /,
    ],
    [
      ["restore-names", "file.txt"],
      /^error: Cannot restore names in ".*file\.txt": mapping\.jsonl: it, or a part of its path, is a file /,
    ],
    [
      ["sample", "file.txt"],
      /^error: Cannot make sample in ".*": it, or a part of its path, is a file /,
    ],
    [
      ["review", "caption", "--port", "80000"],
      /argument '80000' is invalid\. A port is wanted, 1 to 65535\.\n$/,
    ],
  ];
  for (const [args, expected] of cases) {
    const { code, stderr } = await tintype(rig, args);
    assert.match(stderr, expected, args.join(" "));
    assert.equal(code, 2, args.join(" "));
  }
});

Deno.test("check says of a recipe with warnings how many they are, and not that nothing is wrong", async () => {
  await using rig = new PictureRig();
  rig.write({
    "twice.yaml": `recipe: twice
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  a: { use: publish.files, from: photos, with: { folder: ./out } }
  b: { use: publish.files, from: photos, with: { folder: ./out/ } }
`,
  });
  const { code, stdout, stderr } = await tintype(rig, ["check", "twice.yaml"]);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "twice.yaml: no error, 1 warning\n" });
  assert.match(stderr, /^twice\.yaml:5:\d+ warning\[same-files\]/);
});

Deno.test("a query of several statements shows each result, as JSON and CSV one alone", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(64, 64) });
  assert.equal((await tintype(rig, proxyArgs)).code, 0);
  const two = await tintype(rig, ["query", "select 1 as a; select item as b from items"]);
  assert.equal(two.stdout, "a\n─\n1\n(1 row)\nb\n─────\na.jpg\n(1 row)\n");
  const prepared = "create temp table seen as select item from items; select * from seen;";
  assert.deepEqual(
    JSON.parse((await tintype(rig, ["query", prepared, "--json"])).stdout),
    [{ item: "a.jpg" }],
  );
  for (const [flag, format] of [["--json", "JSON"], ["--csv", "CSV"]] as const) {
    const { code, stdout, stderr } = await tintype(rig, ["query", "select 1; select 2", flag]);
    assert.deepEqual({ code, stdout, stderr }, {
      code: 2,
      stdout: "",
      stderr: `error: Cannot print 2 results as ${format}: one is wanted\n`,
    });
  }
});

Deno.test("help of a command is that command's own, and of none that is not there", async () => {
  await using rig = new PictureRig();
  for (const names of [["run"], ["cache", "stats"]]) {
    const help = await tintype(rig, ["help", ...names]);
    assert.equal(help.code, 0, names.join(" "));
    assert.match(help.stdout, new RegExp(`^Usage: tintype ${names.join(" ")} `));
    assert.deepEqual(help, await tintype(rig, [...names, "--help"]));
  }
  const refused: [string[], RegExp][] = [
    [["help", "nope"], /^error: unknown command 'nope'\n\(tintype --help lists them\)\n$/],
    [["help", "quer"], /^error: unknown command 'quer'\n\(Did you mean query\?\)\n$/],
    [["help", "list"], /^error: unknown command 'list'\n\(Did you mean models list\?\)\n$/],
    [["help", "cache", "gcc"], /^error: unknown command 'gcc'\n\(Did you mean gc\?\)\n$/],
    [["cache", "help", "nope"], /^error: unknown command 'nope'\n/],
    [["nope", "--help"], /^error: unknown command 'nope'\n/],
  ];
  for (const [args, expected] of refused) {
    const { code, stdout, stderr } = await tintype(rig, args);
    assert.match(stderr, expected, args.join(" "));
    assert.deepEqual({ code, stdout }, { code: 2, stdout: "" }, args.join(" "));
  }
});

Deno.test("what the system refuses is told with the path, in words", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(64, 64), "file.txt": "hello" });
  const { code, stderr } = await tintype(rig, [...proxyArgs, "--workspace", "file.txt/below"]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^error: Cannot write to workspace ".*below": a part of its path is a file /,
  );
  const listed = await tintype(rig, ["runs", "--workspace", "file.txt/below"]);
  assert.match(
    listed.stderr,
    /^error: Cannot list ".*\/below\/runs": it, or a part of its path, is a/,
  );
  const published = await tintype(rig, [...proxyArgs.slice(0, -1), "out=file.txt"]);
  assert.match(
    published.stderr,
    /\n {2}files: Cannot make folder ".*\/file\.txt": it is there already\n/,
  );
  const denied = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-read", "--allow-env", mainModule, ...proxyArgs],
    cwd: rig.folder,
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(denied.code, 1);
  assert.match(
    new TextDecoder().decode(denied.stderr),
    /^error: Requires write access to [^\n]*\n$/,
  );
});

Deno.test("a pool that no step has and pictures that are not there are told", async () => {
  await using rig = await rigWithPhotos();
  const args = ["--pool", "onx=2", "--force", "proxies:nope*", "--force", "proxies:a.*"];
  const { code, stderr } = await tintype(rig, [...proxyArgs, ...args]);
  assert.equal(code, 0);
  assert.match(stderr, /^--pool onx changes nothing: .* \(Pools: "cpu"\)\n/);
  assert.match(stderr, /\n {2}--force proxies:nope\*: there was no such picture to do again\n/);
  assert.doesNotMatch(stderr, /proxies:a/);
});

Deno.test("plan says what would run and why, and leaves no trace", async () => {
  await using rig = await rigWithPhotos();
  const cold = await tintype(rig, ["plan", "proxy", "--set", "source=photos"]);
  assert.match(cold.stdout, /3 {2}× {2}photos {3}run: new/);
  assert.deepEqual([...Deno.readDirSync(rig.folder)].map((entry) => entry.name), ["photos"]);
  await tintype(rig, proxyArgs);
  const args = ["plan", "proxy", "--set", "source=photos", "--set", "out=proxies"];
  const changed = await tintype(rig, [...args, "--set", "quality=70"]);
  assert.match(changed.stdout, /3 {2}× {2}proxies {2}run: param quality: 85 → 70/);
  assert.match(changed.stdout, /1 {2}× {2}savings {2}run, unless .*: after proxies/);
  const same = await tintype(rig, args);
  assert.match(same.stdout, /0 to run, 0 perhaps, 7 cached/);
});

Deno.test("why names the parts of the key that changed, by node and by item", async () => {
  await using rig = await rigWithPhotos();
  await tintype(rig, proxyArgs);
  await tintype(rig, [...proxyArgs, "--set", "short_side=448"]);
  const node = await tintype(rig, ["why", "proxies"]);
  assert.match(node.stdout, /2 {2}× {2}proxies {2}ran {7}param short_side_px: 896 → 448/);
  const item = await tintype(rig, ["why", "a.jpg"]);
  assert.match(item.stdout, /^a\.jpg\n {2}photos {3}cached {2}nothing changed/);
  assert.match(item.stdout, /proxies {2}ran {5}param short_side_px: 896 → 448/);
  const missing = await tintype(rig, ["why", "a.jp"]);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /did you mean "a\.jpg"/);
});

Deno.test("query prints a table, JSON or CSV", async () => {
  await using rig = await rigWithPhotos();
  await tintype(rig, proxyArgs);
  const sql = "SELECT item, width, height FROM proxies WHERE item < 'c' ORDER BY item";
  const table = await tintype(rig, ["query", sql]);
  assert.equal(
    table.stdout,
    "item   width  height\n─────  ─────  ──────\na.jpg    896    1075\nb.jpg    200     100\n(2 rows)\n",
  );
  const json = await tintype(rig, ["query", "--json", sql]);
  assert.deepEqual(JSON.parse(json.stdout)[0], { item: "a.jpg", width: 896, height: 1075 });
  const csv = await tintype(rig, ["query", "--csv", "SELECT 'a,\"b' AS x, NULL AS y"]);
  assert.equal(csv.stdout, 'x,y\n"a,""b",\n');
});

Deno.test("a query of a table that only an earlier run has names that run", async () => {
  await using rig = await rigWithPhotos();
  await tintype(rig, proxyArgs);
  rig.write({
    "scan.yaml": "recipe: scan\nsteps: { all: { use: ingest.scan, with: { folder: ./photos } } }\n",
  });
  await tintype(rig, ["run", "scan.yaml"]);
  const { code, stderr } = await tintype(rig, ["query", "select item from proxies"]);
  assert.equal(code, 2);
  const [, run] = /view "proxies" \(run (\S+) of "proxy" has it: add --run \1\)\n$/.exec(stderr)!;
  const found = await tintype(rig, ["query", "select item from proxies", "--run", run!]);
  assert.equal(found.code, 0);
});

Deno.test("runs, steps, describe and schema print what there is", async () => {
  await using rig = await rigWithPhotos();
  await tintype(rig, proxyArgs);
  const runs = await tintype(rig, ["runs"]);
  assert.match(runs.stdout, /proxy {3}complete +1 picture +7 +0 +0 /);
  assert.match((await tintype(rig, ["steps"])).stdout, /image\.proxy {2,}Shrinks a picture/);
  const described = await tintype(rig, ["describe", "image.proxy"]);
  assert.match(described.stdout, /short_side_px {2}whole pixels, 16 to 16384, default 896/);
  assert.match(described.stdout, /default 896\n +the short side's length; pictures are never/);
  const schema = JSON.parse((await tintype(rig, ["schema"])).stdout);
  assert.equal(schema.title, "Tintype recipe");
});

Deno.test("relative paths are the caller's, also under deno task", async () => {
  await using rig = await rigWithPhotos();
  const project = new URL("../../", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--config", `${project}deno.json`, "tintype", ...proxyArgs],
    cwd: rig.folder,
    clearEnv: true,
    env: environmentWithout("INIT_CWD"),
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  assert.ok(Deno.statSync(rig.path("proxies")).isDirectory);
  assert.ok(Deno.statSync(rig.path(".tintype")).isDirectory);
});

Deno.test("Ctrl-C ends with 130 and the next run goes on from there", async () => {
  await using rig = new PictureRig();
  // What so many have to say does not fit into a pipe: it cannot be through before it is listened to.
  const photos = 300;
  for (let seed = 0; seed < photos; seed++) {
    rig.write({ [`photos/${seed}.jpg`]: await photo(40, 30, { seed }) });
  }
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", mainModule, ...proxyArgs, "--json", "--jobs", "1"],
    cwd: rig.folder,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(process.stderr).text();
  let seen = "";
  let isStopped = false;
  for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
    seen += chunk;
    if (isStopped || !/"node":"proxies","item":"[^"]+","outcome":"ran"/.test(seen)) continue;
    isStopped = true;
    process.kill("SIGINT");
  }
  const { code } = await process.status;
  assert.equal(code, 130);
  assert.match(await stderr, /Finishing what is in flight/);
  const last = JSON.parse(seen.trim().split("\n").at(-1)!);
  assert.equal(last.type, "run-finished");
  assert.equal(last.status, "interrupted");
  assert.ok(last.counts.ran > 0 && last.counts.ran < 2 * photos, JSON.stringify(last.counts));
  const { stdout } = await tintype(rig, proxyArgs);
  const [, ran, cached] = /: (\d+) ran, (\d+) cached/.exec(stdout)!;
  assert.equal(Number(ran) + Number(cached), 2 * photos + 2);
  assert.equal(Number(cached), last.counts.ran);
});

Deno.test("on a terminal a bar shows progress; NO_COLOR is obeyed", async () => {
  await using rig = await rigWithPhotos();
  const command = [Deno.execPath(), "run", "-A", mainModule, ...proxyArgs].join(" ");
  const onTerminal = async (env: Readonly<Record<string, string>>) => {
    const { stdout } = await new Deno.Command("script", {
      args: ["-qec", command, "/dev/null"],
      cwd: rig.folder,
      clearEnv: true,
      env: { ...environmentWithout("NO_COLOR"), ...env },
    }).output();
    return new TextDecoder().decode(stdout);
  };
  const escape = String.fromCharCode(27);
  const coloured = await onTerminal({ TERM: "xterm" });
  assert.match(coloured, /\d+% \| \d+\/\d+ tasks \| [\d.]+\/s/);
  assert.ok(coloured.includes(`${escape}[33mLeft out`), coloured);
  const plain = await onTerminal({ TERM: "xterm", NO_COLOR: "1" });
  assert.ok(plain.includes("Left out (1 picture)"));
  assert.ok(!/\[\d*(;\d+)*m/.test(plain.replaceAll(escape, "")), plain);
});

/** This process's environment but for a variable: a test task sets some of its own. */
function environmentWithout(name: string): Record<string, string> {
  const { [name]: _, ...rest } = Deno.env.toObject();
  return rest;
}

Deno.test("a run that waits names the run that runs lists, and its own time begins with its turn", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(64, 64) });
  const holder = Deno.openSync(rig.path("hold"), { create: true, write: true });
  holder.lockSync(true);
  rig.write({
    "wait.ts": `import { defineStep, each, image, produced, z } from "tintype";
      export default defineStep({ name: "own.wait", version: 1, doc: "Waits.", origin: "computed", isResult: true,
        permissions: { read: ["./hold"], write: ["./hold"] },
        inputs: { image: each(image, "in") }, params: z.object({}), outputs: { image: each(image, "out") },
        async run({ image }) { (await Deno.open("hold", { write: true })).lockSync(true); return produced({ image }); } });`,
    "r.yaml": `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: photos } }
  wait: { use: ./wait.ts, from: photos }
`,
  });
  const start = (...args: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", mainModule, ...args],
      cwd: rig.folder,
      env: { NO_COLOR: "1" },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  const first = start("run", "r.yaml", "--allow-steps");
  const firstStderr = new LinesOf(first.stderr);
  const [, running] = await firstStderr.until(/^r · run (\S+)/);
  const spawned = performance.now();
  const second = start(...proxyArgs);
  const secondStderr = new LinesOf(second.stderr);
  const [, inTheWay] = await secondStderr.until(/^Waiting for run (\S+) \(process \d+, since /);
  assert.equal(inTheWay, running);
  const began = performance.now();
  const waitedMs = () => performance.now() - began;
  while (waitedMs() < 2 * (began - spawned)) { // so that the waiting outweighs the start
    const listed = await tintype(rig, ["runs"]);
    assert.match(listed.stdout, new RegExp(`\\n${running} +r +unfinished`));
  }
  const waited = waitedMs();
  holder.close();
  const stdout = new TextDecoder().decode(await new Response(second.stdout).bytes());
  const [, seconds] = /^complete in (\d+\.\d) s/m.exec(stdout)!;
  const ownMs = performance.now() - spawned - waited;
  assert.ok(Number(seconds) * 1000 < ownMs, `${seconds} s of ${ownMs} ms: the waiting counts`);
  await Promise.all([first.stdout.cancel(), firstStderr.close(), secondStderr.close()]);
  assert.deepEqual([(await first.status).code, (await second.status).code], [0, 0]);
});

/** The lines that a process says, which can be waited for. */
class LinesOf {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The match in what is said from its first line on. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    const inLines = new RegExp(pattern, "m");
    for (;;) {
      const found = inLines.exec(this.#text);
      if (found !== null) return found;
      const { value, done } = await this.#reader.read();
      assert.ok(!done, `it ended with: ${this.#text}`);
      this.#text += value;
    }
  }

  async close(): Promise<void> {
    while (!(await this.#reader.read()).done);
  }
}
