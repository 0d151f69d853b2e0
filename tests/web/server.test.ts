import assert from "node:assert/strict";
import { join } from "node:path";
import { fromFileUrl } from "../../src/runtime/file_url.ts";
import { localDisk } from "../../src/runtime/local_disk.ts";
import { pageFiles } from "../../src/web/bundle.ts";
import { type ReviewServer, serveReview } from "../../src/web/server.ts";
import type { SessionDataset } from "../../src/web/session_dataset.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { openDataset } from "./rig.ts";

interface Serving {
  readonly rig: PictureRig;
  readonly dataset: SessionDataset;
  readonly server: ReviewServer;
}

async function serving(work: (serving: Serving) => Promise<void>) {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(120, 90), "secret.txt": "not yours" });
  const dataset = await openDataset(rig.folder);
  await dataset.start();
  const page = () => Promise.resolve({ html: "<p>page", assets: [] });
  const server = serveReview({ dataset, page, port: 0 });
  try {
    await work({ rig, dataset, server });
  } finally {
    await server.close();
    dataset.close();
  }
}

/** Sends a request as it is: `fetch` sets Host and Origin by itself. */
async function raw(port: number, head: readonly string[], body = ""): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = [...head, `Content-Length: ${body.length}`, "Connection: close", "", body];
  await connection.write(new TextEncoder().encode(request.join("\r\n")));
  return await new Response(connection.readable).text();
}

const status = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

Deno.test("a name that somebody's DNS points at this machine gets nothing", async () => {
  await serving(async ({ server: { port } }) => {
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1", "", `[::1]:${port}`]) {
      const answer = await raw(port, ["GET /api/dataset HTTP/1.1", `Host: ${host}`]);
      assert.ok([400, 421].includes(status(answer)), `${host}: ${answer}`);
      assert.doesNotMatch(answer, /a\.jpg/);
    }
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      assert.equal(status(await raw(port, ["GET /api/dataset HTTP/1.1", `Host: ${host}`])), 200);
    }
  });
});

Deno.test("a page of another site can neither read nor change anything", async () => {
  await serving(async ({ rig, server: { port } }) => {
    const host = `Host: 127.0.0.1:${port}`;
    const own = `Origin: http://127.0.0.1:${port}`;
    const json = "Content-Type: application/json";
    const edit = JSON.stringify({ by: "page-other", edits: [] });
    const post = "POST /api/edits HTTP/1.1";
    const other = "Origin: https://evil.example";
    const refused: readonly (readonly [number, readonly string[]])[] = [
      [403, ["GET /api/dataset HTTP/1.1", host, other]],
      [403, ["GET /api/dataset HTTP/1.1", host, "Origin: null"]],
      [403, ["GET /api/dataset HTTP/1.1", host, "Sec-Fetch-Site: cross-site"]],
      [403, ["GET /thumbnail/x HTTP/1.1", host, "Sec-Fetch-Site: same-site"]],
      [403, [post, host, other, json]],
      [403, [post, host, json]],
      [415, [post, host, own, "Content-Type: text/plain"]],
      [415, [post, host, own, "Content-Type: application/x-www-form-urlencoded"]],
      [405, ["DELETE /api/dataset HTTP/1.1", host, own, json]],
      [405, ["OPTIONS /api/edits HTTP/1.1", host, own]],
    ];
    for (const [wanted, head] of refused) {
      assert.equal(status(await raw(port, head, edit)), wanted, head.join(", "));
    }
    const answer = await raw(port, [post, host, own, json], edit);
    assert.equal(status(answer), 200, answer);
    assert.doesNotMatch(answer, /access-control/i);
    assert.equal(localDisk.stat(rig.path("out/decisions.jsonl")), undefined);
  });
});

Deno.test("no path outside the dataset can be reached", async () => {
  await serving(async ({ server: { port } }) => {
    const host = `Host: 127.0.0.1:${port}`;
    const paths = [
      "/thumbnail/../../secret.txt",
      "/thumbnail/..%2f..%2fsecret.txt",
      "/large/%2e%2e%2fsecret.txt",
      "/large/a.jpg",
      `/large/${"0".repeat(64)}`,
      `/zip/${"0".repeat(64)}`,
      "/zip/..%2fsecret.txt",
      "/secret.txt",
      "/photos/a.jpg",
      "//etc/passwd",
      "/api/history/..%2f..%2fsecret.txt",
    ];
    for (const path of paths) {
      const answer = await raw(port, [`GET ${path} HTTP/1.1`, host]);
      assert.ok([400, 404].includes(status(answer)), `${path}: ${answer}`);
      assert.doesNotMatch(answer, /not yours|root:/);
    }
  });
});

Deno.test("every answer forbids what the page does not need", async () => {
  await serving(async ({ dataset, server: { url } }) => {
    const image = dataset.pictures()[0]!.sha256;
    for (const path of ["", "api/dataset", `thumbnail/${image}`, "nothing"]) {
      const response = await fetch(url + path);
      await response.body?.cancel();
      const policy = response.headers.get("content-security-policy")!;
      assert.match(policy, /default-src 'none'.*script-src 'self';.*frame-ancestors 'none'/);
      assert.doesNotMatch(policy, /unsafe/);
      assert.equal(response.headers.get("x-content-type-options"), "nosniff");
      assert.equal(response.headers.get("cross-origin-resource-policy"), "same-origin");
      const isPicture = path.startsWith("thumbnail");
      assert.match(response.headers.get("cache-control")!, isPicture ? /immutable/ : /no-store/);
    }
  });
});

Deno.test("what is not of the wanted form is refused with a reason, and changes nothing", async () => {
  await serving(async ({ rig, dataset, server: { url } }) => {
    const image = dataset.pictures()[0]!.sha256;
    const caption = { number: 1, image, field: "caption", before: "", after: "x" };
    const bad = [
      "{",
      "[]",
      { by: "x", edits: [] },
      { by: "../../../etc", edits: [] },
      { by: "page-other", edits: [{ ...caption, image: "../a" }] },
      { by: "page-other", edits: [{ ...caption, number: 0 }] },
      { by: "page-other", edits: [{ ...caption, after: "x".repeat(20_001) }] },
      { by: "page-other", edits: [{ ...caption, field: "keep" }] },
      { by: "page-other", edits: [{ ...caption, field: "state", after: "done" }] },
      { by: "page-other", edits: [{ ...caption, more: 1 }] },
    ];
    for (const body of bad) {
      const response = await fetch(`${url}api/edits`, {
        method: "POST",
        headers: { "content-type": "application/json", origin: url.slice(0, -1) },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
      const { problem } = await response.json() as { problem: string };
      assert.equal(response.status, 400, JSON.stringify(body));
      assert.match(problem, /^Cannot read the request/);
    }
    assert.equal(localDisk.stat(rig.path("out/decisions.jsonl")), undefined);
  });
});

Deno.test("a change is told to all who listen, with who made it", async () => {
  await serving(async ({ dataset, server: { url } }) => {
    const controller = new AbortController();
    const response = await fetch(`${url}api/events`, { signal: controller.signal });
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const [{ sha256: image, caption: before } = { sha256: "", caption: "" }] = dataset.pictures();
    await dataset.edit("page-other", [
      { number: 1, image, field: "caption", before, after: "photo of main_hall, told" },
    ]);
    // The run that goes on beside it tells of the picture too, before or after.
    const told = ['"type":"pictures"', "main_hall, told", '"by":"page-other"'];
    let heard = "";
    while (!heard.split("\n\n").some((event) => told.every((part) => event.includes(part)))) {
      const { value, done } = await reader.read();
      assert.ok(!done, heard);
      heard += value;
    }
    await reader.cancel();
    controller.abort();
  });
});

Deno.test("the page is bundled once, and comes from where it is kept after that", async () => {
  await using rig = new PictureRig();
  const folder = join(rig.folder, "review");
  const first = await pageFiles({ folder, disk: localDisk });
  const kept = [...Deno.readDirSync(folder)].map(({ name }) => name);
  assert.equal(kept.length, 1);
  const [script] = first.assets;
  Deno.writeTextFileSync(join(folder, kept[0]!), script!.text + "// kept");
  const second = await pageFiles({ folder, disk: localDisk });
  assert.equal(second.assets[0]!.text, script!.text + "// kept");
  assert.notEqual(second.assets[0]!.path, script!.path);
  assert.ok(script!.text.length > 10_000 && script!.text.length < 150_000);
  assert.doesNotMatch(first.html + first.assets[1]!.text, /https?:|@import|url\(/);
});

Deno.test("the page's own code has no type errors", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "src/web/page/main.tsx"],
    cwd: fromFileUrl(new URL("../../", import.meta.url)),
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
});
