// A review server in a process of its own, for tests that kill it: `serve.ts FOLDER PORT`.
import { join } from "node:path";
import { localDisk } from "../../src/runtime/local_disk.ts";
import { pageFiles } from "../../src/web/bundle.ts";
import { serveReview } from "../../src/web/server.ts";
import { openDataset } from "./rig.ts";

const [folder, port] = Deno.args as [string, string];
const dataset = await openDataset(folder);
const { url } = serveReview({
  dataset,
  page: () => pageFiles({ folder: join(folder, ".tintype", "review"), disk: localDisk }),
  port: Number(port),
});
console.log(url);
void dataset.start();
