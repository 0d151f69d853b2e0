/**
 * Runs all tests, some folders of them side by side: one process would use little more than one core.
 * What is given on the command line goes to `deno test` as it is, such as a folder or `--filter`.
 */

/** Beside the tests, what is in examples of the code and of the README. */
const examples = ["src", "README.md"];

/** These take a minute or more although they are few files: begun last, one core would idle meanwhile. */
const slow = ["tests/notebooks", "tests/torture"];

const atOnce = Math.min(2, navigator.hardwareConcurrency);

interface Ended {
  readonly name: string;
  readonly isFine: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

/** Shows what several say at the same time one after the other, the first of them at once. */
class Turns {
  #inFront = 0;
  readonly #waiting = new Map<number, Uint8Array[]>();
  readonly #ended = new Set<number>();

  say(place: number, bytes: Uint8Array): void {
    if (place === this.#inFront) writeAll(bytes);
    else this.#waiting.getOrInsertComputed(place, () => []).push(bytes);
  }

  end(place: number): void {
    this.#ended.add(place);
    while (this.#ended.has(this.#inFront)) {
      this.#inFront++;
      this.#waiting.get(this.#inFront)?.forEach(writeAll);
      this.#waiting.delete(this.#inFront);
    }
  }
}

function writeAll(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** The folders of `tests/` that hold tests, and how many files; a loose file is a group of its own. */
function testGroups(): string[][] {
  const groups: { readonly names: string[]; readonly size: number }[] = [];
  for (const { name, isDirectory } of Deno.readDirSync("tests")) {
    const path = `tests/${name}`;
    const size = isDirectory ? testsIn(path) : Number(name.endsWith(".test.ts"));
    if (size > 0) groups.push({ names: [path], size: slow.includes(path) ? Infinity : size });
  }
  groups.push({ names: examples, size: 1 });
  const byName = groups.sort((a, b) => a.names[0]! < b.names[0]! ? -1 : 1);
  return byName.toSorted((a, b) => a.size === b.size ? 0 : b.size - a.size).map(({ names }) =>
    names
  );
}

function testsIn(folder: string): number {
  let count = 0;
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    count += isDirectory ? testsIn(`${folder}/${name}`) : Number(name.endsWith(".test.ts"));
  }
  return count;
}

function denoTest(args: readonly string[]): string[] {
  return ["test", "-A", "--no-check", "--doc", ...args];
}

async function runGroup(
  names: readonly string[],
  say: (bytes: Uint8Array) => void,
): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: denoTest(names),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const chunks: Uint8Array[] = [];
  const listen = async (stream: ReadableStream<Uint8Array>) => {
    for await (const bytes of stream) {
      chunks.push(bytes);
      say(bytes);
    }
  };
  await Promise.all([listen(child.stdout), listen(child.stderr)]);
  const { success } = await child.status;
  const text = await new Blob(chunks as BlobPart[]).text();
  return { name: names.join(" "), isFine: success, ...countsIn(text) };
}

/** Of the last line such as "ok | 29 passed | 1 failed | 2 ignored (3s)". */
function countsIn(text: string): Pick<Ended, "passed" | "failed" | "ignored"> {
  const summary = text.match(/^.*\d+ passed.*$/gm)?.at(-1) ?? "";
  const count = (word: string) => Number(summary.match(`(\\d+) ${word}`)?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed"), ignored: count("ignored") };
}

async function runAll(): Promise<boolean> {
  const started = performance.now();
  const turns = new Turns();
  const left = testGroups().entries();
  const ended: Ended[] = [];
  const work = async () => {
    for (const [place, names] of left) {
      ended.push(await runGroup(names, (bytes) => turns.say(place, bytes)));
      turns.end(place);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const bad = ended.filter(({ isFine }) => !isFine);
  for (const { name } of bad) console.log(`failed: ${name}`);
  const sum = (count: (each: Ended) => number) =>
    ended.reduce((total, each) => total + count(each), 0);
  const ignored = sum((each) => each.ignored);
  console.log(
    `${bad.length === 0 ? "ok" : "FAILED"} | ${sum((each) => each.passed)} passed | ${
      sum((each) => each.failed)
    } failed${ignored === 0 ? "" : ` | ${ignored} ignored`} (${
      Math.round((performance.now() - started) / 1000)
    } s)`,
  );
  return bad.length === 0;
}

// Left by `deno task`: hints would name commands as they are typed there.
Deno.env.delete("INIT_CWD");

if (Deno.args.length > 0) {
  const { code } = await new Deno.Command(Deno.execPath(), { args: denoTest(Deno.args) }).spawn()
    .status;
  Deno.exit(code);
}
Deno.exit(await runAll() ? 0 : 1);
