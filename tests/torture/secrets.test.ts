import assert from "node:assert/strict";
import { join } from "node:path";
import { canaryKey } from "../baseline/example.ts";
import { models, ModelServer } from "../services/model_server.ts";
import { canaryKeys, protocols } from "../services/vision_rig.ts";
import { pathsIn, photographs, start, type Tormented, tormented } from "./killing.ts";

/** What a run showed and left: its output, the command lines of its processes, all that it wrote. */
interface Traces {
  readonly said: string;
  readonly commandLines: string;
  readonly files: ReadonlyMap<string, string>;
}

async function tracesOf(about: Tormented, env: Readonly<Record<string, string>>): Promise<Traces> {
  const place = Deno.makeTempDirSync({ prefix: "tintype-secrets-" });
  try {
    await photographs(join(place, "photos"));
    const child = start(place, about, { ...canaryKeys, AWS_ACCESS_KEY_ID: canaryKey, ...env })
      .spawn();
    let commandLines = "";
    const watch = setInterval(() => commandLines += commandLinesOf(child.pid), 20);
    const { stdout, stderr } = await child.output();
    clearInterval(watch);
    const decoder = new TextDecoder("latin1");
    const files = new Map(
      Array.from(
        pathsIn(place),
        (path) => [path, decoder.decode(Deno.readFileSync(join(place, path)))],
      ),
    );
    return { said: decoder.decode(stdout) + decoder.decode(stderr), commandLines, files };
  } finally {
    Deno.removeSync(place, { recursive: true });
  }
}

/** Of a process and those that it started. */
function commandLinesOf(pid: number): string {
  try {
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).split(" ");
    const own = Deno.readTextFileSync(`/proc/${pid}/cmdline`);
    return own + children.filter(Boolean).map((child) => commandLinesOf(Number(child))).join("");
  } catch {
    return ""; // it ended, or this system has no /proc
  }
}

function assertSilent({ said, commandLines, files }: Traces, name: string) {
  assert.ok([...files.keys()].some((path) => path.endsWith("journal.jsonl")), `${name} ran`);
  assert.ok(!said.includes(canaryKey), `${name} says the key: ${said}`);
  assert.ok(!commandLines.includes(canaryKey), `${name} has the key on a command line`);
  for (const [path, text] of files) {
    assert.ok(!text.includes(canaryKey), `${name} wrote it to ${path}`);
  }
}

Deno.test("no shipped recipe writes, prints or passes on a key of the environment", async () => {
  for (const about of tormented) {
    if (about.settings["provider"] !== undefined) continue; // with a model: below
    assertSilent(await tracesOf(about, {}), about.name);
  }
});

for (const { provider, wrongKey, answer } of protocols) {
  if (provider === "bedrock") continue; // takes no address from the environment: tests/services
  Deno.test(`${provider}: a server that sends the key back is not quoted`, async () => {
    for (const reply of [wrongKey, () => answer(`{ "viewpoint": "${canaryKey}" `)]) {
      let asked = 0;
      await using server = new ModelServer(({ path, headers }) => {
        if (path.endsWith("/models")) return models("vl");
        asked++;
        const sent = headers.get("authorization") ?? headers.get("x-goog-api-key") ?? "";
        assert.ok(sent.includes(canaryKey));
        return reply();
      });
      const settings = { source: "photos", out: "out", trigger: "hall_x", provider };
      const about = { name: `caption by ${provider}`, recipe: "caption", settings };
      const env = { GEMINI_BASE_URL: server.origin, OPENAI_BASE_URL: server.origin };
      assertSilent(await tracesOf(about, env), about.name);
      assert.ok(asked > 0, "the model was asked");
    }
  });
}
