import type { Broken } from "./case.ts";

/** Texts that are no YAML, or that YAML reads as something nobody meant. */
export const syntax: readonly Broken[] = [
  {
    mistake: "a tab indents a line",
    recipe: "recipe: r\nsteps:\n«\t»photos: { use: ingest.scan, with: { folder: a } }\n" +
      "\tm: { use: inspect.metadata, from: photos }\n",
    told: ["yaml-syntax | spaces"],
  },
  {
    mistake: "one line of a block is indented by a tab",
    recipe: "recipe: r\nsteps:\n  photos:\n    use: ingest.scan\n«\t»with: { folder: a }\n" +
      "  m: { use: inspect.metadata, from: photos }\n",
    told: ["yaml-syntax | spaces"],
  },
  {
    mistake: "a tab indents a line inside braces",
    recipe: "recipe: r\nsteps:\n  photos: {\n«\t»use: ingest.scan, with: { folder: a } }\n" +
      "  m: { use: inspect.metadata, from: photos }\n",
    told: ["yaml-syntax | spaces"],
  },
  {
    mistake: "a key is indented too little",
    recipe: `recipe: r
steps:
  photos:
    use: ingest.scan
   «with»: { folder: a }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | column 5"],
  },
  {
    mistake: "a key is indented too much, under a plain value",
    recipe: `recipe: r
steps:
  photos:
    use: ingest.scan
      «with»: { folder: a }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | column 5"],
  },
  {
    mistake: "a node is indented too much, under a map in braces",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
   «m»: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | column 3"],
  },
  {
    mistake: "a node is indented too little",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
 «m»: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | column 3"],
  },
  {
    mistake: "the second top key is indented",
    recipe: `recipe: r
  «about»: nothing much
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | column 1"],
  },
  {
    mistake: "a double quote is not closed inside braces",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: «"»./photos } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | not closed"],
  },
  {
    mistake: "a double quote is not closed, and other quotes follow",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: «"»./photos } }
  small: { use: image.proxy, from: photos }
  files: { use: publish.files, from: small, with: { folder: ./out, name: "{stem}_{id}.{ext}" } }
`,
    told: ["yaml-syntax | not closed"],
  },
  {
    mistake: "a double quote is not closed at the end of a block's line",
    recipe: `recipe: r
steps:
  photos:
    use: ingest.scan
    with:
      folder: «"»./photos
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | not closed"],
  },
  {
    mistake: "a single quote is not closed at the top",
    recipe: `recipe: r
about: «'»small pictures
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | not closed"],
  },
  {
    mistake: "an apostrophe inside single quotes",
    recipe: `recipe: r
about: 'don't enlarge'
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`.replace("t enlarge'", "«t enlarge'»"),
    told: ["yaml-syntax | ''"],
  },
  {
    mistake: "a quote is closed by the other kind",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: «"»./photos' } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | not closed"],
  },
  {
    mistake: "a quoted key is not closed",
    recipe: `recipe: r
steps:
  «"»photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | not closed"],
  },
  {
    mistake: "a brace is not closed",
    recipe: `recipe: r
steps:
  photos: «{» use: ingest.scan, with: { folder: ./p }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | not closed"],
  },
  {
    mistake: "a brace is not closed in the last line",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: ./p } }
  m: «{» use: inspect.metadata, from: photos
`,
    told: ["yaml-syntax | not closed"],
  },
  {
    mistake: "a brace over several lines is not closed",
    recipe: `recipe: r
steps:
  photos: «{»
    use: ingest.scan,
    with: { folder: ./p },
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | not closed"],
  },
  {
    mistake: "a bracket is not closed inside braces",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a, include: «[»"*.jpg" } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | not closed"],
  },
  {
    mistake: "a bracket is not closed in a block",
    recipe: `recipe: r
steps:
  photos:
    use: ingest.scan
    with:
      include: «[»"*.jpg", "*.png"
      folder: a
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | not closed"],
  },
  {
    mistake: "a bracket is closed by a brace",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a, include: ["*.jpg"«}» } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ['yaml-syntax | "]"'],
  },
  {
    mistake: "one brace too many at the end of a line",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } } «}»
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | opens"],
  },
  {
    mistake: "a stray bracket inside braces",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a «]» } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | opens"],
  },
  {
    mistake: "no space after a colon, first in a block",
    recipe: `recipe: r
steps:
  photos:
    «use:ingest.scan»
    with: { folder: a }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | use: ingest.scan"],
  },
  {
    mistake: "no space after a colon, last in a block",
    recipe: `recipe: r
steps:
  photos:
    with: { folder: a }
    «use:ingest.scan»
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | use: ingest.scan"],
  },
  {
    mistake: "no space after the first colon of the file",
    recipe: `«recipe:r»
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | recipe: r"],
  },
  {
    mistake: "no space after a colon inside braces",
    recipe: `recipe: r
steps:
  photos: { «use:ingest.scan», with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | use: ingest.scan"],
  },
  {
    mistake: "no space between a colon and a brace",
    recipe: `recipe: r
steps:
  «photos:{» use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | photos: {"],
  },
  {
    mistake: "no space after a colon before a reference",
    recipe: `recipe: r
params: { source: { type: folder, default: a } }
steps:
  photos: { use: ingest.scan, with: { «folder:$source» } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | folder: $source"],
  },
  {
    mistake: "an equals sign in place of a colon",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { «folder=./photos» } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | folder: ./photos"],
  },
  {
    mistake: "no colon after a top key",
    recipe: `recipe: r
«steps»
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ['yaml-syntax | "steps:"'],
  },
  {
    mistake: "no colon after a node's name",
    recipe: `recipe: r
steps:
  «photos»
    use: ingest.scan
    with: { folder: a }
  m: { use: inspect.metadata, from: photos }
`,
    told: ['yaml-syntax | "photos:"'],
  },
  {
    mistake: "no colon between a name and a brace",
    recipe: `recipe: r
steps:
  «photos» { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ['yaml-syntax | "photos:"'],
  },
  {
    mistake: "no comma between two entries, the first plain",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan «with»: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | comma"],
  },
  {
    mistake: "no comma between two entries, the first quoted",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: "a" «hidden»: true } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | comma"],
  },
  {
    mistake: "no comma between two entries, the first a map",
    recipe: `recipe: r
steps:
  photos: { with: { folder: a } «use»: ingest.scan }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | comma"],
  },
  {
    mistake: "no comma between quoted texts of a list",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a, include: ["*.jpg" «"*.png"»] } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | comma"],
  },
  {
    mistake: "no comma at the end of a line inside braces",
    recipe: `recipe: r
steps:
  photos: {
    use: ingest.scan
    «with»: { folder: a }
  }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | comma"],
  },
  {
    mistake: "two commas",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan,«,» with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | comma"],
  },
  {
    mistake: "a second document",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
«---»
recipe: other
`,
    told: ["yaml-syntax | one recipe"],
  },
  {
    mistake: "a stray word on a line of its own",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  «oops»
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | oops"],
  },
  {
    mistake: "a stray character at the end",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
«@»
`,
    told: ["yaml-syntax | @"],
  },
  {
    mistake: "a stray word behind a brace",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } } «x»
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax"],
  },
  {
    mistake: "a plain value begins with @",
    recipe: `recipe: r
about: «@home and away»
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ['yaml-syntax | "@home and away"'],
  },
  {
    mistake: "a plain value begins with %",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: «%HOME%/a» } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ['yaml-syntax | "%HOME%/a"'],
  },
  {
    mistake: "a glob without quotes in a list",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a, include: [«*.jpg», "*.png"] } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ['yaml-syntax | "*.jpg"'],
  },
  {
    mistake: "globs without quotes in a block list",
    recipe: `recipe: r
steps:
  photos:
    use: ingest.scan
    with:
      folder: a
      include:
        - «**/*.jpg»
        - «*.{png,webp}»
  m: { use: inspect.metadata, from: photos }
`,
    told: ['yaml-syntax | "**/*.jpg"', 'yaml-syntax | "*.{png,webp}"'],
  },
  {
    mistake: "an alias without an anchor",
    recipe: `recipe: r
about: «*note»
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | &note"],
  },
  {
    mistake: "a tag that nobody knows",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: «!env» HOME } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | tag"],
  },
  {
    mistake: "a colon and a space inside a plain value",
    recipe: `recipe: r
about: «note: keep this»
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ['yaml-syntax | "note: keep this"'],
  },
  {
    mistake: "a Windows path in double quotes",
    recipe: String.raw`recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: "C:«\p»hotos" } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | single quotes"],
  },
  {
    mistake: "text behind a closing quote",
    recipe: `recipe: r
about: "small" «pictures»
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax"],
  },
  {
    mistake: "a name pattern without quotes in a block",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  files:
    use: publish.files
    from: photos
    with:
      folder: ./out
      name: «{stem}_{id}.{ext}»
`,
    told: ['yaml-syntax | "{stem}_{id}.{ext}"'],
  },
  {
    mistake: "a name pattern without quotes inside braces",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  files: { use: publish.files, from: photos, with: { folder: o, name: «{stem}_{id}.{ext}» } }
`,
    told: ['yaml-syntax | "{stem}_{id}.{ext}"'],
  },
  {
    mistake: "list items and keys at one level",
    recipe: `recipe: r
steps:
  photos:
    use: ingest.scan
    with:
      folder: a
      include:
        - "*.jpg"
        «hidden»: true
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax"],
  },
  {
    mistake: "a recipe as JSON, its last brace missing",
    recipe:
      `«{» "recipe": "r", "steps": { "photos": { "use": "ingest.scan", "with": { "folder": "a" } } }
`,
    told: ["yaml-syntax | not closed"],
  },
  {
    mistake: "two unrelated slips in one file",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan,«,» with: { folder: a } }
  small: «{» use: image.proxy, from: photos
  m: { use: inspect.metadata, from: small }
`,
    told: ["yaml-syntax", "yaml-syntax | not closed"],
  },
  {
    mistake: "a slip of YAML, and a step that does not exist",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } «]» }
  small: { use: «image.porxy», from: photos }
  m: { use: inspect.metadata, from: small }
`,
    told: ["yaml-syntax", 'unknown-step | "image.proxy"'],
  },
  {
    mistake: "a merge key of YAML 1.1",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  small: &small { use: image.proxy, from: photos, with: { quality: 80 } }
  tiny: { «<<»: *small, with: { quality: 20 } }
  files: { use: publish.files, from: small, with: { folder: o } }
`,
    told: ["yaml-syntax | merge"],
    untold: ["missing-step"],
  },
  {
    mistake: "a control character",
    recipe: "recipe: r\nabout: a«\u0007»b\nsteps:\n" +
      "  photos: { use: ingest.scan, with: { folder: a } }\n" +
      "  m: { use: inspect.metadata, from: photos }\n",
    told: ["yaml-syntax | U+0007"],
  },
  {
    mistake: "a no-break space in the indentation, from a web page",
    recipe: "recipe: r\nsteps:\n  photos:\n    use: ingest.scan\n" +
      "«\u00a0\u00a0\u00a0\u00a0»with: { folder: a }\n  m: { use: inspect.metadata, from: photos }\n",
    told: ["yaml-syntax | no-break"],
  },
  {
    mistake: "a map as a key",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
  «{ a: b }»: { use: image.proxy, from: photos }
`,
    told: ["bad-key"],
  },
  {
    mistake: "CRLF line ends and a brace that is not closed",
    recipe: "recipe: r\r\nsteps:\r\n  photos: «{» use: ingest.scan, with: { folder: a }\r\n" +
      "  m: { use: inspect.metadata, from: photos }\r\n",
    told: ["yaml-syntax | not closed"],
  },
  {
    mistake: "a comment right behind a value",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: "a"«#» originals
    } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax"],
  },
  {
    mistake: "the first line of a block is indented too much",
    recipe: `recipe: r
params:
   «source»: { type: folder, default: a }
  out: { type: folder, default: b }
  side: { type: integer, default: 64 }
steps:
  photos: { use: ingest.scan, with: { folder: $source } }
  small: { use: image.proxy, from: photos, with: { short_side_px: $side } }
  files: { use: publish.files, from: small, with: { folder: $out } }
`,
    told: ["yaml-syntax | column 3"],
  },
  {
    mistake: "a node in the middle is not indented at all",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
«m»: { use: inspect.metadata, from: photos }
  n: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | column 3"],
  },
  {
    mistake: "two nodes in one line",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } } «m»: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | new line"],
  },
  {
    mistake: "a brace that slipped in",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: pho«{»tos } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | Remove it"],
  },
  {
    mistake: "a brace doubled",
    recipe: `recipe: r
steps:
  photos: {«{» use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | Remove it"],
  },
  {
    mistake: "semicolons in place of commas",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan«;» with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | comma"],
  },
  {
    mistake: "a comment of another language",
    recipe: `recipe: r
steps:
  «// the originals»
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | #"],
  },
  {
    mistake: "a comment that swallows the braces",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: ./photos «#1 } }»
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | comment"],
  },
  {
    mistake: "quotes of a word processor",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  files: { use: publish.files, from: photos, with: { folder: «“./out”», name: «“{stem}_{id}”» } }
`,
    told: ['yaml-syntax | Write "./out"', 'yaml-syntax | Write "{stem}_{id}"'],
  },
  {
    mistake: "the text of a block scalar is not indented",
    recipe: `recipe: r
about: |
«small pictures»
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | not indented"],
  },
  {
    mistake: "a dash where a key belongs",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  «-» m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | dash"],
  },
  {
    mistake: "a dash inside braces",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: «-» photos }
`,
    told: ["yaml-syntax | dash"],
  },
  {
    mistake: "no colon inside braces",
    recipe: `recipe: r
steps:
  photos: { «use» ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | use: ingest.scan"],
  },
  {
    mistake: "a stray character behind a colon",
    recipe: `recipe: r
steps:
  photos:«$» { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | Remove it"],
  },
  {
    mistake: "a reference in double braces",
    recipe: `recipe: r
params: { source: { type: folder, default: a } }
steps:
  photos: { use: ingest.scan, with: { folder: «{{ source }}» } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | $source"],
  },
  {
    mistake: "JSON without a comma between two lines",
    recipe: `{
  "recipe": "r"
  «"steps"»: {
    "photos": { "use": "ingest.scan", "with": { "folder": "a" } },
    "m": { "use": "inspect.metadata", "from": "photos" }
  }
}
`,
    told: ["yaml-syntax | 2:16"],
  },
  {
    mistake: "the last quote of the file is not closed, and no line end follows",
    recipe: `recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: «"»photos`,
    told: ["yaml-syntax | not closed"],
  },
  {
    mistake: "a line of YAML 1.1",
    recipe: `«%YAML 1.1»
---
recipe: r
steps:
  photos: { use: ingest.scan, with: { folder: a } }
  m: { use: inspect.metadata, from: photos }
`,
    told: ["yaml-syntax | 1.2"],
  },
];
