/**
 * A broken recipe with what its author has to be told. `«` and `»` stand around the text that each
 * diagnostic points at, in reading order; they are taken out before the check.
 */
export interface Broken {
  /** What a person did. */
  readonly mistake: string;
  readonly recipe: string;
  /** For each mark `code`, or `code | a part of message or help`. */
  readonly told: readonly string[];
  /** Parts of the message or help that must not be there: cascades, absurd suggestions. */
  readonly untold?: readonly string[];
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Files beside the recipe. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Where a scan stands before what is tested, and something looks at what it finds. */
export function afterScan(lines: string, params = ""): string {
  return `recipe: r
${params === "" ? "" : `params:\n${params}\n`}steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  headers: { use: inspect.metadata, from: photos }
${lines}
`;
}

/** One node \`paint\` of test step \`test.paint\` with these parameters, between scan and report. */
export function painted(withText: string, params = ""): string {
  return afterScan(`  paint: { use: test.paint, from: photos, with: ${withText} }`, params);
}

/** One node \`small\` that makes proxies, published. */
export function shrunk(withText: string, params = ""): string {
  return afterScan(
    `  small: { use: image.proxy, from: photos, with: ${withText} }
  files: { use: publish.files, from: small, with: { folder: ./out } }`,
    params,
  );
}
