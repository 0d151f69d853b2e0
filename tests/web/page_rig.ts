import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { localDisk } from "../../src/runtime/local_disk.ts";
import { pageFiles } from "../../src/web/bundle.ts";
import { serveReview } from "../../src/web/server.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { type DatasetSettings, openDataset } from "./rig.ts";

export const chromiumPath = Deno.env.get("CHROMIUM_PATH") ?? "/usr/bin/chromium";

/** What is waited for comes within this time on a busy machine too, or the test has failed. */
const longestMs = 60_000;

/** Whether there is a browser to test with. */
export const hasChromium = existsSync(chromiumPath);

let browser: Browser | undefined;

export async function openBrowser(): Promise<void> {
  browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
}

export async function closeBrowser(): Promise<void> {
  await browser?.close();
}

export interface Screen {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: "light" | "dark";
}

/** A browser window; what its pages complain of, or ask elsewhere, is a failure. */
export class Browsing implements AsyncDisposable {
  readonly complaints: string[] = [];
  /** Lost connections are no complaint. */
  isServerExpected = true;

  private constructor(readonly context: BrowserContext, readonly url: string) {}

  static async open(url: string, screen: Screen = {}): Promise<Browsing> {
    const { width = 1280, height = 800, colorScheme = "light" } = screen;
    const context = await browser!.newContext({ viewport: { width, height }, colorScheme });
    context.setDefaultTimeout(longestMs);
    return new Browsing(context, url);
  }

  /** A tab with the dataset open, once its pictures are there. */
  async tab(): Promise<Page> {
    const page = await this.context.newPage();
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && this.isServerExpected) {
        this.complaints.push(message.text());
      }
    });
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(this.url) && !url.startsWith("data:")) this.complaints.push(url);
    });
    await page.goto(this.url);
    await page.getByRole("option").first().waitFor();
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
    assert.deepEqual(this.complaints, []);
  }
}

/** So many photos, by name. */
export async function writePhotos(rig: PictureRig, count: number, short = 60): Promise<void> {
  for (let seed = 1; seed <= count; seed++) {
    const bytes = await photo(short * 3 / 2, short, { seed });
    rig.write({ [`photos/IMG_${String(seed).padStart(3, "0")}.jpg`]: bytes });
  }
}

/** Serves a dataset of so many photos in this process. */
export async function withServer(
  count: number,
  settings: DatasetSettings & { readonly isStarted?: boolean },
  work: (served: {
    readonly rig: PictureRig;
    readonly dataset: Awaited<ReturnType<typeof openDataset>>;
    readonly url: string;
  }) => Promise<void>,
): Promise<void> {
  await using rig = new PictureRig();
  Deno.mkdirSync(rig.path("photos"));
  await writePhotos(rig, count);
  const dataset = await openDataset(rig.folder, settings);
  if (settings.isStarted !== false) await dataset.start();
  const page = () => pageFiles({ folder: join(rig.folder, ".tintype/review"), disk: localDisk });
  const server = serveReview({ dataset, page, port: 0 });
  try {
    await work({ rig, dataset, url: server.url });
  } finally {
    await server.close();
    await dataset.settled();
    dataset.close();
  }
}

/** Resolves when nothing is left to save. */
export async function saved(page: Page): Promise<void> {
  await page.locator("#save-state", { hasText: "All changes saved" }).waitFor();
}

/** What `decisions.jsonl` says of captions, oldest first. */
export function decidedTexts(rig: PictureRig): string[] {
  const lines = Deno.readTextFileSync(rig.path("out/decisions.jsonl")).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as { field: string; after: string })
    .filter(({ field }) => field === "caption").map(({ after }) => after);
}

/** Looks until something is as it is wanted; the page draws a moment after a key. */
export async function becomes<Value>(look: () => Promise<Value>, wanted: Value): Promise<void> {
  const untilMs = performance.now() + longestMs;
  let seen = await look();
  while (seen !== wanted && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, 0)); // the server and the browser go on
    seen = await look();
  }
  assert.equal(seen, wanted);
}
