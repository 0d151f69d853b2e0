import assert from "node:assert/strict";
import { join } from "node:path";
import { localDisk } from "../../src/runtime/local_disk.ts";
import { OwnWrites } from "../../src/runtime/own_writes.ts";
import { ChangeWatch, WatchProblem } from "../../src/runtime/watch.ts";

/** The system's watching, told by the test what happens. */
class FakeWatcher {
  readonly #events: Deno.FsEvent[] = [];
  #wake: () => void = () => {};
  #isClosed = false;
  #failure: Error | undefined;

  tell(kind: Deno.FsEvent["kind"], paths: readonly string[], flag?: "rescan") {
    this.#events.push({ kind, paths: [...paths], flag });
    this.#wake();
  }

  fail(error: Error) {
    this.#failure = error;
    this.#wake();
  }

  close() {
    this.#isClosed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator]() {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const event = this.#events.shift();
      if (event !== undefined) yield event;
      else if (this.#isClosed) return;
      else {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
      }
    }
  }
}

interface Rigged extends AsyncDisposable {
  readonly folder: string;
  readonly watch: ChangeWatch;
  readonly own: Set<string>;
  /** By path. */
  readonly watchers: Map<string, FakeWatcher>;
  path(name: string): string;
  next(): Promise<readonly string[]>;
}

async function rigged(): Promise<Rigged> {
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "tintype-watch-" }));
  const path = (name: string) => join(folder, name);
  Deno.mkdirSync(path("photos/.tintype"), { recursive: true });
  const watchers = new Map<string, FakeWatcher>();
  const own = new Set<string>();
  const watch = new ChangeWatch({
    disk: localDisk,
    ignored: [path("photos/.tintype")],
    isOwn: (each) => own.has(each),
    open: (each) => {
      const watcher = new FakeWatcher();
      watchers.set(each, watcher);
      return watcher;
    },
  });
  await watch.arm({ folders: [path("photos")], files: [path("deep/er/policy.yaml")] });
  return {
    folder,
    watch,
    own,
    watchers,
    path,
    next: async () => await watch.next(new AbortController().signal),
    async [Symbol.asyncDispose]() {
      watch[Symbol.dispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("a folder is watched with all in it, a file by the nearest folder above it", async () => {
  await using rig = await rigged();
  assert.deepEqual([...rig.watchers.keys()], [rig.path("photos"), rig.folder]);
  Deno.mkdirSync(rig.path("deep"));
  await rig.watch.arm({ folders: [rig.path("photos")], files: [rig.path("deep/er/policy.yaml")] });
  assert.deepEqual([...rig.watchers.keys()].at(-1), rig.path("deep"));
});

Deno.test("many events at once are one change, and what does not count is none", async () => {
  await using rig = await rigged();
  const photos = rig.watchers.get(rig.path("photos"))!;
  const above = rig.watchers.get(rig.folder)!;
  rig.own.add(rig.path("photos/out/published.jpg"));
  photos.tell("access", [rig.path("photos/read.jpg")]);
  photos.tell("modify", [rig.path("photos/.tintype/cache.sqlite")]);
  photos.tell("create", [rig.path("photos/out/.tintype-tmp-1234")]);
  photos.tell("create", [rig.path("photos/out/published.jpg")]);
  photos.tell("modify", [rig.path("photos/.b.jpg.swp")]);
  above.tell("modify", [rig.path("notes.txt")]);
  for (const name of ["b.jpg", "a.jpg", "b.jpg"]) {
    photos.tell("modify", [rig.path(`photos/${name}`)]);
  }
  assert.deepEqual(await rig.next(), [rig.path("photos/a.jpg"), rig.path("photos/b.jpg")]);
  above.tell("create", [rig.path("deep")]);
  assert.deepEqual(await rig.next(), [rig.path("deep")]);
});

Deno.test("hidden files count where the recipe takes them", async () => {
  await using rig = await rigged();
  await rig.watch.arm({ folders: [rig.path("photos")], files: [], withHidden: true });
  rig.watchers.get(rig.path("photos"))!.tell("modify", [rig.path("photos/.hidden.jpg")]);
  assert.deepEqual(await rig.next(), [rig.path("photos/.hidden.jpg")]);
});

Deno.test("where the system lost count of what happened, everything may have changed", async () => {
  await using rig = await rigged();
  rig.watchers.get(rig.path("photos"))!.tell("other", [], "rescan");
  assert.deepEqual(await rig.next(), [rig.path("deep/er/policy.yaml"), rig.path("photos")]);
});

Deno.test("a folder that was removed is watched anew, though it looks the same", async () => {
  await using rig = await rigged();
  const first = rig.watchers.get(rig.path("photos"))!;
  first.tell("remove", [rig.path("photos")]);
  await rig.next();
  await rig.watch.arm({ folders: [rig.path("photos")], files: [] });
  const second = rig.watchers.get(rig.path("photos"))!;
  assert.notEqual(second, first);
  second.tell("create", [rig.path("photos/new.jpg")]);
  assert.deepEqual(await rig.next(), [rig.path("photos/new.jpg")]);
  await rig.watch.arm({ folders: [rig.path("photos")], files: [] });
  assert.equal(rig.watchers.get(rig.path("photos")), second);
});

Deno.test("a link is watched where it leads to", async () => {
  await using rig = await rigged();
  Deno.mkdirSync(rig.path("real"));
  Deno.writeTextFileSync(rig.path("real/recipe.yaml"), "");
  Deno.symlinkSync(rig.path("real/recipe.yaml"), rig.path("link.yaml"));
  await rig.watch.arm({ folders: [], files: [rig.path("link.yaml")] });
  rig.watchers.get(rig.path("real"))!.tell("modify", [rig.path("real/recipe.yaml")]);
  assert.deepEqual(await rig.next(), [rig.path("real/recipe.yaml")]);
});

Deno.test("limits of the system are told with the way out", async () => {
  await using rig = await rigged();
  const refused = async (message: string) => {
    const watch = new ChangeWatch({
      ...rig.watch.options,
      open: () => {
        throw new Error(message);
      },
    });
    const arming = watch.arm({ folders: [rig.path("photos")], files: [] });
    const problem = await arming.then(() => undefined, (error: Error) => error);
    assert.ok(problem instanceof WatchProblem);
    return problem.message;
  };
  assert.match(
    await refused('OS file watch limit reached. about ["/x"]'),
    /^Cannot watch folder ".*photos": the system's limit .* \(raise it, .*max_user_watches=524288/,
  );
  assert.match(await refused("No space left on device (os error 28)"), /max_user_watches/);
  assert.match(await refused("Too many open files (os error 24)"), /max_user_instances=512/);
  assert.match(await refused("permission denied"), /photos": permission denied$/);
});

Deno.test("watching that breaks off is told to whoever waits", async () => {
  await using rig = await rigged();
  const waiting = rig.next();
  rig.watchers.get(rig.path("photos"))!.fail(new Error("No space left on device (os error 28)"));
  await assert.rejects(waiting, WatchProblem);
});

Deno.test("whoever waits is let go when it is over", async () => {
  await using rig = await rigged();
  const controller = new AbortController();
  const waiting = rig.watch.next(controller.signal);
  controller.abort();
  assert.deepEqual(await waiting, []);
});

Deno.test("what was written is ours until somebody changes it", async () => {
  await using rig = await rigged();
  const own = new OwnWrites(localDisk, (path) => path.startsWith(rig.folder));
  const { disk } = own;
  const file = rig.path("out/deep/a.jpg");
  disk.makeFolder(rig.path("out/deep"));
  await disk.write(file, new Uint8Array(3));
  await disk.append(rig.path("out/log"), new Uint8Array(2));
  await disk.write(rig.path("out/b"), new Uint8Array(1));
  await disk.move(rig.path("out/b"), rig.path("out/c"));
  await disk.write(rig.path("out/d"), new Uint8Array(1));
  disk.remove(rig.path("out/d"));
  for (const name of ["out", "out/deep", "out/deep/a.jpg", "out/log", "out/b", "out/c", "out/d"]) {
    assert.ok(own.isOwn(rig.path(name)), name);
  }
  assert.ok(!own.isOwn(rig.path("photos")));
  Deno.writeFileSync(file, new Uint8Array(4));
  assert.ok(!own.isOwn(file));
  await disk.write(file, new Uint8Array(5));
  assert.ok(own.isOwn(file));
  Deno.removeSync(file);
  assert.ok(!own.isOwn(file));
  Deno.writeFileSync(rig.path("out/d"), new Uint8Array(1));
  assert.ok(!own.isOwn(rig.path("out/d")));
});
