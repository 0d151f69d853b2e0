import { afterScan, type Broken } from "./case.ts";

/** Steps that do not exist, and wires that do not fit. */
export const wires: readonly Broken[] = [
  {
    mistake: "a misspelt step",
    recipe: afterScan("  m: { use: «inspect.metdata», from: photos }"),
    told: ['unknown-step | "inspect.metadata"'],
  },
  {
    mistake: "a step in capitals",
    recipe: afterScan("  m: { use: «Inspect.Metadata», from: photos }"),
    told: ['unknown-step | "inspect.metadata"'],
  },
  {
    mistake: "a step without its topic",
    recipe: afterScan("  m: { use: «metadata», from: photos }"),
    told: ['unknown-step | "inspect.metadata"'],
  },
  {
    mistake: "a step with an underscore in place of its dot",
    recipe: afterScan("  m: { use: «inspect_metadata», from: photos }"),
    told: ['unknown-step | "inspect.metadata"'],
  },
  {
    mistake: "a step with a slash in place of its dot",
    recipe: afterScan("  m: { use: «inspect/metadata», from: photos }"),
    told: ['unknown-step | "inspect.metadata"'],
  },
  {
    mistake: "a step with its words turned around",
    recipe: afterScan("  m: { use: «metadata.inspect», from: photos }"),
    told: ['unknown-step | "inspect.metadata"'],
  },
  {
    mistake: "a step like no other",
    recipe: afterScan("  m: { use: «video.cut», from: photos }"),
    told: ["unknown-step | Steps"],
    untold: ["Did you mean"],
  },
  {
    mistake: "another step of a topic",
    recipe: afterScan("  m: { use: «image.watermark», from: photos }"),
    told: ["unknown-step | Steps"],
    untold: ["Did you mean"],
  },
  {
    mistake: "an unknown source",
    recipe: afterScan("  m: { use: inspect.metadata, from: «phtoos» }"),
    told: ['unknown-source | "photos"'],
  },
  {
    mistake: "an unknown source, with no word of the node that was meant being unused",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: «photo» }
`,
    told: ['unknown-source | "photos"'],
  },
  {
    mistake: "an unknown source like no other",
    recipe: afterScan("  m: { use: inspect.metadata, from: «everything» }"),
    told: ["unknown-source | Nodes"],
    untold: ["Did you mean"],
  },
  {
    mistake: "a step's name as a source",
    recipe: afterScan("  m: { use: inspect.metadata, from: «ingest.scan» }"),
    told: ['unknown-source | "photos"'],
  },
  {
    mistake: "a parameter as a source",
    recipe: afterScan("  m: { use: inspect.metadata, from: «$photos» }"),
    told: ['unknown-source | "photos"'],
  },
  {
    mistake: "two sources in one text",
    recipe: afterScan('  s: { use: report.savings, from: «"photos, headers"» }'),
    told: ["bad-from | from: {"],
  },
  {
    mistake: "an output that a source does not have",
    recipe: afterScan("  m: { use: inspect.metadata, from: photos.«image» }"),
    told: ['unknown-output | "images"'],
  },
  {
    mistake: "an output that a source does not have, in quotes",
    recipe: afterScan('  m: { use: inspect.metadata, from: "photos.«pictures»" }'),
    told: ["unknown-output | images"],
  },
  {
    mistake: "a source with a dot and nothing behind it",
    recipe: afterScan("  m: { use: inspect.metadata, from: «photos.» }"),
    told: ["bad-from"],
  },
  {
    mistake: "an unknown input",
    recipe: afterScan("  m: { use: inspect.metadata, from: { «picture»: photos } }"),
    told: ['unknown-input | "image"'],
  },
  {
    mistake: "a misspelt input whose source is unknown too",
    recipe: afterScan("  m: { use: inspect.metadata, from: { «imgae»: «phtos» } }"),
    told: ['unknown-input | "image"', 'unknown-source | "photos"'],
  },
  {
    mistake: "an input of a step that takes none",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, from: «m», with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["unknown-input | takes no input"],
  },
  {
    mistake: "a missing input",
    recipe: afterScan("  m: { use: «inspect.metadata» }"),
    told: ["missing-input | from: photos"],
  },
  {
    mistake: "a missing input, with no word of the node that could feed it being unused",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: «inspect.metadata» }
`,
    told: ["missing-input | from: photos"],
  },
  {
    mistake: "one of two inputs missing",
    recipe: afterScan("  s: { use: report.savings, from: «{ originals: photos }» }"),
    told: ["missing-input | proxies: photos"],
  },
  {
    mistake: "the short form where a step has two inputs",
    recipe: afterScan("  s: { use: report.savings, from: «photos» }"),
    told: ["ambiguous-input | originals: …, proxies: …"],
  },
  {
    mistake: "a node that waits for itself",
    recipe: afterScan("  a: { use: image.proxy, from: «a» }"),
    told: ["cycle | itself"],
  },
  {
    mistake: "two nodes that wait for each other",
    recipe: afterScan(`  a: { use: image.proxy, from: «b» }
  b: { use: image.proxy, from: a }`),
    told: ['cycle | "a" → "b" → "a"'],
  },
  {
    mistake: "a ring of three, with what hangs on it left in peace",
    recipe: afterScan(`  a: { use: image.proxy, from: «c» }
  b: { use: image.proxy, from: a }
  c: { use: image.proxy, from: b }
  files: { use: publish.files, from: c, with: { folder: o } }`),
    told: ['cycle | "a" → "c" → "b" → "a"'],
  },
  {
    mistake: "two rings",
    recipe: afterScan(`  a: { use: image.proxy, from: «b» }
  b: { use: image.proxy, from: a }
  c: { use: image.proxy, from: «d» }
  d: { use: image.proxy, from: c }`),
    told: ["cycle", "cycle"],
  },
  {
    mistake: "a ring whose wires would not fit either",
    recipe: afterScan(`  small: { use: image.proxy, from: «files» }
  files: { use: publish.files, from: small, with: { folder: o } }`),
    told: ["cycle"],
  },
  {
    mistake: "another kind of artifact",
    recipe: afterScan("  small: { use: publish.files, from: «headers», with: { folder: o } }"),
    told: ['kind-mismatch | "photos"'],
  },
  {
    mistake: "another kind of artifact, by its port",
    recipe: afterScan(
      "  s: { use: report.savings, from: { originals: photos, proxies: «headers.metadata» } }",
    ),
    told: ["kind-mismatch | metadata"],
  },
  {
    mistake: "one value for each item where a single one is wanted",
    recipe: afterScan(
      "  t: { use: test.stamp, from: { image: photos, stamp: «names» } }\n" +
        "  names: { use: test.name, from: photos }",
    ),
    told: ["flow-mismatch | a single value"],
  },
  {
    mistake: "a single value where all items' are wanted",
    recipe: afterScan(
      "  t: { use: test.join, from: «once» }\n" +
        "  once: { use: test.first, from: photos }",
    ),
    told: ["flow-mismatch | all items"],
  },
  {
    mistake: "a single value where one for each item is wanted",
    recipe: afterScan(
      "  t: { use: test.shout, from: «once» }\n" +
        "  once: { use: test.first, from: photos }",
    ),
    told: ["flow-mismatch | each item"],
  },
  {
    mistake: "crops mixed with the pictures they were cut from",
    recipe: afterScan(`  crops: { use: test.crops, from: photos }
  s: { use: report.savings, from: { originals: photos, proxies: «crops» } }`),
    told: ["mixed-items | photos"],
  },
  {
    mistake: "two scans mixed",
    recipe: afterScan(`  others: { use: ingest.scan, with: { folder: b } }
  s: { use: report.savings, from: { originals: photos, proxies: «others» } }`),
    told: ["mixed-items | others"],
  },
  {
    mistake: "a node that nothing uses",
    recipe: afterScan("  «small»: { use: image.proxy, from: photos }"),
    told: ["unused-node"],
  },
  {
    mistake: "several outputs that fit",
    recipe: afterScan(
      "  t: { use: test.shout, from: «both» }\n" +
        "  both: { use: test.both, from: photos }",
    ),
    told: ["ambiguous-output | both.left, both.right"],
  },
  {
    mistake: "a wrong step, and nodes after it that are right",
    recipe: afterScan(`  a: { use: «own.nothing», from: photos }
  b: { use: image.proxy, from: a }
  files: { use: publish.files, from: b.image, with: { folder: o } }`),
    told: ["unknown-step"],
  },
  {
    mistake: "a parameter that names a step",
    recipe: afterScan("  m: { use: «$s», from: photos }", "  s: { type: string, default: x }"),
    told: ["unknown-step | cannot name a step"],
  },
  {
    mistake: "an empty map of inputs",
    recipe: afterScan("  m: { use: inspect.metadata, from: «{}» }"),
    told: ["missing-input | image: photos"],
  },
  {
    mistake: "a letter of another alphabet",
    recipe: afterScan("  m: { use: «inspеct.metadata», from: photos }"),
    told: ['unknown-step | "inspect.metadata"'],
  },
  {
    mistake: "a node that waits for itself, and another that nothing else uses",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  a: { use: image.proxy, from: «a».image }
`,
    told: ["cycle"],
  },
];
