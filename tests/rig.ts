import { dirname, join } from "node:path";
import { z } from "zod";
import { rowKind, text } from "../src/runtime/artifact.ts";
import { Catalog } from "../src/runtime/catalog.ts";
import { formatDiagnostic } from "../src/runtime/diagnostic.ts";
import type { RunEvent } from "../src/runtime/event.ts";
import { folder } from "../src/runtime/params.ts";
import { type RunReport, type RunSettings, Session } from "../src/runtime/session.ts";
import {
  all,
  type AnyStep,
  defineStep,
  each,
  failed,
  many,
  one,
  produced,
  rejected,
  type Services,
  waiting,
} from "../src/runtime/step.ts";

const length = rowKind("length", "how long a text is", z.object({ letters: z.int() }));

/**
 * A temporary folder with a workspace, and small steps on text files that count their calls and do
 * what the text says: "reject …", "wait …", "fail …", "flaky …".
 */
export class Rig implements AsyncDisposable {
  readonly folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "tintype-rig-" }));
  readonly workspace = join(this.folder, ".tintype");
  /** By step name, the texts it was called with. */
  readonly calls: Record<string, string[]> = {};
  /** Called inside `test.upper` before it answers. */
  onUpper: (text: string) => void | Promise<void> = () => {};
  readonly catalog: Catalog;
  /** What its sessions give to steps. */
  services: Services = new Map();

  constructor(steps: readonly AnyStep[] = []) {
    this.catalog = new Catalog([...this.#steps(), ...steps]);
  }

  /** Writes files below the rig's folder. */
  write(files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [path, content] of Object.entries(files)) {
      const full = join(this.folder, path);
      Deno.mkdirSync(dirname(full), { recursive: true });
      if (typeof content === "string") Deno.writeTextFileSync(full, content);
      else Deno.writeFileSync(full, content);
    }
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  session(): Session {
    return new Session({
      catalog: this.catalog,
      cwd: this.folder,
      workspace: this.workspace,
      services: this.services,
    });
  }

  /** Checks a recipe's text; throws with all diagnostics when it is wrong. */
  async graph(yaml: string, settings: Readonly<Record<string, unknown>> = {}) {
    const source = { path: join(this.folder, "test.yaml"), text: yaml };
    const { graph, diagnostics } = await this.session().check(source, {
      settings,
      needsValues: true,
    });
    if (graph === undefined) {
      throw new Error(diagnostics.map((each) => formatDiagnostic(each)).join("\n"));
    }
    return graph;
  }

  async run(yaml: string, settings: RunSettings = {}): Promise<RunReport & { events: RunEvent[] }> {
    const events: RunEvent[] = [];
    const report = await this.session().run(await this.graph(yaml), {
      retry: { retries: 3, minWaitMs: 1, maxWaitMs: 2 },
      ...settings,
      listener: (event) => {
        events.push(event);
        settings.listener?.(event);
      },
    });
    return { ...report, events };
  }

  /** The calls since the last time, forgotten afterwards. */
  takeCalls(): Record<string, string[]> {
    const taken = Object.fromEntries(
      Object.entries(this.calls).map(([name, texts]) => [name, texts.toSorted()]),
    );
    for (const name of Object.keys(this.calls)) delete this.calls[name];
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }

  #called(name: string, what: string) {
    (this.calls[name] ??= []).push(what);
  }

  #steps(): AnyStep[] {
    const flaky = new Set<string>();
    const noParams = z.object({});
    return [
      defineStep({
        name: "test.scan",
        version: 1,
        doc: "Finds the files of a folder.",
        origin: "computed",
        world: "reads",
        inputs: {},
        params: z.object({ folder: folder("where") }),
        outputs: { texts: many(text, "the texts") },
        run(_, params, { disk }) {
          const names = disk.list(params.folder).map((entry) => entry.name).sort();
          return produced({
            texts: names.map((name) => {
              const path = join(params.folder, name);
              return { name, file: { path, ...disk.stat(path)! } };
            }),
          });
        },
      }),
      defineStep({
        name: "test.upper",
        version: 1,
        doc: "Makes letters large.",
        origin: "computed",
        inputs: { text: each(text, "the texts") },
        params: z.object({
          suffix: z.string().default(""),
          times: z.int().min(1).max(9).default(1),
        }),
        outputs: { text: each(text, "large letters") },
        run: async ({ text }, params) => {
          const read = await text.read();
          this.#called("test.upper", read);
          await this.onUpper(read);
          if (read.startsWith("reject")) return rejected("it says so", { letters: read.length });
          if (read.startsWith("wait")) return waiting("a person must look");
          if (read.startsWith("throw")) throw new Error("a bug");
          if (read.startsWith("fail")) return failed("it broke");
          if (read.startsWith("flaky") && !flaky.has(read)) {
            flaky.add(read);
            return failed("busy", { isRetriable: true });
          }
          if (read.startsWith("hopeless")) return failed("always busy", { isRetriable: true });
          return produced({ text: read.toUpperCase().repeat(params.times) + params.suffix });
        },
      }),
      defineStep({
        name: "test.named",
        version: 1,
        doc: "Puts the item's name in front.",
        origin: "computed",
        usesItemName: true,
        inputs: { text: each(text, "the texts") },
        params: noParams,
        outputs: { text: each(text, "name: text") },
        run: async ({ text }, _, { itemName }) => {
          const read = await text.read();
          this.#called("test.named", itemName);
          return produced({ text: `${itemName}: ${read}` });
        },
      }),
      defineStep({
        name: "test.length",
        version: 1,
        doc: "Measures texts.",
        origin: "computed",
        isResult: true,
        inputs: { text: each(text, "the texts") },
        params: noParams,
        outputs: { length: each(length, "the length") },
        run: async ({ text }) => {
          const read = await text.read();
          this.#called("test.length", read);
          return produced({ length: { letters: read.length } });
        },
      }),
      defineStep({
        name: "test.join",
        version: 1,
        doc: "Joins all texts.",
        origin: "computed",
        isResult: true,
        inputs: { text: all(text, "the texts") },
        params: noParams,
        outputs: { joined: one(text, "all of them") },
        run: async ({ text }) => {
          const texts = await Promise.all([...text.values()].map((handle) => handle.read()));
          this.#called("test.join", texts.toSorted().join("+"));
          return produced({ joined: texts.toSorted().join("+") });
        },
      }),
      defineStep({
        name: "test.rank",
        version: 1,
        doc: "Says of each text which place it has.",
        origin: "computed",
        isResult: true,
        inputs: { text: all(text, "the texts") },
        params: noParams,
        outputs: { rank: each(text, "its place"), count: one(text, "how many") },
        run: async ({ text }) => {
          this.#called("test.rank", String(text.size));
          const read = await Promise.all(
            [...text].map(async ([member, handle]) => ({ member, text: await handle.read() })),
          );
          read.sort((a, b) => a.text < b.text ? -1 : 1);
          const ranks = read.map(({ member, text }, index) =>
            [member, text.includes("ODD") ? rejected("odd") : `${index + 1}`] as const
          );
          return produced({ rank: new Map(ranks), count: `${read.length}` });
        },
      }),
      defineStep({
        name: "test.letters",
        version: 1,
        doc: "Makes an item of each letter.",
        origin: "computed",
        inputs: { text: each(text, "the texts") },
        params: noParams,
        outputs: { letters: many(text, "the letters") },
        run: async ({ text }) => {
          const read = await text.read();
          this.#called("test.letters", read);
          return produced({
            letters: [...read].map((value, index) => ({ name: String(index), value })),
          });
        },
      }),
      defineStep({
        name: "test.with_shared",
        version: 1,
        doc: "Puts a shared text behind each.",
        origin: "computed",
        isResult: true,
        inputs: { text: each(text, "the texts"), shared: one(text, "behind each") },
        params: noParams,
        outputs: { text: each(text, "both") },
        run: async ({ text, shared }) => {
          const both = `${await text.read()}|${await shared.read()}`;
          this.#called("test.with_shared", both);
          return produced({ text: both });
        },
      }),
      defineStep({
        name: "test.batched",
        version: 1,
        doc: "Works on up to three texts in one call.",
        origin: "computed",
        isResult: true,
        inputs: { text: each(text, "the texts") },
        params: noParams,
        outputs: { text: each(text, "with the size of the call") },
        batch: {
          size: 3,
          prepare: async ({ text }) => await text.read(),
          run: (prepared) => {
            this.#called("test.batched", String(prepared.length));
            return Promise.resolve(
              prepared.map((read) => produced({ text: `${read} of ${prepared.length}` })),
            );
          },
        },
      }),
    ];
  }
}
