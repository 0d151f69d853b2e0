import { dirname, join } from "node:path";
import sharp from "sharp";
import type { RunEvent } from "../src/runtime/event.ts";
import { formatDiagnostic } from "../src/runtime/diagnostic.ts";
import { type RunSettings, Session, type SessionOptions } from "../src/runtime/session.ts";
import { catalog } from "../src/steps/mod.ts";

/** The proxy recipe as shipped. */
export const proxyRecipe = new URL("../pipelines/proxy.yaml", import.meta.url).pathname;

/** A temporary folder with pictures and a workspace, and the built-in steps. */
export class PictureRig implements AsyncDisposable {
  readonly folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "tintype-pictures-" }));
  readonly session: Session;

  /** The built-in steps and no services, unless told otherwise. */
  constructor(options: Partial<Pick<SessionOptions, "catalog" | "services">> = {}) {
    const workspace = join(this.folder, ".tintype");
    this.session = new Session({ catalog, ...options, cwd: this.folder, workspace });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [name, content] of Object.entries(files)) {
      Deno.mkdirSync(dirname(this.path(name)), { recursive: true });
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      Deno.writeFileSync(this.path(name), bytes);
    }
  }

  /** Runs a recipe's text. */
  async run(yaml: string, settings: RunSettings = {}) {
    return await this.#run({ path: this.path("test.yaml"), text: yaml }, {}, settings);
  }

  /** Runs the shipped proxy recipe on ./photos into ./proxies. */
  async proxy(values: Readonly<Record<string, unknown>> = {}, settings: RunSettings = {}) {
    const source = { path: proxyRecipe, text: Deno.readTextFileSync(proxyRecipe) };
    return await this.#run(source, { source: "photos", out: "proxies", ...values }, settings);
  }

  async query(sql: string) {
    const opened = await this.session.openCatalog();
    try {
      return (await opened.query(sql)).rows;
    } finally {
      opened.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }

  async #run(
    source: { readonly path: string; readonly text: string },
    values: Readonly<Record<string, unknown>>,
    settings: RunSettings,
  ) {
    const checked = await this.session.check(source, { settings: values, needsValues: true });
    if (checked.graph === undefined) {
      throw new Error(checked.diagnostics.map((each) => formatDiagnostic(each)).join("\n"));
    }
    const events: RunEvent[] = [];
    const report = await this.session.run(checked.graph, {
      ...settings,
      listener: (event) => events.push(event),
    });
    return { ...report, events };
  }
}

/** A smooth picture with grain, which content checks take for a photo. */
export async function photo(
  width: number,
  height: number,
  options: { readonly format?: "jpeg" | "png" | "webp"; readonly seed?: number } = {},
): Promise<Uint8Array> {
  const { format = "jpeg", seed = 1 } = options;
  let state = seed * 2654435761 >>> 0;
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      state = (state * 1664525 + 1013904223) >>> 0;
      const grain = (state >>> 27) - 16;
      pixels[at++] = clamp(60 + 150 * x / width + grain);
      pixels[at++] = clamp(90 + 100 * y / height + grain);
      pixels[at++] = clamp(200 - 120 * x / width + grain);
    }
  }
  const image = sharp(pixels, { raw: { width, height, channels: 3 } });
  return new Uint8Array(await image.toFormat(format, { quality: 92 }).toBuffer());
}

function clamp(value: number): number {
  return Math.max(0, Math.min(255, Math.round(value)));
}

/** The outcome of each item at a node. */
export function outcomes(events: readonly RunEvent[], node: string): Record<string, string> {
  return Object.fromEntries(
    events.flatMap((event) =>
      event.type === "task-settled" && event.node === node
        ? [[event.item ?? "", event.outcome] as const]
        : []
    ),
  );
}
