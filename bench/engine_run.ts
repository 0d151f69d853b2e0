import { Session } from "../src/runtime/session.ts";
import { benchCatalog, trivialRecipe } from "./engine_steps.ts";

/** One run of trivial steps, as its own process. Arguments: workspace, items, steps. */
const [workspace, items, steps] = Deno.args as [string, string, string];

const session = new Session({ catalog: benchCatalog, cwd: workspace, workspace });
const text = trivialRecipe(Number(items), Number(steps));
const { graph } = await session.check({ path: "trivial.yaml", text });
const { counts } = await session.run(graph!);
console.log(JSON.stringify(counts));
