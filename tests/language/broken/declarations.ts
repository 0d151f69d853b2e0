import { type Broken, shrunk } from "./case.ts";

const declared = (declaration: string) => shrunk("{ quality: $q }", `  q: ${declaration}`);

/** Declarations of a recipe's parameters, and settings from outside. */
export const declarations: readonly Broken[] = [
  {
    mistake: "a type that does not exist",
    recipe: declared("{ type: «date», default: 80 }"),
    told: ["unknown-type | Types"],
  },
  {
    mistake: "`int` for a type",
    recipe: declared("{ type: «int», default: 80 }"),
    told: ['unknown-type | "integer"'],
  },
  {
    mistake: "`float` for a type",
    recipe: declared("{ type: «float», default: 80 }"),
    told: ['unknown-type | "number"'],
  },
  {
    mistake: "`enum` for a type",
    recipe: shrunk("{ format: $f }", "  f: { type: «enum», choices: [jpeg, png], default: png }"),
    told: ['unknown-type | "choice"'],
  },
  {
    mistake: "`path` for a type",
    recipe: shrunk("{ quality: 3 }", "  o: { type: «path», default: o }").replace("./out", "$o"),
    told: ['unknown-type | "folder"'],
  },
  {
    mistake: "no type",
    recipe: declared("{ default: 80 }").replace("  q:", "  «q»:"),
    told: ["missing-key | type: integer"],
  },
  {
    mistake: "a value in place of a declaration",
    recipe: declared("«80»"),
    told: ["bad-param | { type: integer, default: 80 }"],
  },
  {
    mistake: "a list in place of a declaration",
    recipe: declared("«[80]»"),
    told: ["bad-param | a list"],
  },
  {
    mistake: "nothing in place of a declaration",
    recipe: declared("").replace("  q:", "  «q»:"),
    told: ["bad-param | nothing"],
  },
  {
    mistake: "an unknown key in a declaration",
    recipe: declared("{ type: integer, default: 80, «min»: 1 }"),
    told: ['unknown-key | "minimum"'],
  },
  {
    mistake: "a misspelt default, still used",
    recipe: declared("{ type: integer, «defualt»: 800 }").replace("$q", "«$q»"),
    told: ['unknown-key | "default"', "out-of-range | 800"],
  },
  {
    mistake: "a default below its own minimum",
    recipe: declared("{ type: integer, default: «10», minimum: 20 }"),
    told: ["bad-default | at least 20"],
  },
  {
    mistake: "a default over its own maximum",
    recipe: declared("{ type: integer, default: «100», minimum: 20, maximum: 90 }"),
    told: ["bad-default | 20 to 90"],
  },
  {
    mistake: "a default of another type",
    recipe: declared("{ type: integer, default: «high» }"),
    told: ["bad-default | whole number"],
  },
  {
    mistake: "a default in quotes",
    recipe: declared('{ type: integer, default: «"85"» }'),
    told: ["bad-default | without quotes: 85"],
  },
  {
    mistake: "a default with a percent sign",
    recipe: declared("{ type: integer, default: «85%» }"),
    told: ["bad-default | number alone: 85"],
  },
  {
    mistake: "a boolean default that says yes",
    recipe: shrunk("{ quality: 3 }", "  h: { type: boolean, default: «yes» }").replace(
      "{ folder: ./photos }",
      "{ folder: ./photos, hidden: $h }",
    ),
    told: ["bad-default | true"],
  },
  {
    mistake: "an empty range",
    recipe: declared("{ type: integer, default: 80, minimum: «90», maximum: 70 }"),
    told: ["bad-range | 70"],
  },
  {
    mistake: "a minimum that is text",
    recipe: declared("{ type: integer, default: 80, minimum: «low» }"),
    told: ["bad-value | number"],
  },
  {
    mistake: "a minimum for a text",
    recipe: shrunk("{ format: $f }", "  f: { type: string, default: png, «minimum»: 3 }"),
    told: ["bad-param | integer"],
  },
  {
    mistake: "a choice without choices",
    recipe: shrunk("{ format: $f }", "  «f»: { type: choice, default: png }"),
    told: ["missing-key | choices"],
  },
  {
    mistake: "no choices at all",
    recipe: shrunk("{ format: $f }", "  f: { type: choice, choices: «[]», default: png }"),
    told: ["bad-value | choices"],
  },
  {
    mistake: "choices that are no list",
    recipe: shrunk("{ format: $f }", "  f: { type: choice, choices: «jpeg», default: png }"),
    told: ["bad-value | [jpeg]"],
  },
  {
    mistake: "choices of another type than the parameter's",
    recipe: declared("{ type: integer, choices: [80, «high»], default: 80 }"),
    told: ["bad-value | whole number"],
  },
  {
    mistake: "a default that is none of the choices",
    recipe: shrunk("{ format: $f }", "  f: { type: choice, choices: [jpeg, png], default: «jpg» }"),
    told: ['bad-default | "jpeg"'],
  },
  {
    mistake: "a default that names another parameter",
    recipe: shrunk(
      "{ quality: $q, short_side_px: $s }",
      "  s: { type: integer, default: 85 }\n  q: { type: integer, default: «$s» }",
    ),
    told: ["bad-default | $s"],
  },
  {
    mistake: "a parameter that nothing uses",
    recipe: shrunk("{ quality: 80 }", "  «q»: { type: integer, default: 80 }"),
    told: ["unused-param"],
  },
  {
    mistake: "a parameter's name with a dash",
    recipe: shrunk("{ quality: $my-q }", "  «my-q»: { type: integer, default: 80 }"),
    told: ['bad-name | "my_q"'],
  },
  {
    mistake: "a setting for no parameter",
    recipe: declared("{ type: integer, default: 80 }"),
    settings: { qq: "3" },
    told: ['--set:1:1 unknown-setting | "q"'],
  },
  {
    mistake: "a setting of another type",
    recipe: declared("{ type: integer, default: 80 }"),
    settings: { q: "high" },
    told: ["--set:1:3 bad-setting | whole number"],
  },
  {
    mistake: "a setting with a percent sign",
    recipe: declared("{ type: integer, default: 80 }"),
    settings: { q: "85%" },
    told: ["--set:1:3 bad-setting | number alone: 85"],
  },
  {
    mistake: "a setting out of the declared range",
    recipe: declared("{ type: integer, default: 80, maximum: 90 }"),
    settings: { q: "95" },
    told: ["--set:1:3 bad-setting | at most 90"],
  },
  {
    mistake: "a setting that the step cannot take",
    recipe: declared("{ type: integer, default: 80 }").replace("$q", "«$q»"),
    settings: { q: "101" },
    told: ["out-of-range | 1 to 100"],
  },
  {
    mistake: "settings with names of Object's prototype",
    recipe: declared("{ type: integer, default: 80 }"),
    settings: Object.fromEntries([["__proto__", "1"], ["constructor", "2"]]),
    told: ["--set:1:1 unknown-setting", "--set:1:1 unknown-setting"],
  },
];
