import assert from "node:assert/strict";

/** Lowest first; a module may import from its own layer and from those before it. */
const layers: Readonly<Record<string, readonly string[]>> = {
  base: [
    "cause",
    "failures",
    "hash",
    "source",
    "suggestion",
    "diagnostic",
    "rejection",
    "disk",
    "file_url",
    "version",
    "numbers",
    "load_module",
    "buffer_memory",
    "task_time",
    "system_words",
  ],
  vocabulary: [
    "artifact",
    "parquet",
    "step_permissions",
    "step",
    "json_schema",
    "params",
    "catalog",
  ],
  pure: [
    "yaml",
    "yaml_tokens",
    "yaml_unquoted",
    "yaml_fault",
    "yaml_characters",
    "yaml_brackets",
    "yaml_indentation",
    "yaml_keys",
    "yaml_nesting",
    "yaml_oddities",
    "yaml_faults",
    "yaml_reader",
    "zod_issue",
    "reader",
    "recipe_params",
    "recipe_wires",
    "references",
    "step_values",
    "list_setting",
    "number_help",
    "decimal_comma",
    "bare_keys",
    "place_text",
    "value_help",
    "wiring",
    "key_spaces",
    "known_node",
    "located",
    "recipe",
    "settings",
    "values",
    "order",
    "graph",
    "check",
    "task_key",
    "stages",
    "event",
    "end_words",
    "recipe_schema",
    "items",
    "forcing",
    "shard",
    "chosen_items",
    "chosen_nodes",
    "start_event",
    "pack_layout",
    "pack_format",
    "step_messages",
    "packing",
    "frames",
    "foreign_result",
    "foreign_declaration",
  ],
  record: [
    "journal",
    "hash_list",
    "tables",
    "records",
    "catalog_db",
    "why",
    "failure_record",
    "replay_difference",
  ],
  effects: [
    "local_disk",
    "tar",
    "pack_writer",
    "pack_reader",
    "run_lock",
    "traces",
    "workspace_problem",
    "stored_result",
    "cache",
    "cache_ledger",
    "store",
    "lock",
    "memory",
    "native_memory",
    "handles",
    "pools",
    "batcher",
    "resolver",
    "stat_index",
    "trail",
    "trails",
    "outputs",
    "performer",
    "settler",
    "run_name",
    "run",
    "plan",
    "preparation",
    "needs",
    "collection",
    "verification",
    "original_check",
    "repetition",
    "own_writes",
    "watch",
    "module_graph",
    "environment",
    "places",
    "bound_steps",
    "cache_file",
    "worker_place",
    "process_options",
    "step_process",
    "step_worker",
    "step_workers",
    "foreign_step",
    "step_approval",
    "user_steps",
  ],
  facade: [
    "session",
    "builder",
    "healing",
    "verify",
    "upkeep",
    "recorded_run",
    "provisional",
    "locked",
    "replay",
    "pack_source",
    "pack_originals",
    "pack_outside",
    "pack_results",
    "pack_packages",
    "pack_records",
    "pack",
    "unpack",
    "merge",
  ],
};
const order = Object.keys(layers);

interface Module {
  readonly path: string;
  readonly imports: readonly string[];
}

const root = new URL("../../", import.meta.url).href;

async function modules(): Promise<readonly Module[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "src/mod.ts"],
    cwd: new URL(root).pathname,
  }).output();
  const parts: Module[] = readInfo(stdout);
  const { stdout: cli } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "src/cli/demo.ts"],
    cwd: new URL(root).pathname,
  }).output();
  const all = new Map([...parts, ...readInfo(cli)].map((module) => [module.path, module]));
  return [...all.values()];
}

function readInfo(stdout: Uint8Array): Module[] {
  const info = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: {
      specifier: string;
      dependencies?: { code?: { specifier?: string }; type?: { specifier?: string } }[];
    }[];
  };
  return info.modules.filter((module) => module.specifier.startsWith(`${root}src/`)).map((
    module,
  ) => ({
    path: module.specifier.slice(root.length),
    imports: (module.dependencies ?? []).flatMap((each) => {
      const target = each.code?.specifier ?? each.type?.specifier;
      return target === undefined
        ? []
        : [target.startsWith(root) ? target.slice(root.length) : target];
    }),
  }));
}

function layerOf(path: string): string | undefined {
  const name = /^src\/runtime\/(\w+)\.ts$/.exec(path)?.[1];
  return name === undefined ? undefined : order.find((layer) => layers[layer]!.includes(name));
}

Deno.test("every module of the runtime has its layer, and imports go downwards only", async () => {
  const wrong: string[] = [];
  for (const { path, imports } of await modules()) {
    if (!path.startsWith("src/runtime/")) continue;
    const layer = layerOf(path);
    if (layer === undefined) wrong.push(`${path} has no layer`);
    for (const target of imports.filter((each) => each.startsWith("src/"))) {
      if (!target.startsWith("src/runtime/")) wrong.push(`${path} → ${target}`);
      else if (order.indexOf(layerOf(target)!) > order.indexOf(layer!)) {
        wrong.push(`${path} (${layer}) → ${target} (${layerOf(target)})`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("no module imports itself through others", async () => {
  const graph = new Map((await modules()).map((module) => [module.path, module.imports]));
  const state = new Map<string, "open" | "done">();
  const rings: string[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    if (state.get(path) === "done" || !graph.has(path)) return;
    if (state.get(path) === "open") {
      rings.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
      return;
    }
    state.set(path, "open");
    for (const target of graph.get(path)!) visit(target, [...trail, path]);
    state.set(path, "done");
  };
  for (const path of graph.keys()) visit(path, []);
  assert.deepEqual(rings, []);
});

Deno.test("steps know the vocabulary, pictures, pure code and each other, and nothing of how they are run", async () => {
  const allowed = (target: string) =>
    /^src\/(steps|imaging|baseline|charts|report|vision|quality|search|dedupe|captions|export|decisions)\//
      .test(target) ||
    /^src\/services\/(advisor|inference|computing|vision)\.ts$/.test(target) ||
    ["base", "vocabulary"].includes(layerOf(target) ?? "");
  const wrong = (await modules()).filter(({ path }) => path.startsWith("src/steps/"))
    .flatMap(({ path, imports }) =>
      imports.filter((target) => target.startsWith("src/") && !allowed(target))
        .map((target) => `${path} → ${target}`)
    );
  assert.deepEqual(wrong, []);
});

Deno.test("the command line does not reach into how a run works", async () => {
  const inner = ["run", "performer", "resolver", "settler", "store", "cache", "handles", "batcher"];
  const wrong = (await modules()).filter(({ path }) => path.startsWith("src/cli/"))
    .flatMap(({ path, imports }) =>
      imports.filter((target) => inner.some((name) => target === `src/runtime/${name}.ts`))
        .map((target) => `${path} → ${target}`)
    );
  assert.deepEqual(wrong, []);
});

Deno.test("steps and pure layers use neither Deno, the network, the clock nor chance", async () => {
  const wrong: string[] = [];
  for (const { path } of await modules()) {
    const layer = layerOf(path);
    const isPure =
      /^src\/(steps|imaging|baseline|charts|report|vision|quality|search|captions|export)\//.test(
        path,
      ) ||
      ["base", "vocabulary", "pure"].includes(layer ?? "");
    if (!isPure) continue;
    const code = Deno.readTextFileSync(new URL(path, root)).replace(
      /\/\*[\s\S]*?\*\/|\/\/.*$/gm,
      "",
    );
    const found = /\bDeno\.|\bfetch\(|\bDate\.now\(|new Date\(\)|Math\.random\(|@duckdb/.exec(code);
    if (found !== null) wrong.push(`${path}: ${found[0]}`);
  }
  assert.deepEqual(wrong, []);
});

Deno.test("a check loads no heavy module", async () => {
  const script = `
    const { main } = await import(${JSON.stringify(`${root}src/cli/main.ts`)});
    const code = await main(["check", ${
    JSON.stringify(new URL(`${root}pipelines/proxy.yaml`).pathname)
  }]);
    const { createRequire } = await import("node:module");
    const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => /sharp|duckdb|exifr|onnx/.test(path));
    console.log(JSON.stringify({ code, loaded }));
  `;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--config", new URL("deno.json", root).pathname, script],
    cwd: new URL(root).pathname,
  }).output();
  const last = new TextDecoder().decode(stdout).trim().split("\n").at(-1)!;
  assert.deepEqual(JSON.parse(last), { code: 0, loaded: [] });
});
