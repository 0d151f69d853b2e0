import { Catalog } from "../runtime/catalog.ts";
import { discoverBaseline } from "./baseline/discover.ts";
import { recommend } from "./baseline/recommend.ts";
import { normalize } from "./image/normalize.ts";
import { proxy } from "./image/proxy.ts";
import { scan } from "./ingest/scan.ts";
import { inspectContent } from "./inspect/content.ts";
import { inspectMetadata } from "./inspect/metadata.ts";
import { choose } from "./policy/choose.ts";
import { files } from "./publish/files.ts";
import { publishMapping } from "./publish/mapping.ts";
import { reportNormalize } from "./report/normalize.ts";
import { savings } from "./report/savings.ts";

/** Every built-in step, one line each. */
export const catalog = new Catalog([
  scan,
  normalize,
  proxy,
  inspectMetadata,
  inspectContent,
  files,
  publishMapping,
  reportNormalize,
  savings,
  discoverBaseline,
  recommend,
  choose,
]);
