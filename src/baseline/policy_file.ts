import type { Document, LineCounter } from "yaml";
import { expectation, type JsonSchema, paramsSchema } from "../runtime/params.ts";
import { suggestion } from "../runtime/suggestion.ts";
import { type Policy, policyShape } from "./policy.ts";

/** A policy, or in one sentence what is wrong with its file. */
export type ParsedPolicy =
  | { readonly policy: Policy; readonly problem?: undefined }
  | { readonly policy?: undefined; readonly problem: string };

/**
 * Reads a policy that a person wrote: YAML, or JSON, which is YAML too, with the keys of `policyShape`,
 * in UTF-8. What it leaves out has the default. Of what is wrong, the first by line is told, with its
 * line.
 */
export async function parsePolicy(bytes: Uint8Array, path: string): Promise<ParsedPolicy> {
  const { LineCounter, parseDocument } = await import("../runtime/yaml.ts");
  const cannot = (what: string, line?: number): ParsedPolicy => ({
    problem: `Cannot read policy "${path}"${line === undefined ? "" : `, line ${line}`}: ${what}`,
  });
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return cannot("it is not text in UTF-8");
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    return cannot(error.message.split("\n")[0]!, lines.linePos(error.pos[0]).line);
  }
  const value = valueOf(document);
  if (value === null) return cannot(`it is empty (${settingsWanted})`);
  const parsed = policyShape.safeParse(value);
  if (parsed.success) return { policy: parsed.data };
  const faults = faultsOf(parsed.error.issues as readonly Issue[], document, lines);
  return cannot(faults[0]!.what, faults[0]!.line);
}

const settingsWanted = 'a map of settings such as "quality: 85" is wanted';

/** Null for nothing, and for what only aliases that lead nowhere, or everywhere, make up. */
function valueOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 10 }) ?? null;
  } catch {
    return null;
  }
}

/** The part of a zod issue that is read here. */
interface Issue {
  readonly code: string;
  readonly path: readonly (string | number)[];
  readonly keys?: readonly string[];
}

interface Fault {
  readonly what: string;
  /** From 1; undefined where the whole file is meant. */
  readonly line: number | undefined;
}

/** By line. */
function faultsOf(issues: readonly Issue[], document: Document, lines: LineCounter): Fault[] {
  const faults = issues.flatMap(({ code, path, keys = [] }): Fault[] => {
    if (code === "unrecognized_keys") {
      return keys.map((key) => ({
        what: unknownText(path, key),
        line: lineOf([...path, key], document, lines),
      }));
    }
    return [{ what: wrongText(path, document), line: lineOf(path, document, lines) }];
  });
  return faults.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function unknownText(path: readonly (string | number)[], key: string): string {
  const known = Object.keys(schemaAt(path).properties ?? {});
  return `${JSON.stringify(key)} is no setting (${suggestion(key, known, "Settings are")})`;
}

function wrongText(path: readonly (string | number)[], document: Document): string {
  if (path.length === 0) return `it is no map (${settingsWanted})`;
  const value = document.getIn(path);
  const said = JSON.stringify(value) ?? String(value);
  const wanted = expectation(schemaAt(path));
  return `"${path.join(".")}" is ${said.length > 60 ? "no such value" : said} (wanted: ${wanted})`;
}

/** The JSON schema of a setting. */
function schemaAt(path: readonly (string | number)[]): JsonSchema {
  let schema: JsonSchema = paramsSchema(policyShape);
  for (const name of path) {
    const part = schema.properties?.[name];
    if (part === undefined) break;
    schema = part;
  }
  return schema;
}

/** Where the value of a setting begins. */
function lineOf(
  path: readonly (string | number)[],
  document: Document,
  lines: LineCounter,
): number | undefined {
  const node = path.length === 0 ? undefined : document.getIn(path, true);
  const range = (node as { readonly range?: readonly number[] } | undefined)?.range;
  return range === undefined ? undefined : lines.linePos(range[0]!).line;
}
