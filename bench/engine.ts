import { join } from "node:path";
import { Session } from "../src/runtime/session.ts";
import { benchCatalog, trivialRecipe } from "./engine_steps.ts";

const items = Number(Deno.args[0] ?? 20_000);
const steps = Number(Deno.args[1] ?? 3);

const folder = await Deno.makeTempDir({ prefix: "tintype-bench-" });
try {
  const session = new Session({
    catalog: benchCatalog,
    cwd: folder,
    workspace: join(folder, ".tintype"),
  });
  const { graph } = await session.check({ path: "bench.yaml", text: trivialRecipe(items, steps) });
  for (const label of ["cold", "no-op"]) {
    const started = performance.now();
    const { counts } = await session.run(graph!, { listener: (e) => Deno.env.get("V") && console.log(JSON.stringify(e)) });
    const elapsedMs = performance.now() - started;
    const perTask = elapsedMs / (items * steps);
    console.log(
      `${label}: ${items} items × ${steps} steps in ${(elapsedMs / 1000).toFixed(2)} s, ${
        perTask.toFixed(4)
      } ms a task, ${counts.ran} ran, ${counts.cached} cached, rss ${
        (Deno.memoryUsage().rss / 1e6).toFixed(0)
      } MB`,
    );
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
