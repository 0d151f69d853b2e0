import { afterScan, type Broken, shrunk } from "./case.ts";

/** Recipes of the wrong shape: keys, names, and values of the wrong YAML type. */
export const shape: readonly Broken[] = [
  { mistake: "an empty file", recipe: "«»", told: ["empty-recipe"] },
  { mistake: "only comments", recipe: "«#» a recipe\n# to be\n", told: ["empty-recipe"] },
  { mistake: "only white space", recipe: "« »\n\n", told: ["empty-recipe"] },
  {
    mistake: "a list at the top",
    recipe: "«- use: ingest.scan»\n- use: image.proxy\n".replace(
      "n»\n- use: image.proxy",
      "n\n- use: image.proxy»",
    ),
    told: ["bad-recipe | a list"],
  },
  { mistake: "a text at the top", recipe: "«proxy»\n", told: ['bad-recipe | text "proxy"'] },
  {
    mistake: "an unknown top key",
    recipe: `${afterScan("")}«owner»: me\n`,
    told: ["unknown-key | owner"],
    untold: ["Did you mean"],
  },
  {
    mistake: "a misspelt top key, with nothing said of what follows from it",
    recipe: `recipe: r
«stpes»:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ['unknown-key | "steps"'],
  },
  {
    mistake: "misspelt params, with nothing said of their uses",
    recipe: `recipe: r
«parms»:
  source: { type: folder, default: a }
steps:
  photos: { use: ingest.scan, with: { folder: $source } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ['unknown-key | "params"'],
  },
  {
    mistake: "the recipe's name under another key",
    recipe: afterScan("").replace("recipe:", "«name»:"),
    told: ['unknown-key | "recipe"'],
  },
  {
    mistake: "the nodes under another key",
    recipe: afterScan("").replace("steps:", "«nodes»:"),
    told: ['unknown-key | "steps"'],
  },
  {
    mistake: "no recipe name",
    recipe: "«s»teps:\n  photos: { use: ingest.scan, with: { folder: a } }\n" +
      "  m: { use: inspect.metadata, from: photos }\n",
    told: ["missing-key | recipe: name"],
  },
  { mistake: "no steps", recipe: "«r»ecipe: r\n", told: ["missing-key | steps"] },
  { mistake: "empty steps", recipe: "recipe: r\n«steps»:\n", told: ["no-steps"] },
  { mistake: "an empty map of steps", recipe: "recipe: r\n«steps»: {}\n", told: ["no-steps"] },
  {
    mistake: "steps as a list",
    recipe: `recipe: r
params: { source: { type: folder, default: a } }
steps:
  «- photos: { use: ingest.scan, with: { folder: $source } }
  - m: { use: inspect.metadata, from: photos }»
`,
    told: ["bad-value | dashes"],
  },
  {
    mistake: "params as a list",
    recipe: `recipe: r
params:
  «- source»
steps:
  photos: { use: ingest.scan, with: { folder: $source } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["bad-value"],
  },
  {
    mistake: "a recipe's name with spaces",
    recipe: afterScan("").replace("recipe: r", "recipe: «My Recipe»"),
    told: ['bad-name | "my_recipe"'],
  },
  {
    mistake: "a recipe's name that is a number",
    recipe: afterScan("").replace("recipe: r", "recipe: «2024»"),
    told: ["bad-name | 2024"],
  },
  {
    mistake: "a duplicate top key",
    recipe: `recipe: r\nabout: a\n«about»: b\n${afterScan("").slice("recipe: r\n".length)}`,
    told: ["duplicate-key | about"],
  },
  {
    mistake: "a duplicate node, with its parameters counted as used",
    recipe: `recipe: r
params:
  quality: { type: integer, default: 80 }
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  small: { use: image.proxy, from: photos }
  «small»: { use: image.proxy, from: photos, with: { quality: $quality } }
  files: { use: publish.files, from: small, with: { folder: o } }
`,
    told: ["duplicate-key | small"],
  },
  {
    mistake: "a duplicate key in a node",
    recipe: afterScan("  m: { use: inspect.metadata, from: photos, «from»: headers }"),
    told: ["duplicate-key | from"],
  },
  {
    mistake: "a duplicate parameter value, twice",
    recipe: shrunk("{ quality: 80, «quality»: 85, «quality»: 90 }"),
    told: ["duplicate-key | quality", "duplicate-key | quality"],
  },
  {
    mistake: "a duplicate parameter declaration",
    recipe: shrunk(
      "{ quality: $q }",
      "  q: { type: integer, default: 80 }\n  «q»: { type: integer, default: 85 }",
    ),
    told: ["duplicate-key | q"],
  },
  {
    mistake: "a misspelt key of a node, with nothing said of what follows from it",
    recipe: afterScan("  m: { use: inspect.metadata, «form»: photos }"),
    told: ['unknown-key | "from"'],
  },
  {
    mistake: "a misspelt `with`, with its values still checked",
    recipe: shrunk("{}").replace("with: {} }", "«whit»: { quality: «101» } }"),
    told: ['unknown-key | "with"', "out-of-range"],
  },
  {
    mistake: "`uses` in place of `use`",
    recipe: afterScan("  m: { «uses»: inspect.metadata, from: photos }"),
    told: ['unknown-key | "use"'],
  },
  {
    mistake: "`step` in place of `use`",
    recipe: afterScan("  m: { «step»: inspect.metadata, from: photos }"),
    told: ['unknown-key | "use"'],
  },
  {
    mistake: "`needs` in place of `from`",
    recipe: afterScan("  m: { use: inspect.metadata, «needs»: photos }"),
    told: ['unknown-key | "from"'],
  },
  {
    mistake: "a key in capitals",
    recipe: afterScan("  m: { «Use»: inspect.metadata, from: photos }"),
    told: ['unknown-key | "use"'],
  },
  {
    mistake: "a step's parameter beside `use`",
    recipe: afterScan(`  small: { use: image.proxy, from: photos, «quality»: 80 }
  files: { use: publish.files, from: small, with: { folder: o } }`),
    told: ["unknown-key | with: { quality: … }"],
  },
  {
    mistake: "a step's required parameter beside `use`",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, «folder»: a }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["unknown-key | with: { folder: … }"],
  },
  {
    mistake: "an input beside `use`",
    recipe: afterScan("  m: { use: inspect.metadata, «image»: photos }"),
    told: ["unknown-key | from: { image: … }"],
  },
  {
    mistake: "an input under `with`",
    recipe: afterScan("  m: { use: inspect.metadata, with: { «image»: photos } }"),
    told: ["unknown-param | from: { image: … }"],
  },
  {
    mistake: "a node without `use`",
    recipe: afterScan("  «m»: { from: photos }"),
    told: ["missing-step"],
  },
  {
    mistake: "an empty node",
    recipe: afterScan("  «m»:"),
    told: ["bad-node | nothing"],
  },
  {
    mistake: "a node that is only a step's name",
    recipe: afterScan("  m: «inspect.metadata»"),
    told: ["bad-node | { use: inspect.metadata"],
  },
  {
    mistake: "a node that is a list, with its parameter counted as used",
    recipe: shrunk(
      "{ quality: $q }",
      "  q: { type: integer, default: 3 }\n  p: { type: string, default: x }",
    )
      .replace("  files:", "  m: «[inspect.metadata, $p]»\n  files:"),
    told: ["bad-node | a list"],
  },
  {
    mistake: "`use` as a list",
    recipe: afterScan("  m: { use: «[inspect.metadata]», from: photos }"),
    told: ["bad-value"],
  },
  {
    mistake: "`use` as a number",
    recipe: afterScan("  m: { use: «3», from: photos }"),
    told: ["bad-value | 3"],
  },
  {
    mistake: "`use` without a value",
    recipe: afterScan("  m:\n    «use»:\n    from: photos"),
    told: ["bad-value | nothing"],
  },
  {
    mistake: "`from` as a list",
    recipe: afterScan("  m: { use: inspect.metadata, from: «[photos]» }"),
    told: ["bad-from | from: photos"],
  },
  {
    mistake: "`from` without a value",
    recipe: afterScan("  m:\n    use: inspect.metadata\n    «from»:"),
    told: ["bad-from | nothing"],
  },
  {
    mistake: "`from` as a number",
    recipe: afterScan("  m: { use: inspect.metadata, from: «1» }"),
    told: ["bad-from | 1"],
  },
  {
    mistake: "a list under an input",
    recipe: afterScan(
      "  s: { use: report.savings, from: { originals: photos, proxies: «[photos]» } }",
    ),
    told: ["bad-from | a list"],
  },
  {
    mistake: "`with` as a list",
    recipe: shrunk("«[quality, 80]»"),
    told: ["bad-value | a list"],
  },
  {
    mistake: "`with` as a number",
    recipe: shrunk("«80»"),
    told: ["bad-value | 80"],
  },
  {
    mistake: "`with` as a text, its required parameter not asked for as well",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: «./photos» }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["bad-value | ./photos"],
  },
  {
    mistake: "a node's name with capitals and a dash",
    recipe: afterScan("  «My-Photos»: { use: inspect.metadata, from: photos }"),
    told: ['bad-name | "my_photos"'],
  },
  {
    mistake: "a node's name that is a number",
    recipe: afterScan("  «007»: { use: inspect.metadata, from: photos }"),
    told: ["bad-name | 007"],
  },
  {
    mistake: "a node named like a view",
    recipe: afterScan("  «items»: { use: inspect.metadata, from: photos }"),
    told: ["reserved-id"],
  },
  {
    mistake: "names of Object's prototype as keys",
    recipe: `recipe: r
«__proto__»: 1
«constructor»: 2
steps:
  photos: { use: ingest.scan, with: { folder: a, «__proto__»: 1, «constructor»: 2 } }
  m: { use: inspect.metadata, from: photos, «toString»: x, «hasOwnProperty»: y }
`,
    told: [
      "unknown-key | __proto__",
      "unknown-key | constructor",
      "unknown-param | __proto__",
      "unknown-param | constructor",
      "unknown-key | toString",
      "unknown-key | hasOwnProperty",
    ],
    untold: ["Did you mean"],
  },
  {
    mistake: "names of Object's prototype as names of steps and nodes",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: $«constructor» } }
  m: { use: inspect.metadata, from: «__proto__» }
  n: { use: «constructor», from: photos }
  o: { use: inspect.metadata, from: photos.«toString» }
`.replace("$«constructor»", "«$constructor»"),
    told: ["unknown-name", "unknown-source", "unknown-step", "unknown-output"],
  },
  {
    mistake: "a byte order mark, and a mistake in the first line",
    recipe: "\ufeff«recpie»: r\nsteps:\n  photos: { use: ingest.scan, with: { folder: a } }\n" +
      "  m: { use: inspect.metadata, from: photos }\n",
    told: ['unknown-key | "recipe"'],
  },
  {
    mistake: "CRLF line ends",
    recipe: "recipe: r\r\nsteps:\r\n  photos: { use: ingest.scan, with: { folder: a } }\r\n" +
      "  m:\r\n    use: «inspect.metdata»\r\n    from: photos\r\n",
    told: ['unknown-step | "inspect.metadata"'],
  },
  {
    mistake: "other scripts and emoji before the mistake",
    recipe: `recipe: r
about: 写真 📷 é
steps:
  photos: { use: ingest.scan, with: { folder: "写真/📷 été", «hiden»: true } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ['unknown-param | "hidden"'],
  },
  {
    mistake: "a very long line",
    recipe: shrunk(`{ ${" ".repeat(3000)}«qualty»: 80 }`),
    told: ['unknown-param | "quality"'],
  },
  {
    mistake: "several mistakes at once, none swallowed, none doubled",
    recipe: `recipe: «Big One»
params:
  source: { type: «foldr», default: ./photos }
  side: { type: integer, default: «4», minimum: 16 }
steps:
  photos: { use: ingest.scan, with: { folder: $source, «hiden»: true } }
  small: { use: «image.proxi», from: «photo», with: { short_side_px: $side, quality: «101» } }
  files: { use: publish.files, from: small, with: { «foldr»: ./out } }
  savings: { use: report.savings, from: { «original»: photos, proxies: «smal» } }
`,
    told: [
      "bad-name",
      'unknown-type | "folder"',
      "bad-default",
      'unknown-param | "hidden"',
      'unknown-step | "image.proxy"',
      'unknown-source | "photos"',
      "out-of-range | 1 to 100",
      'unknown-param | "folder"',
      'unknown-input | "originals"',
      'unknown-source | "small"',
    ],
  },
  {
    mistake: "the last node is not indented",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
«m»: { use: inspect.metadata, from: photos }
`,
    told: ["unknown-key | steps"],
  },
  {
    mistake: "no node is indented",
    recipe: `recipe: r
steps:
«photos»:
  use: ingest.scan
  with: { folder: a }
«m»:
  use: inspect.metadata
  from: photos
`,
    told: ["unknown-key | steps", "unknown-key | steps"],
  },
  {
    mistake: "a parameter is not indented",
    recipe: `recipe: r
params:
«source»: { type: folder, default: a }
steps:
  photos: { use: ingest.scan, with: { folder: $source } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["unknown-key | params"],
  },
  {
    mistake: "a node stands inside the one before",
    recipe: `recipe: r
steps:
  photos:
    use: ingest.scan
    with: { folder: a }
    «m»:
      use: inspect.metadata
      from: photos
`,
    told: ["unknown-key | column"],
  },
  {
    mistake: "a node's key stands beside it",
    recipe: `recipe: r
steps:
  photos:
    use: ingest.scan
  «with»:
    folder: a
  m: { use: inspect.metadata, from: photos }
`,
    told: ["unknown-key | inside"],
  },
  {
    mistake: "a step's parameters stand beside an empty `with`",
    recipe: `recipe: r
steps:
  photos:
    use: ingest.scan
    with:
    «folder»: a
  m: { use: inspect.metadata, from: photos }
`,
    told: ["unknown-key | with: { folder: … }"],
  },
  {
    mistake: "a workflow of another tool",
    recipe: `«name»: r
«jobs»:
  photos:
    «uses»: ingest.scan
    with:
      folder: a
  m:
    «uses»: inspect.metadata
    «needs»: photos
`,
    told: [
      'unknown-key | "recipe"',
      'unknown-key | "steps"',
      'unknown-key | "use"',
      'unknown-key | "use"',
      'unknown-key | "from"',
    ],
  },
  {
    mistake: "a node with a wrong name, used elsewhere by that name",
    recipe: `recipe: r
steps:
  «my-photos»: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: my_photos }
  n: { use: inspect.metadata, from: my-photos }
`,
    told: ['bad-name | "my_photos"'],
  },
  {
    mistake: "a colon without a key",
    recipe: afterScan("  «:» x"),
    told: ["bad-key"],
  },
];
