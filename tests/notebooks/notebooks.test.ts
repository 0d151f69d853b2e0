import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { parse } from "yaml";
import { openSession } from "../../src/mod.ts";
import { policyShape } from "../../src/baseline/policy.ts";
import { graphOf, measures, measureWords, newestRun } from "../../src/notebook.ts";
import { fromFileUrl } from "../../src/runtime/file_url.ts";
import { makeSample } from "../../src/sample/mod.ts";

const folder = fromFileUrl(new URL("../../notebooks/", import.meta.url));
const normalizeRecipe = fromFileUrl(new URL("../../pipelines/normalize.yaml", import.meta.url));
const names = ["baseline_discovery", "runs_and_cache"] as const;

const hasJupyter = await succeeds("jupyter", ["nbconvert", "--version"]);
const suffix = hasJupyter ? "" : " (skipped: jupyter nbconvert is not installed)";

interface Output {
  readonly output_type: string;
  readonly name?: string;
  readonly text?: string | readonly string[];
  readonly data?: Readonly<Record<string, unknown>>;
}

interface Cell {
  readonly cell_type: "code" | "markdown";
  readonly source: string | readonly string[];
  readonly execution_count?: number | null;
  readonly outputs?: readonly Output[];
}

interface Notebook {
  readonly cells: readonly Cell[];
  readonly metadata: { readonly kernelspec: { readonly name: string } };
}

for (const name of names) {
  Deno.test(`${name}.ipynb is committed without outputs, counts and places of a machine`, () => {
    const text = Deno.readTextFileSync(join(folder, `${name}.ipynb`));
    const { cells, metadata } = JSON.parse(text) as Notebook;
    assert.equal(metadata.kernelspec.name, "deno");
    for (const { cell_type, outputs, execution_count } of cells) {
      if (cell_type !== "code") continue;
      assert.deepEqual(outputs, []);
      assert.equal(execution_count, null);
    }
    assert.doesNotMatch(text, /\/(home|Users|work|tmp|root)\/|[A-Z]:\\\\/);
  });

  Deno.test(`every code cell of ${name}.ipynb comes after words, and is short`, () => {
    const { cells } = JSON.parse(Deno.readTextFileSync(join(folder, `${name}.ipynb`))) as Notebook;
    assert.equal(cells[0]?.cell_type, "markdown");
    for (const cell of cells.filter((each) => each.cell_type === "code")) {
      const lines = joined(cell.source).split("\n").length;
      assert.ok(lines <= 30, `${lines} lines: ${joined(cell.source)}`);
    }
  });
}

Deno.test({
  name: "both notebooks run headless after one run, with charts visible in the HTML" + suffix,
  ignore: !hasJupyter,
  async fn(context) {
    await using rig = await NotebookRig.open();
    await makeSample(rig.path("photos"));
    await rig.normalize();

    await context.step("baseline_discovery shows the set and writes the policy", async () => {
      const cells = await rig.execute("baseline_discovery");
      assertWhole(cells);
      await assertCharts(cells, await rig.html("baseline_discovery"));
      assertBaseline(cells);
      const policy = policyShape.parse(parse(Deno.readTextFileSync(rig.path("policy.yaml"))));
      assert.deepEqual(policy, await rig.advisedPolicy());
      assert.match(textOf(cells), /deno task tintype run normalize --workspace/);
    });

    await context.step("the recipe takes the policy that the notebook wrote", async () => {
      const file = rig.path("policy.yaml");
      const edited = Deno.readTextFileSync(file).replace(
        /^long_side_px: .*$/m,
        "long_side_px: 640",
      );
      Deno.writeTextFileSync(file, edited);
      assert.equal((await rig.normalize()).status, "complete");
      const [row] = await rig.query(
        "SELECT max(greatest(image_width, image_height)) AS longest FROM normalized",
      );
      assert.equal(row?.longest, 640);
    });

    await context.step("runs_and_cache compares the two runs", async () => {
      const cells = await rig.execute("runs_and_cache");
      assertWhole(cells);
      await assertCharts(cells, await rig.html("runs_and_cache"));
      const text = textOf(cells);
      assert.match(text, /Two runs are there already/);
      assert.match(text, /nothing changed/);
      assert.doesNotMatch(text, /NaN|Infinity/);
    });

    await context.step(
      "where all was cached, runs_and_cache still tells a picture's story",
      async () => {
        await rig.normalize();
        await rig.normalize();
        const cells = await rig.execute("runs_and_cache");
        assertWhole(cells);
        const text = textOf(cells);
        assert.match(text, /IMG_0101\.JPG +photos +cached/);
        assert.match(text, /IMG_0101\.JPG +normalized +cached/);
        const svgs = cells.flatMap(({ outputs = [] }) => outputs).map(({ data }) =>
          joined(data?.["image/svg+xml"] as string | readonly string[] | undefined ?? "")
        );
        assert.equal(svgs.filter((svg) => svg.includes("There is nothing to draw")).length, 1);
      },
    );
  },
});

Deno.test({
  name: "each notebook makes the runs that it needs of pictures that are there" + suffix,
  ignore: !hasJupyter,
  async fn(context) {
    await using rig = await NotebookRig.open();

    await context.step("runs_and_cache runs twice, and knows why tasks ran", async () => {
      const cells = await rig.execute("runs_and_cache");
      assertWhole(cells);
      await assertCharts(cells, await rig.html("runs_and_cache"));
      const text = textOf(cells);
      assert.match(text, /param quality: 85 → 60/);
      assert.match(text, /proxy: complete in \d+\.\d s, 1 picture left out; \d+ tasks? ran/);
      assert.match(text, /quality\s+85\s+60/);
    });

    await context.step("baseline_discovery runs normalize where only proxy ran", async () => {
      const cells = await rig.execute("baseline_discovery");
      assertWhole(cells);
      assertBaseline(cells);
      assert.match(
        textOf(cells),
        /normalize: complete in \d+\.\d s, 1 picture left out; \d+ tasks ran/,
      );
    });
  },
});

Deno.test({
  name: "without a run, a notebook says which command makes one, and shows no stack" + suffix,
  ignore: !hasJupyter,
  async fn() {
    await using rig = await NotebookRig.open();
    for (const name of ["baseline_discovery", "dedupe_calibration"]) {
      await assert.rejects(rig.execute(name), ({ message }: Error) => {
        assert.match(
          message,
          /Cannot find a run: [\s\S]*deno task tintype run normalize --set source=FOLDER/,
        );
        assert.doesNotMatch(message, /runs\.ts/);
        return true;
      });
    }
  },
});

/** A workspace of its own, and Jupyter with the Deno kernel in a folder of its own. */
class NotebookRig implements AsyncDisposable {
  static async open(): Promise<NotebookRig> {
    const place = Deno.realPathSync(await Deno.makeTempDir({ prefix: "tintype-notebooks-" }));
    const rig = new NotebookRig(place, await denoFolder());
    // The kernel's installer takes its place from the system's variables, never from Jupyter's.
    await rig.#command(Deno.execPath(), ["jupyter", "--install"], { HOME: rig.path("jupyter") });
    return rig;
  }

  private constructor(readonly place: string, readonly denoFolder: string) {}

  path(...parts: readonly string[]): string {
    return join(this.place, ...parts);
  }

  get session() {
    return openSession({ workspace: this.path(".tintype"), cwd: this.place });
  }

  async normalize() {
    const settings = { source: "photos", out: "out" };
    const graph = graphOf(await this.session.checkFile(normalizeRecipe, { settings }));
    return await this.session.run(graph);
  }

  async query(sql: string) {
    const { run } = newestRun("normalize", [this.path(".tintype")]);
    const catalog = await this.session.openCatalog({ run });
    try {
      return (await catalog.query(sql)).rows;
    } finally {
      catalog.close();
    }
  }

  async advisedPolicy() {
    const [row] = await this.query("SELECT rules FROM advised");
    return policyShape.parse(JSON.parse(String(row?.rules)));
  }

  /** Runs a notebook as it is committed; throws what it printed when a cell fails. */
  async execute(name: string): Promise<readonly Cell[]> {
    await this.#nbconvert(["--to", "notebook", "--execute", join(folder, `${name}.ipynb`)]);
    return (JSON.parse(Deno.readTextFileSync(this.path(`${name}.ipynb`))) as Notebook).cells;
  }

  async html(name: string): Promise<string> {
    await this.#nbconvert(["--to", "html", this.path(`${name}.ipynb`)]);
    return Deno.readTextFileSync(this.path(`${name}.html`));
  }

  async #nbconvert(args: readonly string[]): Promise<void> {
    await this.#command("jupyter", ["nbconvert", "--output-dir", this.place, ...args], {
      TINTYPE_WORKSPACE: this.path(".tintype"),
      TINTYPE_NOTEBOOK_SOURCE: "",
      TINTYPE_NOTEBOOK_POLICY: "",
    });
  }

  async #command(program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    const { success, stderr } = await new Deno.Command(program, {
      args: [...args],
      env: {
        DENO_DIR: this.denoFolder,
        NO_COLOR: "1",
        XDG_DATA_HOME: this.path("jupyter"),
        JUPYTER_PATH: [this.path("jupyter", "jupyter"), this.path("jupyter", "Library", "Jupyter")]
          .join(Deno.build.os === "windows" ? ";" : ":"),
        JUPYTER_DATA_DIR: this.path("jupyter", "jupyter"),
        JUPYTER_CONFIG_DIR: this.path("jupyter", "config"),
        JUPYTER_RUNTIME_DIR: this.path("jupyter", "runtime"),
        IPYTHONDIR: this.path("jupyter", "ipython"),
        ...env,
      },
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.place, { recursive: true });
  }
}

/** Where this Deno keeps packages, so that the kernel, with another home, fetches nothing. */
async function denoFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return (JSON.parse(new TextDecoder().decode(stdout)) as { denoDir: string }).denoDir;
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: [...args] }).output()).success;
  } catch {
    return false;
  }
}

/** Calls whose value is what a cell shows. */
const showing = /^(table|chart|thumbnails)\(/m;

/** Every cell ran without error or warning, and none lost what it shows. */
function assertWhole(cells: readonly Cell[]): void {
  for (const { cell_type, source, outputs = [], execution_count } of cells) {
    if (cell_type !== "code") continue;
    const code = joined(source);
    assert.equal(typeof execution_count, "number", `did not run: ${code}`);
    assert.ok(!outputs.some(({ output_type }) => output_type === "error"), code);
    assert.ok(!outputs.some(({ name }) => name === "stderr"), `${code}\n${outputText(outputs)}`);
    if (!showing.test(code)) continue;
    assert.ok(outputs.some(({ data }) => data !== undefined), `shows nothing: ${code}`);
  }
}

/** Each chart is live, an SVG, and an image in the page that is not blank. */
async function assertCharts(cells: readonly Cell[], page: string): Promise<void> {
  const charted = cells.filter(({ cell_type, source }) =>
    cell_type === "code" && /^chart\(/m.test(joined(source))
  );
  assert.ok(charted.length >= 3);
  for (const { outputs = [] } of charted) {
    const bundle = outputs.find(({ data }) => data?.["image/svg+xml"] !== undefined)?.data;
    assert.ok(bundle?.["application/vnd.vegalite.v5+json"]);
  }
  const images = [...page.matchAll(/<img alt="[^"]*" src="data:image\/svg\+xml;base64,([^"]+)"/g)];
  assert.equal(images.length, charted.length);
  for (const [, base64] of images) {
    const { channels } = await sharp(Uint8Array.fromBase64(base64!)).stats();
    assert.ok(channels.some(({ stdev }) => stdev > 5), "a chart is blank");
  }
}

function assertBaseline(cells: readonly Cell[]): void {
  const text = textOf(cells);
  for (const found of ["IMG_0101.JPG", "JPEG ends after", "recommended", "light", "small"]) {
    assert.ok(text.includes(found), found);
  }
  assert.doesNotMatch(text, /NaN|Infinity/);
  assert.match(text, /modified z-score over 3\.5/);
  assert.match(text, /k-means/);
  assertDistributions(cells);
  assert.match(text, /explore: complete in \d+\.\d s; \d+ tasks ran, \d+ cached/);
  const pictures = cells.flatMap(({ outputs = [] }) => outputs)
    .map(({ data }) => joined(data?.["text/html"] as string | undefined ?? ""))
    .flatMap((html) => html.match(/<img [^>]*src="data:image\/(jpeg|webp)/g) ?? []);
  assert.ok(pictures.length > 0, "no outlier has a thumbnail");
}

/** The wall of distributions has every measure of the set with its quantiles. */
function assertDistributions(cells: readonly Cell[]): void {
  const svgs = cells.flatMap(({ outputs = [] }) => outputs)
    .map(({ data }) =>
      joined(data?.["image/svg+xml"] as string | readonly string[] | undefined ?? "")
    );
  const wall = svgs.find((svg) => svg.includes(">Colourfulness<")) ?? "";
  for (const measure of measures) {
    assert.ok(wall.includes(`>${measureWords[measure].title}<`), measure);
  }
  // Where quantiles are the same, their labels are one text.
  assert.equal([...wall.matchAll(/>[^<]*\bmedian\b[^<]*</g)].length, measures.length);
  assert.ok(svgs.some((svg) => svg.includes("Resolution and file size")), "no cluster view");
}

function textOf(cells: readonly Cell[]): string {
  return cells.map(({ outputs = [] }) => outputText(outputs)).join("\n");
}

function outputText(outputs: readonly Output[]): string {
  return outputs.map(({ text, data }) =>
    joined(text ?? data?.["text/plain"] as string | readonly string[] | undefined ?? "")
  ).join("\n");
}

function joined(source: string | readonly string[]): string {
  return typeof source === "string" ? source : source.join("");
}
