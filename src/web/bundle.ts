import { join } from "node:path";
import type { Disk } from "../runtime/disk.ts";
import { sha256 } from "../runtime/hash.ts";
import { fromFileUrl } from "../runtime/file_url.ts";
import type { PageFiles } from "./server.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));
const pageFolder = fromFileUrl(new URL("./page/", import.meta.url));
/** What the page shares with the server. */
const shared = ["./filter.ts", "./tokens.ts", "./replace.ts"].map((path) =>
  fromFileUrl(new URL(path, import.meta.url))
);

export interface BundleOptions {
  /** Where a bundle is kept. */
  readonly folder: string;
  readonly disk: Disk;
}

/**
 * The page's files. Its modules are bundled by `deno bundle` (in a process of its own, with esbuild, that
 * Deno fetches once), which takes about 0.1 s; the result is kept under a hash of what it is made of.
 */
export async function pageFiles({ folder, disk }: BundleOptions): Promise<PageFiles> {
  const sources = [...filesIn(disk, /\.tsx?$/), ...shared, join(root, "deno.lock")];
  const styles = filesIn(disk, /\.css$/).map(async (path) => text(await disk.read(path)));
  const style = (await Promise.all(styles)).join("\n");
  const parts = await Promise.all(sources.map(async (path) => sha256(await disk.read(path))));
  const key = sha256(new TextEncoder().encode([Deno.version.deno, ...parts].join("\n")));
  const kept = join(folder, `page-${key.slice(0, 32)}.js`);
  if (disk.stat(kept) === undefined) {
    const bundle = await bundled();
    disk.makeFolder(folder);
    await disk.write(kept, bundle);
  }
  const script = named("page", "js", "text/javascript", text(await disk.read(kept)));
  const sheet = named("style", "css", "text/css", style);
  return { html: htmlOf(script.path, sheet.path), assets: [script, sheet] };
}

/** The page's files of a kind, in the order of their names. */
function filesIn(disk: Disk, ending: RegExp): string[] {
  return disk.list(pageFolder).filter(({ name }) => ending.test(name))
    .map(({ name }) => join(pageFolder, name)).sort();
}

async function bundled(): Promise<Uint8Array> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", "--minify", join(pageFolder, "main.tsx")],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  if (code === 0 && stdout.length > 0) return stdout;
  const problem = text(stderr).trim().split("\n").slice(-3).join(" ");
  throw new Error(
    `Cannot build the review page: ${problem} (Deno fetches its bundler, esbuild, the first time: ` +
      "connect this computer to the internet once)",
  );
}

function named(name: string, ending: string, type: string, content: string) {
  const hash = sha256(new TextEncoder().encode(content)).slice(0, 16);
  return { path: `/${name}-${hash}.${ending}`, type: `${type}; charset=utf-8`, text: content };
}

function htmlOf(script: string, style: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Review captions – Tintype</title>
<link rel="stylesheet" href="${style}">
<link rel="preload" href="/api/dataset" as="fetch" crossorigin>
<link rel="icon" href="data:,">
<script type="module" src="${script}"></script>
</head>
<body>
<div id="app"><p class="starting">Opening the dataset …</p></div>
<noscript><p>This page needs JavaScript.</p></noscript>
</body>
</html>
`;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
