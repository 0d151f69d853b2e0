import { afterScan, type Broken, painted, shrunk } from "./case.ts";

/** Values of a step's parameters. */
export const values: readonly Broken[] = [
  {
    mistake: "a misspelt parameter",
    recipe: shrunk("{ «shrot_side_px»: 800 }"),
    told: ['unknown-param | "short_side_px" (whole pixels, 16 to 16384, default 896)'],
  },
  {
    mistake: "a parameter without its unit",
    recipe: shrunk("{ «short_side»: 800 }"),
    told: ['unknown-param | "short_side_px"'],
  },
  {
    mistake: "a parameter with dashes",
    recipe: shrunk("{ «short-side-px»: 800 }"),
    told: ['unknown-param | "short_side_px"'],
  },
  {
    mistake: "a parameter in camel case",
    recipe: shrunk("{ «shortSidePx»: 800 }"),
    told: ['unknown-param | "short_side_px"'],
  },
  {
    mistake: "a misspelt parameter whose value is wrong too",
    recipe: shrunk("{ «qualty»: «900» }"),
    told: ['unknown-param | "quality"', "out-of-range | 900"],
  },
  {
    mistake: "a parameter like no other",
    recipe: shrunk("{ «watermark»: true }"),
    told: ["unknown-param | Parameters"],
    untold: ["Did you mean"],
  },
  {
    mistake: "a parameter of a step that takes none",
    recipe: afterScan("  m: { use: inspect.metadata, from: photos, with: { «deep»: true } }"),
    told: ["unknown-param | takes no parameters"],
  },
  {
    mistake: "a missing parameter",
    recipe: `recipe: r
steps:
  photos: { use: «ingest.scan» }
  m: { use: inspect.metadata, from: photos }
`,
    told: ['missing-param | "folder"'],
  },
  {
    mistake: "a misspelt parameter that is needed",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { «foldr»: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ['unknown-param | "folder"'],
  },
  {
    mistake: "another word for a parameter that is needed",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { «path»: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ['unknown-param | "folder"'],
  },
  {
    mistake: "a number in quotes",
    recipe: shrunk('{ quality: «"85"» }'),
    told: ["bad-value | without quotes: 85"],
  },
  {
    mistake: "a number with a percent sign",
    recipe: shrunk("{ quality: «85%» }"),
    told: ["bad-value | number alone: 85"],
  },
  {
    mistake: "a number with its unit",
    recipe: shrunk("{ short_side_px: «896px» }"),
    told: ["bad-value | number alone: 896"],
  },
  {
    mistake: "a number with an underscore",
    recipe: shrunk("{ short_side_px: «1_024» }"),
    told: ["bad-value | number alone: 1024"],
  },
  {
    mistake: "a fraction where a whole number is wanted",
    recipe: shrunk("{ quality: «0.85» }"),
    told: ["bad-value | 0.85"],
  },
  {
    mistake: "a number out of range",
    recipe: shrunk("{ quality: «0» }"),
    told: ["out-of-range | 1 to 100"],
  },
  {
    mistake: "nothing as a value",
    recipe: shrunk("{ «quality»: }"),
    told: ["bad-value | nothing"],
  },
  {
    mistake: "a list as a value",
    recipe: shrunk("{ quality: «[85]» }"),
    told: ["bad-value | a list"],
  },
  {
    mistake: "a map as a value",
    recipe: shrunk("{ quality: «{ jpeg: 85 }» }"),
    told: ["bad-value | a map"],
  },
  {
    mistake: "a choice that is not there",
    recipe: shrunk("{ format: «jpg» }"),
    told: ['bad-value | "jpeg"'],
  },
  {
    mistake: "a choice in capitals",
    recipe: shrunk("{ format: «PNG» }"),
    told: ['bad-value | "png"'],
  },
  {
    mistake: "a choice like no other",
    recipe: shrunk("{ format: «bitmap» }"),
    told: ['bad-value | one of "auto"'],
    untold: ["Did you mean"],
  },
  {
    mistake: "a choice without its colons",
    recipe: shrunk("{ chroma: «420» }"),
    told: ['bad-value | "4:2:0"'],
  },
  {
    mistake: "yes for true",
    recipe: afterScan("").replace("{ folder: ./photos }", "{ folder: ./photos, hidden: «yes» }"),
    told: ["bad-value | true"],
  },
  {
    mistake: "true in quotes",
    recipe: afterScan("").replace("{ folder: ./photos }", '{ folder: ./photos, hidden: «"true"» }'),
    told: ["bad-value | without quotes: true"],
  },
  {
    mistake: "a number where text is wanted",
    recipe: afterScan("").replace("{ folder: ./photos }", "{ folder: «2024» }"),
    told: ['bad-value | "2024"'],
  },
  {
    mistake: "a version number where text is wanted",
    recipe: afterScan("").replace("{ folder: ./photos }", "{ folder: «1.10» }"),
    told: ['bad-value | "1.10"'],
  },
  {
    mistake: "a text where a list is wanted",
    recipe: afterScan("").replace("{ folder: ./photos }", '{ folder: a, include: «"*.jpg"» }'),
    told: ['bad-value | ["*.jpg"]'],
  },
  {
    mistake: "a number in a list of texts",
    recipe: afterScan("").replace("{ folder: ./photos }", '{ folder: a, include: ["*.jpg", «5»] }'),
    told: ["bad-value | include[1]"],
  },
  {
    mistake: "an empty list where one is wanted",
    recipe: afterScan("").replace("{ folder: ./photos }", "{ folder: a, include: «[]» }"),
    told: ["bad-value | at least 1"],
  },
  {
    mistake: "an empty text",
    recipe: afterScan("").replace("{ folder: ./photos }", '{ folder: «""» }'),
    told: ["bad-value"],
  },
  {
    mistake: "a name pattern with an unknown placeholder",
    recipe: afterScan(
      '  files: { use: publish.files, from: photos, with: { folder: o, name: "«{stam}».{ext}" } }',
    ),
    told: ["bad-value | {stam}"],
  },
  {
    mistake: "a number out of range in a nested map",
    recipe: painted("{ colour: { red: «300», green: 0, blue: 0 } }"),
    told: ["out-of-range | colour.red"],
  },
  {
    mistake: "a misspelt key in a nested map",
    recipe: painted("{ colour: { «rde»: 0, green: 0, blue: 0 } }"),
    told: ['unknown-param | "red"'],
  },
  {
    mistake: "an unknown key in a nested map",
    recipe: painted("{ colour: { red: 0, green: 0, blue: 0, «gamma»: 2 } }"),
    told: ["unknown-param | gamma"],
    untold: ["Did you mean"],
  },
  {
    mistake: "a missing key in a nested map",
    recipe: painted("{ colour: «{ red: 0, green: 0 }» }"),
    told: ['missing-param | "blue"'],
  },
  {
    mistake: "mistakes deep in a list of maps, in block form",
    recipe: afterScan(`  paint:
    use: test.paint
    from: photos
    with:
      stops:
        - at: 0
          ink: red
        - at: «1.5»
          ink: «rde»
        - «ink»: blue
          «att»: 1`).replace("«ink»: blue", "ink: blue"),
    told: ["out-of-range | stops[1].at", 'bad-value | "red"', 'unknown-param | "at"'],
  },
  {
    mistake: "too few in a list",
    recipe: painted("{ stops: «[{ at: 0, ink: red }]» }"),
    told: ["bad-value | at least 2"],
  },
  {
    mistake: "a variant that does not exist",
    recipe: painted("{ mode: { type: «fitt», width_px: 3 } }"),
    told: ['bad-value | "fit"'],
  },
  {
    mistake: "a key of another variant",
    recipe: painted("{ mode: { type: fill, ink: red, «width_px»: 3 } }"),
    told: ["unknown-param | width_px"],
  },
  {
    mistake: "a wrong value in a variant",
    recipe: painted("{ mode: { type: fit, width_px: «wide» } }"),
    told: ["bad-value | mode.width_px"],
  },
  {
    mistake: "none of a union's forms",
    recipe: painted("{ size: «huge» }"),
    told: ['bad-value | "small"'],
  },
  {
    mistake: "a union's number out of range",
    recipe: painted("{ size: «0» }"),
    told: ["out-of-range | size"],
  },
  {
    mistake: "a wrong element in one form of a union",
    recipe: painted("{ spots: [1, 2, «three»] }"),
    told: ["bad-value | spots[2]"],
  },
  {
    mistake: "a wrong value in a map of names",
    recipe: painted("{ weights: { sharp: 0.5, blur: «-1» } }"),
    told: ["out-of-range | weights.blur"],
  },
  {
    mistake: "a pair with three entries",
    recipe: painted("{ pair: «[1, 2, 3]» }"),
    told: ["bad-value | pair"],
  },
  {
    mistake: "a text too short",
    recipe: painted("{ label: «ab» }"),
    told: ["bad-value | 3 to 10"],
  },
  {
    mistake: "an unknown name",
    recipe: shrunk("{ quality: «$qualty» }", "  quality: { type: integer, default: 80 }"),
    told: ['unknown-name | "quality"'],
  },
  {
    mistake: "an unknown name where no parameter is declared",
    recipe: shrunk("{ quality: «$quality» }"),
    told: ["unknown-name | params: { quality:"],
  },
  {
    mistake: "unknown names inside a quoted text",
    recipe: afterScan(
      '  files: { use: publish.files, from: photos, with: { folder: "«${otu}»/a/«${x}»", name: "{stem}_$$5.{ext}" } }',
      "  out: { type: folder, default: o }",
    ),
    told: ['unknown-name | "out"', "unknown-name"],
  },
  {
    mistake: "an unknown name behind escapes in a quoted text",
    recipe: String.raw`recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: "caf\u00e9\u0020\"${"«${sourc}»"}\"" } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["unknown-name"],
  },
  {
    mistake: "an unknown name behind a doubled single quote",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: 'it''s/«\${sourc}»' } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["unknown-name"],
  },
  {
    mistake: "an unknown name in a block scalar",
    recipe: `recipe: r
steps:
  photos:
    use: ingest.scan
    with:
      folder: >-
        a/
        «\${sourc}»
  m: { use: inspect.metadata, from: photos }
`,
    told: ["unknown-name"],
  },
  {
    mistake: "an unknown name in the second line of a plain text",
    recipe: `recipe: r
steps:
  photos:
    use: ingest.scan
    with:
      folder: a
        «\${sourc}»/b
  m: { use: inspect.metadata, from: photos }
`,
    told: ["unknown-name"],
  },
  {
    mistake: "a name that is not closed inside a text",
    recipe: afterScan("", "  s: { type: folder, default: a }").replace("./photos", '"«${s»/b"'),
    told: ["bad-reference | }"],
  },
  {
    mistake: "a name inside a text without braces",
    recipe: afterScan("", "  s: { type: folder, default: a }").replace("./photos", "«$s»/b"),
    told: ["bad-reference | ${s}"],
  },
  {
    mistake: "a list inside a text",
    recipe: afterScan("", "  s: { type: list, default: [a, b] }").replace("./photos", '"«${s}»/b"'),
    told: ["bad-reference | a list"],
  },
  {
    mistake: "an unknown name where the step is unknown too",
    recipe: afterScan("  x: { use: «own.thing», from: photos, with: { a: { b: [«$nope»] } } }"),
    told: ["unknown-step", "unknown-name"],
  },
  {
    mistake: "a parameter of another type",
    recipe: shrunk("{ quality: «$q» }", '  q: { type: string, default: "85" }'),
    told: ["bad-value | whole number"],
  },
  {
    mistake: "a parameter of another type, without a value",
    recipe: shrunk("{ quality: «$q» }", "  q: { type: string }"),
    told: ["bad-value | string"],
  },
  {
    mistake: "a parameter's default that the step cannot take",
    recipe: shrunk("{ quality: «$q» }", "  q: { type: integer, default: 101 }"),
    told: ["out-of-range | 1 to 100"],
  },
  {
    mistake: "an element of a parameter's default that the step cannot take",
    recipe: afterScan("", '  i: { type: list, default: ["*.jpg", 5] }').replace(
      "{ folder: ./photos }",
      "{ folder: a, include: «$i» }",
    ),
    told: ["bad-value | include[1]"],
  },
  {
    mistake: "a wrong value through an alias",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  small: { use: image.proxy, from: photos, with: &how { quality: «101» } }
  tiny: { use: image.proxy, from: photos, with: *how }
  files: { use: publish.files, from: small, with: { folder: o } }
  more: { use: publish.files, from: tiny, with: { folder: p } }
`,
    told: ["out-of-range"],
  },
  {
    mistake: "an alias where its value does not fit",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  small: { use: image.proxy, from: photos, with: &how { quality: 10 } }
  files: { use: publish.files, from: small, with: «*how» }
`.replace("publish.files, from: small", "«publish.files», from: small"),
    told: ["missing-param | folder", "unknown-param | 4:57 It was written here"],
  },
  {
    mistake: "no mistake in the parameter's value is doubled where the default is wrong",
    recipe: shrunk("{ quality: $q }", "  q: { type: integer, default: «high» }"),
    told: ["bad-default"],
  },
  {
    mistake: "a variable of the environment",
    recipe: afterScan("").replace("./photos", "«$HOME»/photos"),
    told: ["bad-reference | environment"],
  },
  {
    mistake: "a reference in double braces inside quotes",
    recipe: afterScan("", "  s: { type: folder, default: a }").replace("./photos", '"«{{ s }}»/b"'),
    told: ["bad-reference | ${s}"],
  },
  {
    mistake: "a number that is too large to be exact",
    recipe: shrunk("{ quality: «99999999999999999999» }"),
    told: ["out-of-range"],
  },
  {
    mistake: "infinity",
    recipe: shrunk("{ quality: «.inf» }"),
    told: ["bad-value"],
  },
];
