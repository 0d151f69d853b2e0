import { afterScan, type Broken } from "./case.ts";

const own = (use: string, more = "") => afterScan(`  own: { use: ${use}, from: photos${more} }`);

const step = (name: string) =>
  `import { defineStep, each, image, produced, z } from "tintype";
export ${name === "default" ? "default" : `const ${name} =`} defineStep({
  name: "own.mark", version: 1, doc: "Marks.", origin: "computed", isResult: true,
  inputs: { image: each(image, "in") },
  params: z.object({ strength: z.number().min(0).max(1).default(0.5) }),
  outputs: { image: each(image, "out") },
  run: ({ image }) => produced({ image }),
});
`;

/** Step files of one's own. */
export const stepFiles: readonly Broken[] = [
  {
    mistake: "a file that is not there",
    recipe: own("«./steps/mark.ts»"),
    told: ["bad-step-file | no such file"],
  },
  {
    mistake: "a misspelt file",
    recipe: own("«./steps/mrak.ts»"),
    files: { "steps/mark.ts": step("default") },
    told: ['bad-step-file | "./steps/mark.ts"'],
  },
  {
    mistake: "a file without its extension",
    recipe: own("«./steps/mark»"),
    files: { "steps/mark.ts": step("default") },
    told: ['bad-step-file | "./steps/mark.ts"'],
  },
  {
    mistake: "a folder",
    recipe: own("«./steps»"),
    files: { "steps/mark.ts": step("default") },
    told: ["bad-step-file | folder"],
  },
  {
    mistake: "a file of another language",
    recipe: own("«./mark.py»"),
    files: { "mark.py": "print(1)\n" },
    told: ["bad-step-file | .ts"],
  },
  {
    mistake: "an address on the web",
    recipe: own("«https://example.com/mark.ts»"),
    told: ["bad-step-file | web"],
  },
  {
    mistake: "a file that does not parse",
    recipe: own("«./mark.ts»"),
    files: { "mark.ts": "export default {\n  name: ,\n};\n" },
    told: ["bad-step-file | mark.ts:2:9"],
  },
  {
    mistake: "a file that throws when it is loaded",
    recipe: own("«./throws.ts»"),
    files: { "throws.ts": 'const paint = 3;\nthrow new Error("out of paint");\n' },
    told: ["bad-step-file | throws.ts:2:7"],
  },
  {
    mistake: "a file whose step is defined wrongly",
    recipe: own("«./nameless.ts»"),
    files: { "nameless.ts": step("default").replace('"own.mark"', '"mark"') },
    told: ['bad-step-file | "topic.name"'],
  },
  {
    mistake: "a file that imports what is not there",
    recipe: own("«./imports.ts»"),
    files: { "imports.ts": 'import { x } from "./helper.ts";\nexport default x;\n' },
    told: ["bad-step-file | helper.ts"],
  },
  {
    mistake: "a file that exports no step",
    recipe: own("«./none.ts»"),
    files: { "none.ts": "export const a = 1;\n" },
    told: ["bad-step-file | exports no step"],
  },
  {
    mistake: "a file that exports two steps",
    recipe: own("«./two.ts»"),
    files: { "two.ts": step("one") + step("two").replace(/^import.*\n/, "") },
    told: ["bad-step-file | 2 steps"],
  },
  {
    mistake: "an empty step file",
    recipe: own("«./empty.ts»"),
    files: { "empty.ts": "" },
    told: ["bad-step-file | exports no step"],
  },
  {
    mistake: "a wrong value for a step of one's own",
    recipe: own("./own.ts", ", with: { strength: «2» }"),
    files: { "own.ts": step("default") },
    told: ["out-of-range | 0 to 1"],
  },
  {
    mistake: "a wrong file used twice",
    recipe: afterScan(`  a: { use: «./gone.ts», from: photos }
  b: { use: «./gone.ts», from: photos }`),
    told: ["bad-step-file", "bad-step-file"],
  },
];
