import assert from "node:assert/strict";
import { isStep } from "../../src/runtime/step.ts";
import { version } from "../../src/runtime/version.ts";
import { steps } from "../../src/mod.ts";
import { catalog } from "../../src/steps/mod.ts";
import { stepFiles, type StepVersion, stepVersions, versionsFile } from "./step_versions.ts";

Deno.test("every step file is in the catalogue, and offered to TypeScript", () => {
  assert.deepEqual([...stepFiles().keys()].sort(), catalog.names());
  const offered = Object.values(steps).map((step) => step.name).sort();
  assert.deepEqual(offered, catalog.names());
  assert.ok(Object.values(steps).every(isStep));
});

Deno.test("a step lies in the file that its name says", () => {
  for (const [name, path] of stepFiles()) {
    assert.equal(path, `src/steps/${name.replace(".", "/")}.ts`);
  }
});

Deno.test("a step whose code changed has been decided about", async () => {
  const known = JSON.parse(Deno.readTextFileSync(versionsFile)) as Record<string, StepVersion>;
  const now = await stepVersions();
  const undecided = Object.keys(now).filter((name) =>
    known[name]?.code !== now[name]!.code || known[name]?.version !== now[name]!.version
  );
  assert.deepEqual(
    undecided,
    [],
    "The code behind these steps changed. Where results can change, raise the step's version; " +
      'then write down that you decided: "deno task accept-steps"',
  );
});

Deno.test("every port, parameter and step is documented", async () => {
  const missing = (await catalog.load()).steps().flatMap((step) => [
    ...step.doc === "" ? [step.name] : [],
    ...[...Object.entries(step.inputs), ...Object.entries(step.outputs)]
      .filter(([, port]) => (port as { doc: string }).doc === "").map(([name]) =>
        `${step.name} ${name}`
      ),
  ]);
  assert.deepEqual(missing, []);
});

Deno.test("the version is the one in deno.json", () => {
  const config = JSON.parse(Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)));
  assert.equal(config.version, version);
});
