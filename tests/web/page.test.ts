import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { vision, VisionProblem } from "../../src/services/vision.ts";
import { freePort } from "../free_port.ts";
import { PictureRig } from "../picture_rig.ts";
import { Model } from "./model.ts";
import {
  becomes,
  Browsing,
  closeBrowser,
  decidedTexts,
  hasChromium,
  openBrowser,
  saved,
  withServer,
  writePhotos,
} from "./page_rig.ts";
import { recipeText } from "./rig.ts";
import { ServerProcess } from "./server_process.ts";

if (hasChromium) {
  Deno.test.beforeAll(openBrowser);
  Deno.test.afterAll(closeBrowser);
}

/** The browser's connection outlives a test. */
function test(name: string, work: () => Promise<void>) {
  Deno.test({ name, fn: work, ignore: !hasChromium, sanitizeOps: false, sanitizeResources: false });
}

const caption = (page: Page) => page.getByLabel("Caption", { exact: true });
const cards = (page: Page) => page.getByRole("option");
const openName = (page: Page) => page.locator(".detail-head h2").innerText();
const card = (page: Page, name: string) => page.getByRole("option", { name });

test("what is typed is saved as it is typed, undone, done again, and in the history", async () => {
  await withServer(3, {}, async ({ rig, url }) => {
    await using browsing = await Browsing.open(url);
    const page = await browsing.tab();
    const before = await caption(page).inputValue();
    await caption(page).focus();
    await page.keyboard.press("End");
    await page.keyboard.type(", a big window");
    await saved(page);
    assert.equal(
      decidedTexts(rig).at(-1),
      `${before.replace("main_hall", "{trigger}")}, a big window`,
    );
    await card(page, "IMG_001.jpg, edited").waitFor();
    await page.keyboard.press("Control+z");
    await becomes(() => caption(page).inputValue(), before);
    await card(page, "IMG_001.jpg, auto, draft").waitFor();
    await page.keyboard.press("Control+y");
    await becomes(() => caption(page).inputValue(), `${before}, a big window`);
    await saved(page);
    await page.reload();
    await cards(page).first().waitFor();
    await becomes(() => caption(page).inputValue(), `${before}, a big window`);
    await page.getByRole("button", { name: "History" }).click();
    const entries = page.getByRole("dialog").getByRole("listitem");
    await becomes(() => entries.count(), 3);
    await entries.last().getByRole("button", { name: "Restore" }).first().click();
    await page.keyboard.press("Escape");
    await becomes(() => caption(page).inputValue(), before);
    await page.getByText(/about \d+ of 75 tokens \(CLIP, estimated\)/).waitFor();
  });
});

test("everything is done by keys, and letters are letters while a caption is written", async () => {
  await withServer(4, {}, async ({ dataset, url }) => {
    await using browsing = await Browsing.open(url);
    const page = await browsing.tab();
    await page.keyboard.press("ArrowRight");
    await becomes(() => openName(page), "IMG_002.jpg");
    await page.keyboard.press("k");
    await becomes(() => openName(page), "IMG_001.jpg");
    await page.keyboard.press("a");
    await card(page, "IMG_001.jpg, approved").waitFor();
    await page.keyboard.press("l");
    await card(page, "IMG_001.jpg, approved, draft, locked").waitFor();
    assert.equal(await caption(page).getAttribute("readonly"), "");
    await page.keyboard.press("j");
    await page.keyboard.press("e");
    await caption(page).fill("photo of main_hall, al?m");
    await page.keyboard.press("End");
    await page.keyboard.type(" jar");
    await page.keyboard.press("Enter");
    await becomes(() => caption(page).inputValue(), "photo of main_hall, al?m jar");
    await page.keyboard.press("Control+Enter");
    await card(page, "IMG_002.jpg, approved").waitFor();
    await becomes(() => openName(page), "IMG_003.jpg");
    await page.keyboard.press("PageDown");
    await becomes(() => openName(page), "IMG_004.jpg");
    await page.keyboard.press("Escape");
    await page.keyboard.press("m");
    await card(page, "IMG_004.jpg, needs review").waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Help" }).getByText("approve and go to the next one")
      .waitFor();
    await page.keyboard.press("a");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("g");
    await page.keyboard.press("Home");
    await becomes(() => openName(page), "IMG_001.jpg");
    await page.keyboard.press("End");
    await becomes(() => openName(page), "IMG_004.jpg");
    await saved(page);
    assert.deepEqual(dataset.pictures().map(({ state }) => state), [
      "approved",
      "approved",
      "auto",
      "needs_review",
    ]);
    await page.keyboard.press("?");
    await page.getByLabel("Single letters are shortcuts").uncheck();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("a");
    await page.keyboard.press("ArrowLeft");
    await becomes(() => openName(page), "IMG_003.jpg");
    assert.equal(await card(page, "IMG_004.jpg, needs review").count(), 1);
  });
});

test("the filter shows what matches, keeps what is open, and its buttons count", async () => {
  await withServer(4, {}, async ({ url }) => {
    await using browsing = await Browsing.open(url);
    const page = await browsing.tab();
    await caption(page).fill("photo of main_hall, a window");
    await card(page, "IMG_001.jpg, edited").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("/");
    await page.keyboard.type("window");
    await becomes(() => cards(page).count(), 1);
    await page.getByLabel("Filter").fill("NOT window");
    await becomes(() => cards(page).count(), 4);
    await page.getByText("3 of 4", { exact: true }).waitFor();
    await page.getByLabel("Filter").fill('edited "a window"');
    await becomes(() => cards(page).count(), 1);
    await page.getByLabel("Filter").fill("no such thing");
    await page.getByRole("button", { name: "Edited 1" }).click();
    await becomes(() => page.getByLabel("Filter").inputValue(), "edited");
    await page.getByRole("button", { name: "All 4" }).click();
    await becomes(() => cards(page).count(), 4);
  });
});

test("an emptied caption is counted, cannot be approved, and is named before and after the export", async () => {
  await withServer(3, {}, async ({ dataset, url }) => {
    await using browsing = await Browsing.open(url);
    const page = await browsing.tab();
    await caption(page).fill("");
    await card(page, "IMG_001.jpg, needs review").waitFor();
    await page.getByRole("button", { name: "Needs review 1" }).waitFor();
    await saved(page);
    assert.equal(dataset.pictures()[0]!.state, "needs_review");
    assert.equal(await page.getByRole("button", { name: "Approve, next" }).isDisabled(), true);
    await page.keyboard.press("Escape");
    await page.keyboard.press("a");
    await page.keyboard.press("Control+Enter");
    await becomes(() => openName(page), "IMG_002.jpg");
    assert.equal(await card(page, "IMG_001.jpg, needs review").count(), 1);
    await page.keyboard.press("x");
    const dialog = page.getByRole("dialog", { name: "Export zip" });
    await dialog.getByText("1 of 3: empty, and trained on without a description: IMG_001.jpg")
      .waitFor();
    await dialog.getByRole("button", { name: "Export now" }).click();
    await dialog.getByText("1 is empty: IMG_001.jpg").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.keyboard.press("x");
    await dialog.getByRole("button", { name: "Show the 1: empty" }).click();
    await becomes(() => page.getByLabel("Filter").inputValue(), "empty");
    await page.getByText("1 of 3", { exact: true }).waitFor();
  });
});

test("a file that is there twice is one picture in two files, and the export warns of it", async () => {
  await withServer(2, { isStarted: false }, async ({ rig, dataset, url }) => {
    rig.write({ "photos/copy.jpg": Deno.readFileSync(rig.path("photos/IMG_001.jpg")) });
    await dataset.start();
    await using browsing = await Browsing.open(url);
    const page = await browsing.tab();
    await becomes(() => cards(page).count(), 2);
    await page.getByRole("button", { name: "Repeated 1" }).click();
    await card(page, "IMG_001.jpg, auto, draft, 2 files").click();
    await page.getByText("The same file is there as copy.jpg; this caption is for all of them")
      .waitFor();
    await page.keyboard.press("x");
    const dialog = page.getByRole("dialog", { name: "Export zip" });
    await dialog.getByText("2 pictures (3 files) and their captions").waitFor();
    await dialog.getByText("1 of 2: there more than once, byte for byte, and trained on as often")
      .waitFor();
    await dialog.getByRole("button", { name: "Export now" }).click();
    await dialog.getByText("3 images, 3 captions used").waitFor();
  });
});

test("a trigger word that nobody chose is said to be none, on the page and before an export", async () => {
  await withServer(1, { text: recipeText({ trigger: "my_subject" }) }, async ({ url }) => {
    await using browsing = await Browsing.open(url);
    const page = await browsing.tab();
    await page.getByText("The trigger word my_subject only holds the place of yours.").waitFor();
    await page.keyboard.press("x");
    await page.getByRole("dialog").getByText("The trigger word is still my_subject").waitFor();
  });
  await withServer(1, {}, async ({ url }) => {
    await using browsing = await Browsing.open(url);
    const page = await browsing.tab();
    assert.equal(await page.getByText("The trigger word").count(), 0);
  });
});

test("find and replace shows first what it would do, leaves locked ones, and is taken back at once", async () => {
  await withServer(5, {}, async ({ dataset, url }) => {
    await using browsing = await Browsing.open(url);
    const page = await browsing.tab();
    const before = dataset.pictures().map(({ caption }) => caption);
    await page.keyboard.press("l");
    await page.keyboard.press("f");
    const dialog = page.getByRole("dialog", { name: "Find and replace" });
    await dialog.getByLabel("Find").fill("landscape view");
    await dialog.getByLabel("Replace with").fill("wide view");
    await dialog.getByText("4 captions would change; 1 locked left as they are").waitFor();
    assert.equal(await dialog.locator("ins").count(), 4);
    await saved(page);
    assert.deepEqual(dataset.pictures().map(({ caption }) => caption), before);
    await page.keyboard.press("Enter");
    await page.getByText("Replaced in 4 captions.").waitFor();
    await saved(page);
    const replaced = dataset.pictures().map(({ caption }) => /wide view/.test(caption));
    assert.deepEqual(replaced, [false, true, true, true, true]);
    await page.getByRole("button", { name: "Undo all" }).click();
    await page.getByText("Taken back in 4 captions.").waitFor();
    await saved(page);
    assert.deepEqual(dataset.pictures().map(({ caption }) => caption), before);
  });
});

const covered = `[...document.querySelectorAll("button, textarea, input")].filter((each) => {
  const { x, y, width, height } = each.getBoundingClientRect();
  const [atX, atY] = [x + width / 2, y + height / 2];
  const main = document.querySelector("main").getBoundingClientRect();
  const isInSight = width > 0 && atY < innerHeight && !(each.closest("main") && atY > main.bottom);
  return isInSight && !each.contains(document.elementFromPoint(atX, atY));
}).map((each) => each.textContent || each.id)`;

for (const [width, height] of [[1280, 800], [390, 844]] as const) {
  test(`a message covers nothing at ${width} × ${height}, and leaves by itself where nothing is asked`, async () => {
    await withServer(3, {}, async ({ url }) => {
      await using browsing = await Browsing.open(url, { width, height });
      await browsing.context.clock.install();
      const page = await browsing.tab();
      await cards(page).first().click();
      await page.keyboard.press("Escape");
      await page.keyboard.press("f");
      await page.getByLabel("Find", { exact: true }).fill("view");
      await page.getByLabel("Replace with").fill("sight");
      await page.keyboard.press("Enter");
      const message = page.getByRole("status").filter({ hasText: "Replaced in 3 captions." });
      await message.waitFor();
      await page.getByRole("dialog").waitFor({ state: "detached" });
      assert.deepEqual(await page.evaluate(covered), []);
      await cards(page).nth(1).click();
      assert.deepEqual(await page.evaluate(covered), []);
      await page.clock.fastForward(60_000);
      await page.getByRole("button", { name: "Undo all" }).click();
      const told = page.getByText("Taken back in 3 captions.");
      await told.waitFor();
      assert.equal(await page.getByRole("button", { name: "Dismiss" }).count(), 0);
      await page.clock.fastForward(9000);
      await told.waitFor({ state: "detached" });
    });
  });
}

test("a phone shows the caption without scrolling, and nothing is wider than the screen", async () => {
  await withServer(3, { text: recipeText({ trigger: "my_subject" }) }, async ({ url }) => {
    await using browsing = await Browsing.open(url, { width: 390, height: 844 });
    const page = await browsing.tab();
    const isTooWide = () =>
      page.evaluate(`[...document.querySelectorAll("body, .top, dialog, .detail-pane, .grid-pane")]
        .filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.className)`);
    const bottom = async (selector: string) => {
      const box = (await page.locator(selector).boundingBox())!;
      return box.y + box.height;
    };
    assert.ok(await bottom("header.top") < 130, "title and tools take two rows");
    assert.deepEqual(await isTooWide(), []);
    await cards(page).first().click();
    assert.ok(await bottom("#caption") < 844);
    assert.deepEqual(await isTooWide(), []);
    for (const [key, name] of [["x", "Export zip"], ["p", "Preview"], ["?", "Help"]] as const) {
      await page.keyboard.press(key);
      await page.getByRole("dialog", { name }).waitFor();
      assert.deepEqual(await isTooWide(), [], name);
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    }
  });
});

test("a picture that is held up does not say that its caption is on its way", async () => {
  const model = new Model();
  model.says = () => {
    throw new VisionProblem("Cannot ask: no key is set (set GEMINI_API_KEY)", "no-key", true);
  };
  const settings = {
    text: recipeText({ provider: "gemini" }),
    services: new Map([[vision.name, model]]),
  };
  await withServer(3, settings, async ({ url }) => {
    await using browsing = await Browsing.open(url);
    const page = await browsing.tab();
    await page.getByRole("button", { name: /^Waiting \d/ }).click();
    await cards(page).filter({ hasText: "waiting" }).first().click();
    await page.getByText(/held up at "captions"/i).waitFor();
    assert.equal(await caption(page).getAttribute("placeholder"), "");
  });
});

test("a filter that finds nothing says so, also beside the picture that is open", async () => {
  await withServer(2, {}, async ({ url }) => {
    await using browsing = await Browsing.open(url);
    const page = await browsing.tab();
    await page.getByLabel("Filter").fill("nothing like it");
    await page.getByText("No picture matches. The one below is here because it is open.").waitFor();
    await page.getByLabel("Filter").fill("auto");
    await page.getByText("No picture matches").waitFor({ state: "detached" });
  });
});

test("what went wrong is said in the window that it went wrong in, and stays until it is dismissed", async () => {
  await withServer(1, {}, async ({ url }) => {
    await using browsing = await Browsing.open(url);
    await browsing.context.clock.install();
    const page = await browsing.tab();
    browsing.isServerExpected = false;
    await page.route("**/api/export", (route) => route.abort());
    await page.keyboard.press("x");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Export now" }).click();
    await dialog.getByRole("alert").getByText("The server does not answer").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.clock.fastForward(60_000);
    await page.getByRole("alert").getByText("The server does not answer").waitFor();
    await page.getByRole("button", { name: "Dismiss" }).click();
    await page.getByRole("alert").waitFor({ state: "detached" });
  });
});

test("an edit in one tab appears in the other, which is told; both texts are in the history", async () => {
  await withServer(2, {}, async ({ dataset, url }) => {
    await using browsing = await Browsing.open(url);
    const [one, two] = [await browsing.tab(), await browsing.tab()];
    await caption(one).fill("photo of main_hall, from tab one");
    await saved(one);
    await two.getByText("This caption was changed in another tab").waitFor();
    await becomes(() => caption(two).inputValue(), "photo of main_hall, from tab one");
    // Both write before either hears of the other: the second to arrive holds.
    await two.route("**/api/edits", async (route) => {
      await route.fetch().catch(() => undefined);
      await route.abort();
    }, { times: 1 });
    await caption(two).fill("photo of main_hall, from tab two");
    await becomes(() => caption(one).inputValue(), "photo of main_hall, from tab two");
    await saved(two);
    const { sha256 } = dataset.pictures()[0]!;
    const texts = dataset.history(sha256).map(({ after }) => after);
    assert.deepEqual(texts, [
      "photo of main_hall, from tab one",
      "photo of main_hall, from tab two",
    ]);
    await one.getByRole("button", { name: "Put my text back" }).click();
    await saved(one);
    assert.equal(dataset.pictures()[0]!.caption, "photo of main_hall, from tab one");
    browsing.complaints.length = 0; // the answer that was held back
  });
});

test("tabs that write at once: the last one holds, is told of the other text, and can take it", async () => {
  await withServer(1, {}, async ({ dataset, url }) => {
    await using browsing = await Browsing.open(url);
    const page = await browsing.tab();
    const { sha256: image, caption: before } = dataset.pictures()[0]!;
    const held = Promise.withResolvers<void>();
    await page.route("**/api/edits", async (route) => {
      await held.promise;
      await route.continue();
    }, { times: 1 });
    await caption(page).fill("photo of main_hall, mine");
    await page.getByText("Saving …").waitFor();
    await dataset.edit("other-tab", [
      { number: 1, image, field: "caption", before, after: "photo of main_hall, theirs" },
    ]);
    held.resolve();
    await page.getByText("was changed in another tab meanwhile. Your text holds now").waitFor();
    assert.equal(dataset.pictures()[0]!.caption, "photo of main_hall, mine");
    await page.getByRole("button", { name: "Take the other text" }).click();
    await saved(page);
    assert.equal(dataset.pictures()[0]!.caption, "photo of main_hall, theirs");
  });
});

test("a server killed in mid-edit loses nothing: what it did not say it has is sent when it is back", async () => {
  await using rig = new PictureRig();
  await writePhotos(rig, 2);
  const port = freePort();
  let server = await ServerProcess.start(rig.folder, port);
  try {
    await using browsing = await Browsing.open(server.url);
    const page = await browsing.tab();
    await caption(page).fill("");
    await page.keyboard.type("photo of main_hall, typed before");
    await saved(page);
    await page.keyboard.type(", while");
    browsing.isServerExpected = false;
    await server.kill();
    await page.keyboard.type(" and after the server was killed");
    await page.getByText(/Offline – \d changes? kept in this browser, retrying/).waitFor();
    assert.ok(decidedTexts(rig).at(-1)!.startsWith("photo of {trigger}, typed before"));
    server = await ServerProcess.start(rig.folder, port);
    await saved(page);
    const whole = "photo of {trigger}, typed before, while and after the server was killed";
    assert.equal(decidedTexts(rig).at(-1), whole);
    // The same, and the tab is closed before the server is back.
    await server.kill();
    await page.keyboard.type(", then closed");
    await page.getByText(/Offline – \d changes? kept/).waitFor();
    await page.close();
    server = await ServerProcess.start(rig.folder, port);
    const again = await browsing.tab();
    await becomes(
      () => caption(again).inputValue(),
      `${whole.replace("{trigger}", "main_hall")}, then closed`,
    );
    assert.equal(decidedTexts(rig).at(-1), `${whole}, then closed`);
  } finally {
    await server.kill();
  }
});

test("captions appear as they arrive, and asking anew says first what it costs", async () => {
  const model = new Model();
  const gate = Promise.withResolvers<void>();
  model.gate = gate.promise;
  const settings = {
    text: recipeText({ provider: "gemini" }),
    services: new Map([[vision.name, model]]),
    isStarted: false,
  };
  await withServer(3, settings, async ({ dataset, url }) => {
    await using browsing = await Browsing.open(url);
    const asked = model.asked();
    void dataset.start();
    await asked;
    const page = await browsing.tab();
    await page.getByText("Captioning: 0 of 3").waitFor();
    assert.equal(await page.getByRole("option", { name: "waiting" }).count(), 3);
    await page.getByRole("button", { name: "Waiting 3" }).waitFor();
    gate.resolve();
    await page.getByRole("button", { name: "Auto 3" }).waitFor();
    await card(page, "answer 1").or(card(page, "answer 2")).first().waitFor();
    await page.keyboard.press("R");
    const dialog = page.getByRole("dialog", { name: "Caption 3 pictures anew?" });
    await dialog.getByText("3 calls to see-1, about 1,080 tokens, about $0.00060").waitFor();
    assert.equal(model.questions.length, 3);
    await dialog.getByRole("button", { name: "Caption 3 pictures anew" }).click();
    await card(page, "answer 5").waitFor();
  });
});

test("from an empty folder to the zip, by the words on the page alone", async () => {
  await withServer(0, {}, async ({ rig, url }) => {
    await using browsing = await Browsing.open(url);
    const page = await browsing.context.newPage();
    await page.goto(url);
    await page.getByText("Put your photos into this folder:").waitFor();
    await page.getByText(rig.path("photos")).waitFor();
    await writePhotos(rig, 2);
    await page.getByRole("button", { name: "Look again" }).click();
    await card(page, "IMG_001.jpg").click();
    await caption(page).fill("photo of main_hall, a first room");
    await page.getByRole("button", { name: "Approve, next" }).click();
    await becomes(() => openName(page), "IMG_002.jpg");
    await page.getByRole("button", { name: "Preview metadata.txt" }).click();
    await page.getByText("IMG_001.jpg: photo of main_hall, a first room").waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Export zip" }).click();
    await page.getByText("1 of 2: drafts").waitFor();
    await page.getByRole("button", { name: "Export now" }).click();
    await page.getByText("2 images, 2 captions used, 0 would be auto-captioned").waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: /^Download main_hall_training\.zip/ }).click(),
    ]);
    assert.equal(download.suggestedFilename(), "main_hall_training.zip");
    assert.deepEqual(
      Deno.readFileSync(await download.path()),
      Deno.readFileSync(rig.path("out/main_hall_training.zip")),
    );
    await page.getByRole("button", { name: "Close" }).click();
    await caption(page).fill("photo of main_hall, a second room");
    await saved(page);
    await page.getByRole("button", { name: "Export zip" }).click();
    await page.getByRole("button", { name: "Export now" }).click();
    await page.getByText("Replace what is there?").waitFor();
    assert.doesNotMatch(Deno.readTextFileSync(rig.path("out/metadata.txt")), /second/);
    await page.getByRole("button", { name: "Replace it" }).click();
    await page.getByText("is ready").waitFor();
    assert.match(Deno.readTextFileSync(rig.path("out/metadata.txt")), /a second room/);
  });
});

test("a window that is opened again at once stays open", async () => {
  await withServer(1, {}, async ({ url }) => {
    await using browsing = await Browsing.open(url);
    const page = await browsing.tab();
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.evaluate(`(async () => {
      document.querySelector("dialog button").click();
      for (let turn = 0; turn < 100 && document.querySelector("dialog"); turn++) {
        await Promise.resolve();
      }
      // The browser has not told of its end yet.
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "?", bubbles: true }));
    })()`);
    await page.evaluate("new Promise((next) => requestAnimationFrame(() => setTimeout(next)))");
    assert.equal(await page.getByRole("dialog").count(), 1);
  });
});

test("everything that can be used has a name, focus stays in a window and goes back after it", async () => {
  await withServer(2, {}, async ({ url }) => {
    await using browsing = await Browsing.open(url, { width: 820, height: 1180 });
    const page = await browsing.tab();
    const nameless =
      `[...document.querySelectorAll("button, a, input, textarea, [role=option], dialog, section")]
      .filter((each) => !(each.ariaLabel || each.textContent.trim() || each.labels?.length ||
        each.getAttribute("aria-labelledby"))).map((each) => each.outerHTML)`;
    assert.deepEqual(await page.evaluate(nameless), []);
    assert.equal(await page.locator("[aria-live], [role=status]").count() >= 4, true);
    assert.equal(await page.locator('[role="option"][tabindex="0"]').count(), 1);
    assert.equal(await caption(page).isVisible(), false, "a narrow screen shows the grid first");
    await cards(page).nth(1).click();
    await caption(page).waitFor();
    const help = page.getByRole("button", { name: "Help" });
    await help.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Help" });
    await dialog.waitFor();
    for (let presses = 0; presses < 6; presses++) {
      await page.keyboard.press("Tab");
      const where = await page.evaluate(
        "document.activeElement === document.body || !!document.activeElement.closest('dialog')",
      );
      assert.equal(where, true);
    }
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.equal(
      await page.evaluate("document.activeElement.textContent.startsWith('Help')"),
      true,
    );
    await page.getByRole("button", { name: "All pictures" }).click();
    assert.equal(await cards(page).first().isVisible(), true);
  });
});

test("of 500 pictures those in sight are fetched, and the next large ones before they are asked for", async () => {
  await withServer(500, {}, async ({ dataset, url }) => {
    await using browsing = await Browsing.open(url);
    const asked: string[] = [];
    browsing.context.on("request", (request) => asked.push(new URL(request.url()).pathname));
    const page = await browsing.tab();
    const pictures = dataset.pictures();
    const large = (place: number) => `/large/${pictures[place]!.sha256}`;
    await becomes(() => cards(page).count(), 500);
    await becomes(() => Promise.resolve(asked.includes(large(3))), true);
    await page.waitForLoadState("networkidle");
    const thumbnails = asked.filter((path) => path.startsWith("/thumbnail/")).length;
    assert.ok(thumbnails > 10 && thumbnails < 250, `${thumbnails} thumbnails were fetched`);
    asked.length = 0;
    await page.keyboard.press("ArrowRight");
    await becomes(() => openName(page), "IMG_002.jpg");
    await becomes(() => Promise.resolve(asked.includes(large(4))), true);
    assert.ok(!asked.includes(large(1)), "the next picture was there already");
    await page.keyboard.press("g");
    await page.keyboard.press("End");
    await becomes(() => openName(page), "IMG_500.jpg");
    await card(page, "IMG_500.jpg").locator("img").waitFor();
  });
});

test("files that cannot be read are on the page by cause, with what to do, and with their names", async () => {
  await withServer(2, { isStarted: false }, async ({ rig, dataset, url }) => {
    const whole = Deno.readFileSync(rig.path("photos/IMG_001.jpg"));
    rig.write({
      "photos/cut.jpg": whole.subarray(0, whole.length - 600),
      "photos/<b>.jpg": whole.subarray(0, whole.length - 700),
      "photos/none.jpg": "no picture",
    });
    await dataset.start();
    await using browsing = await Browsing.open(url);
    const page = await browsing.tab();
    const banner = page.getByRole("alert");
    assert.deepEqual(await banner.getByRole("heading").allInnerTexts(), [
      "2 pictures left out: the file is cut short (file-truncated at proxies, image.proxy)",
      "1 picture left out: the file is not a picture (not-an-image at photos, ingest.scan)",
    ]);
    await banner.getByText("→ copy the file again from where it came").waitFor();
    await banner.getByText("Which ones").first().click();
    await banner.getByText("<b>.jpg").waitFor();
    for (const name of ["cut.jpg", "<b>.jpg", "none.jpg"]) {
      Deno.removeSync(rig.path(`photos/${name}`));
    }
    await banner.getByRole("button", { name: "Try again" }).click();
    await banner.waitFor({ state: "detached" });
    browsing.complaints.length = 0; // a picture that is cut short has no thumbnail
  });
});
