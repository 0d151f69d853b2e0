import assert from "node:assert/strict";
import { Catalog } from "../../src/runtime/catalog.ts";
import type { RunEvent } from "../../src/runtime/event.ts";
import { vision } from "../../src/services/vision.ts";
import type { RemoteVision } from "../../src/services/vision_models.ts";
import { generate } from "../../src/steps/caption/generate.ts";
import { proxy } from "../../src/steps/image/proxy.ts";
import { scan } from "../../src/steps/ingest/scan.ts";
import { canaryKey } from "../baseline/example.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { deadOrigin, halfJson, models, ModelServer, never, page } from "./model_server.ts";
import { TimeLimit } from "./time_limit.ts";
import {
  canaryKeys,
  HurriedClock,
  protocols,
  type ProviderProtocol,
  questionsAt,
  remoteVision,
  serverOf,
} from "./vision_rig.ts";

const catalog = new Catalog([scan, proxy, generate]);

const good = JSON.stringify({
  viewpoint: "wide view from the door",
  elements: "a long table",
  materials: "grey stone",
  lighting: "soft light",
  activity: "",
});

function recipe(
  { provider, model }: ProviderProtocol,
  base_url: string,
  settings: Readonly<Record<string, unknown>> = {},
): string {
  const named = provider === "openai_compatible" ? { model } : {};
  const params = { provider, ...named, base_url, requests_per_minute: 600, ...settings };
  return `recipe: captions
steps:
  photos:   { use: ingest.scan, with: { folder: ./photos } }
  proxies:  { use: image.proxy, from: photos, with: { short_side_px: 64 } }
  captions: { use: caption.generate, from: proxies, with: ${JSON.stringify(params)} }
`;
}

async function rigWith(service: RemoteVision, photos: number): Promise<PictureRig> {
  const rig = new PictureRig({ catalog, services: new Map([[vision.name, service]]) });
  for (let seed = 1; seed <= photos; seed++) {
    rig.write({ [`photos/IMG_${seed}.jpg`]: await photo(120, 90, { seed }) });
  }
  return rig;
}

function failuresIn(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) =>
    event.type === "task-settled" && event.outcome === "failed" ? [event.reason ?? ""] : []
  );
}

/** No file of the folder holds the key, nor does what was said on the way. */
function assertNoCanary(folder: string, said: unknown) {
  assert.ok(!Deno.inspect(said, { depth: 30, strAbbreviateSize: 1e6 }).includes(canaryKey));
  const look = (path: string) => {
    for (const entry of Deno.readDirSync(path)) {
      const inner = `${path}/${entry.name}`;
      if (entry.isDirectory) look(inner);
      else if (entry.isFile) {
        const text = new TextDecoder("latin1").decode(Deno.readFileSync(inner));
        assert.ok(!text.includes(canaryKey), inner);
      }
    }
  };
  look(folder);
}

/** The most that were sent within any minute of so many milliseconds. */
function mostWithin(minuteMs: number, sent: readonly number[]): number {
  return Math.max(
    ...sent.map((start) => sent.filter((at) => at >= start && at < start + minuteMs).length),
  );
}

/** Notes when requests are sent; how long they are on their way is the machine's affair. */
class SendTimes implements Disposable {
  readonly sentMs: number[] = [];
  readonly #fetch = globalThis.fetch;

  constructor() {
    globalThis.fetch = (...request) => {
      this.sentMs.push(performance.now());
      return this.#fetch(...request);
    };
  }

  [Symbol.dispose](): void {
    globalThis.fetch = this.#fetch;
  }
}

Deno.test("thirty pictures, every fifth call refused: nothing is lost, the rate is kept, a rerun calls nobody", async () => {
  // A minute is one second here, and holds 20 calls.
  const minuteMs = 1_000;
  using times = new SendTimes();
  const openai = protocols[2];
  await using server = new ModelServer(async ({ path }, call) => {
    if (path.endsWith("/models")) return models(openai.model);
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, 10);
    await promise;
    return call % 5 === 0 ? openai.tooMuch(0.05) : openai.answer(good);
  });
  await using rig = await rigWith(remoteVision({ minuteMs }), 30);
  const yaml = recipe(openai, server.origin, { requests_per_minute: 20 });
  const { status, counts, events } = await rig.run(yaml);
  assert.deepEqual([status, counts.failed], ["complete", 0]);
  const [row] = await rig.query("SELECT count(*) AS captions, min(state) AS state FROM captions");
  assert.deepEqual([Number(row!["captions"]), row!["state"]], [30, "auto"]);
  assert.equal(events.filter(({ type }) => type === "remote-called").length, 30);
  // One list of models, thirty answers, and a refusal for every fifth of all of them.
  assert.deepEqual([server.requests.length, times.sentMs.length], [38, 38]);
  const most = mostWithin(minuteMs, times.sentMs);
  assert.ok(most <= 20, `${most} in a minute`);
  const { counts: again } = await rig.run(yaml);
  assert.deepEqual([again.failed, server.requests.length], [0, 38]);
});

Deno.test("a wrong key, no quota and no network are one failure each, not one a picture", async () => {
  for (const protocol of protocols) {
    for (const answer of [protocol.wrongKey, protocol.spent, protocol.unknownModel, undefined]) {
      await using server = serverOf(protocol, answer ?? never);
      const origin = answer === undefined ? deadOrigin() : server.origin;
      await using rig = await rigWith(remoteVision({ clock: new HurriedClock() }), 12);
      const { status, counts, events } = await rig.run(recipe(protocol, origin));
      assert.deepEqual([status, counts.failed], ["failed", 1], answer?.name ?? "");
      assert.equal(failuresIn(events).length, 1);
      // At most those who were asking already.
      assert.ok(questionsAt(server).length <= 4 * 2, `${questionsAt(server).length}`);
    }
  }
});

Deno.test("a picture that is refused or breaks the server does not stop the others", async () => {
  for (const protocol of protocols) {
    const seen = new Set<string>();
    const bad = [undefined, protocol.refusal, protocol.broken, protocol.badImage];
    await using server = serverOf(protocol, (_, { body }) => {
      const picture = JSON.stringify(body).match(/[A-Za-z0-9+/=]{400,}/)![0];
      seen.add(picture);
      return bad[[...seen].indexOf(picture)]?.() ?? protocol.answer(good);
    });
    await using rig = await rigWith(remoteVision({ clock: new HurriedClock() }), 8);
    const { counts } = await rig.run(recipe(protocol, server.origin));
    assert.equal(counts.failed, 2);
    const rows = await rig.query("SELECT state FROM captions ORDER BY state");
    assert.equal(rows.filter(({ state }) => state === "needs_review").length, 1);
    assert.equal(rows.filter(({ state }) => state === "auto").length, 5);
  }
});

Deno.test("tokens and an estimated cost of each call are in the journal", async () => {
  const cost = {
    // 1,300 tokens at $0.75 and 75 at $3.75 a million.
    gemini: (1300 * 0.75 + 75 * 3.75) / 1e6,
    // 480 at $0.30 and 31 at $2.50.
    bedrock: (480 * 0.3 + 31 * 2.5) / 1e6,
    openai_compatible: 0,
  };
  for (const protocol of protocols) {
    await using server = serverOf(protocol, () => protocol.answer(good));
    await using rig = await rigWith(remoteVision(), 1);
    const { events } = await rig.run(recipe(protocol, server.origin));
    const call = events.find((event) => event.type === "remote-called");
    assert.ok(Math.abs(call!.cost! - cost[protocol.provider]) < 1e-12, `${call!.cost}`);
    assert.equal(call!.provider, protocol.provider);
  }
});

Deno.test("no key is in any file, event or table, whatever a provider answers", async () => {
  for (const [name, key] of Object.entries(canaryKeys)) Deno.env.set(name, key);
  try {
    for (const protocol of protocols) {
      const answers: readonly (() => Response | Promise<Response>)[] = [
        () => protocol.answer(good.replace("soft light", canaryKey)),
        () => protocol.answer(`my key is ${canaryKey}`),
        ...[protocol.wrongKey, protocol.spent, protocol.broken, protocol.refusal],
        ...[protocol.tooMuch, protocol.badImage, protocol.blindModel, protocol.unknownModel],
        ...[() => page(), halfJson, never],
        () => new Response(`odd ${canaryKey}`, { status: 418 }),
        () => new Response(`odd ${canaryKey}`),
      ];
      for (const answer of answers) {
        using limit = new TimeLimit();
        await using server = serverOf(protocol, () => {
          if (answer === never) limit.pass();
          return answer();
        });
        await using rig = await rigWith(remoteVision({ clock: new HurriedClock() }), 2);
        const settings = { timeout_s: limit.seconds };
        const report = await rig.run(recipe(protocol, server.origin, settings));
        const rows = await rig.query("SELECT * FROM captions").catch(() => []);
        assertNoCanary(rig.folder, [report, rows]);
        const sent = questionsAt(server).map(({ path, body }) => [path, body]);
        assert.ok(sent.length > 0 && !JSON.stringify(sent).includes(canaryKey));
      }
    }
  } finally {
    for (const name of Object.keys(canaryKeys)) Deno.env.delete(name);
  }
});

Deno.test("the command line shows no key when a provider repeats it", async () => {
  const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
  for (const protocol of protocols) {
    await using server = serverOf(protocol, protocol.wrongKey);
    await using rig = await rigWith(remoteVision(), 1);
    rig.write({ "captions.yaml": recipe(protocol, server.origin) });
    const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", main, "run", "captions.yaml"],
      cwd: rig.folder,
      env: { ...canaryKeys, NO_COLOR: "1" },
    }).output();
    const printed = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.equal(success, false);
    assert.match(printed, /Cannot ask .* does not accept the key/);
    assertNoCanary(rig.folder, printed);
  }
});
