import { Catalog } from "../runtime/catalog.ts";
import { proxy } from "./image/proxy.ts";
import { scan } from "./ingest/scan.ts";
import { inspectMetadata } from "./inspect/metadata.ts";
import { files } from "./publish/files.ts";
import { savings } from "./report/savings.ts";

/** Every built-in step, one line each. */
export const catalog = new Catalog([
  scan,
  proxy,
  inspectMetadata,
  files,
  savings,
]);
