import assert from "node:assert/strict";
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { fromFileUrl } from "../../src/runtime/file_url.ts";
import { formatDiagnostic, inReadingOrder } from "../../src/runtime/diagnostic.ts";
import { Session } from "../../src/runtime/session.ts";
import { testCatalog } from "./steps.ts";

/**
 * Each folder below `tests/recipes/` is a test: `recipe.yaml`, settings in `set.json`, step files, and
 * in `expected.txt` all that the check says of it. A step file that does not parse is kept as
 * `name.ts.txt`, so that Deno's own tools pass over it. TINTYPE_UPDATE_GOLDEN=1 writes what the check
 * says now; read the difference before you keep it.
 */
const goldenFolder = fromFileUrl(new URL("../recipes/", import.meta.url));
const isUpdate = Deno.env.get("TINTYPE_UPDATE_GOLDEN") === "1";

for (const { name } of [...Deno.readDirSync(goldenFolder)].toSorted(byName)) {
  Deno.test(`recipes/${name} is told what expected.txt says`, async () => {
    const folder = join(goldenFolder, name);
    const unparsed = [...Deno.readDirSync(folder)].map((entry) => entry.name)
      .filter((name) => name.endsWith(".ts.txt"));
    const said = unparsed.length === 0
      ? await diagnosticsOf(folder)
      : await withTemporaryCopy(folder, unparsed);
    const expectedPath = join(folder, "expected.txt");
    if (isUpdate) Deno.writeTextFileSync(expectedPath, said);
    assert.ok(existsSync(expectedPath), `Cannot test recipes/${name}: it has no expected.txt`);
    assert.equal(said, Deno.readTextFileSync(expectedPath));
  });
}

async function diagnosticsOf(folder: string): Promise<string> {
  const setPath = join(folder, "set.json");
  const settings = existsSync(setPath) ? JSON.parse(Deno.readTextFileSync(setPath)) : {};
  const workspace = join(folder, ".tintype");
  const session = new Session({ catalog: testCatalog, cwd: folder, workspace });
  const { diagnostics, graph } = await session.checkFile("recipe.yaml", { settings });
  const hasError = diagnostics.some(({ severity }) => severity === "error");
  assert.ok(!hasError || graph === undefined);
  return inReadingOrder(diagnostics).map((each) => `${formatDiagnostic(each)}\n`).join("\n");
}

async function withTemporaryCopy(folder: string, unparsed: readonly string[]): Promise<string> {
  const copy = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "tintype-golden-" }));
  try {
    copyFileSync(join(folder, "recipe.yaml"), join(copy, "recipe.yaml"));
    for (const name of unparsed) {
      copyFileSync(join(folder, name), join(copy, name.slice(0, -".txt".length)));
    }
    return await diagnosticsOf(copy);
  } finally {
    Deno.removeSync(copy, { recursive: true });
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
