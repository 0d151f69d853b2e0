import { Catalog } from "../runtime/catalog.ts";
import { discoverBaseline } from "./baseline/discover.ts";
import { recommend } from "./baseline/recommend.ts";
import { compose } from "./caption/compose.ts";
import { generate } from "./caption/generate.ts";
import { check } from "./dataset/check.ts";
import { dedupeAct } from "./dedupe/act.ts";
import { groupDuplicates } from "./dedupe/group.ts";
import { dedupePreviews } from "./dedupe/previews.ts";
import { dedupeSelect } from "./dedupe/select.ts";
import { reportDedupe } from "./report/dedupe.ts";
import { readDecisions } from "./decisions/read.ts";
import { exportLora } from "./export/lora.ts";
import { cropSubject } from "./image/crop_subject.ts";
import { normalize } from "./image/normalize.ts";
import { proxy } from "./image/proxy.ts";
import { scan } from "./ingest/scan.ts";
import { inspectContent } from "./inspect/content.ts";
import { inspectEmbedding } from "./inspect/embedding.ts";
import { inspectFingerprint } from "./inspect/fingerprint.ts";
import { inspectLabels } from "./inspect/labels.ts";
import { inspectObjects } from "./inspect/objects.ts";
import { inspectQuality } from "./inspect/quality.ts";
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
  cropSubject,
  inspectEmbedding,
  inspectFingerprint,
  inspectLabels,
  inspectObjects,
  inspectQuality,
  check,
  generate,
  compose,
  readDecisions,
  exportLora,
  groupDuplicates,
  dedupeSelect,
  dedupePreviews,
  dedupeAct,
  reportDedupe,
]);
