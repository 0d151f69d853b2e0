/**
 * The package `yaml` from its build of ES modules. Its package.json gives that to everything but Node,
 * and Deno the build for Node: some seventy CommonJS files, which take 30 ms to load, where these
 * take 5.
 */
const found = import.meta.resolve("yaml");
const yaml: typeof import("yaml") = found.startsWith("file:")
  ? await import(new URL("../browser/index.js", found).href)
  : await import("yaml");

export const {
  CST,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parse,
  parseDocument,
  stringify,
  visit,
} = yaml;

export type { Document, Node } from "yaml";
