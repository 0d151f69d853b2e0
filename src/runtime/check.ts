import { type Diagnostic, type Related, suggestion } from "./diagnostic.ts";
import {
  type Graph,
  type GraphNode,
  inputPorts,
  outputPorts,
  spaceOfOutput,
  type Wire,
} from "./graph.ts";
import type { Json } from "./hash.ts";
import type { Catalog } from "./catalog.ts";
import { inCycles, topological } from "./order.ts";
import type { Name, NodeDeclaration, Recipe, SourceDeclaration } from "./recipe.ts";
import { type ResolvedParam, resolveParams, type Settings } from "./settings.ts";
import type { Span } from "./source.ts";
import type { AnyStep, Port } from "./step.ts";
import { checkValues, referencedParams } from "./values.ts";

/** What became of a `use` that names a file. */
export type UserStep =
  | { readonly step: AnyStep; readonly fingerprint: string }
  | { readonly problem: string; readonly help?: string };

export interface CheckOptions {
  readonly catalog: Catalog;
  /** By the text of `use`. */
  readonly userSteps?: ReadonlyMap<string, UserStep>;
  readonly settings?: Settings;
  /** Report parameters without a value: a run needs them all, a check does not. */
  readonly needsValues?: boolean;
}

/** Whether a `use` names a file rather than a step of the catalogue. */
export function isUserStep(use: string): boolean {
  return /\.[cm]?[tj]sx?$/.test(use) || use.startsWith("./") || use.startsWith("../");
}

/**
 * Checks a recipe against the catalogue and builds its graph. All mistakes are found at once; there
 * is a graph only where no error is.
 */
export function checkRecipe(
  recipe: Recipe,
  options: CheckOptions,
): { readonly graph?: Graph; readonly diagnostics: readonly Diagnostic[] } {
  return new Checker(recipe, options).check();
}

/** A node whose step is known. */
interface Known {
  readonly declaration: NodeDeclaration;
  readonly step: AnyStep;
  readonly version: number | string;
  /** Filled in graph order; a wire that is wrong is left out. */
  readonly wires: Record<string, Wire>;
  readonly wireSpans: Record<string, Span>;
  space?: string;
  /** Something about it is wrong, so what follows from it is not reported again. */
  isBroken: boolean;
  params?: Readonly<Record<string, unknown>>;
}

class Checker {
  readonly #diagnostics: Diagnostic[] = [];
  readonly #known = new Map<string, Known>();
  readonly #declared: ReadonlyMap<string, NodeDeclaration>;
  readonly #params: ReadonlyMap<string, ResolvedParam>;

  constructor(readonly recipe: Recipe, readonly options: CheckOptions) {
    this.#declared = new Map(recipe.nodes.map((node) => [node.id, node]));
    const { params, diagnostics } = resolveParams(recipe, options.settings ?? {});
    this.#params = params;
    this.#diagnostics.push(...diagnostics);
  }

  check(): { readonly graph?: Graph; readonly diagnostics: readonly Diagnostic[] } {
    for (const node of this.recipe.nodes) this.#findStep(node);
    this.#checkNames();
    const order = this.#order();
    for (const id of order) {
      const known = this.#known.get(id);
      if (known === undefined) continue;
      this.#wire(known);
      const { params, diagnostics } = checkValues(known.declaration, known.step, this.#params);
      known.params = params;
      this.#diagnostics.push(...diagnostics);
    }
    this.#checkUnused();
    const hasError = this.#diagnostics.some((diagnostic) => diagnostic.severity === "error");
    return { graph: hasError ? undefined : this.#graph(order), diagnostics: this.#diagnostics };
  }

  #graph(order: readonly string[]): Graph | undefined {
    const nodes: GraphNode[] = [];
    for (const id of order) {
      const known = this.#known.get(id)!;
      if (known.params === undefined) return undefined; // a parameter has no value yet
      const { step, version, wires, space, params } = known;
      nodes.push({ id, step, version, params, wires, space });
    }
    const settings = Object.fromEntries(
      [...this.#params].map(([name, param]) => [name, (param.value ?? null) as Json]),
    );
    const { file, name } = this.recipe;
    return { recipe: name, path: file.path, text: file.text, settings, nodes };
  }

  #findStep(declaration: NodeDeclaration) {
    if (declaration.use === undefined) return;
    const found = isUserStep(declaration.use.text)
      ? this.#userStep(declaration.use)
      : this.#catalogStep(declaration.use);
    if (found === undefined) return;
    this.#known.set(declaration.id, {
      declaration,
      ...found,
      wires: {},
      wireSpans: {},
      isBroken: false,
    });
  }

  #catalogStep(use: Name): Pick<Known, "step" | "version"> | undefined {
    const step = this.options.catalog.get(use.text);
    if (step !== undefined) return { step, version: step.version };
    this.#error("unknown-step", `There is no step "${use.text}"`, use.span, {
      help: suggestion(use.text, this.options.catalog.names(), "Steps"),
    });
  }

  #userStep(use: Name): Pick<Known, "step" | "version"> | undefined {
    const found = this.options.userSteps?.get(use.text) ?? { problem: "it was not loaded" };
    if ("step" in found) return { step: found.step, version: found.fingerprint };
    this.#error("bad-step-file", `Cannot use step file "${use.text}": ${found.problem}`, use.span, {
      help: found.help,
    });
  }

  /** Sources before their users; nodes in a ring are reported and left out. */
  #order(): string[] {
    const sources = new Map(
      this.recipe.nodes.map((node) => [node.id, [...sourcesOf(node)].map((name) => name.text)]),
    );
    for (const ring of inCycles(sources)) this.#reportCycle(ring);
    return topological(sources);
  }

  #reportCycle(ring: readonly string[]) {
    const wireOf = (from: string, to: string) =>
      [...sourcesOf(this.#declared.get(from)!)].find((name) => name.text === to)!.span;
    const steps = ring.map((id, index) => ({ id, next: ring[(index + 1) % ring.length]! }));
    const [first, ...rest] = steps;
    const trail = [...ring, ring[0]].map((id) => `"${id}"`).join(" → ");
    this.#error("cycle", `Nodes wait for each other: ${trail}`, wireOf(first!.id, first!.next), {
      related: rest.map(({ id, next }) => ({
        message: `"${id}" waits for "${next}"`,
        span: wireOf(id, next),
      })),
      help: "Let one of them take its input from somewhere else",
    });
    for (const id of ring) {
      const known = this.#known.get(id);
      if (known !== undefined) known.isBroken = true;
    }
  }

  #wire(known: Known) {
    const { declaration, step } = known;
    const ports = inputPorts(step);
    const required = ports.filter(([, port]) => !port.isOptional);
    if (declaration.from === undefined) {
      if (required.length > 0) this.#reportUnwired(known, required);
      return;
    }
    if (declaration.from.form === "short") {
      const { source } = declaration.from;
      const target = required.length === 1 || ports.length === 1
        ? (required[0] ?? ports[0])
        : undefined;
      if (target === undefined) return this.#reportShortForm(known, source, ports, required);
      this.#connect(known, target[0], target[1], source);
    } else {
      for (const { port, source } of declaration.from.ports) {
        const found = ports.find(([name]) => name === port.text);
        if (found === undefined) this.#reportUnknownInput(known, port, ports);
        else this.#connect(known, port.text, found[1], source);
      }
      const named = new Set(declaration.from.ports.map(({ port }) => port.text));
      const missing = required.filter(([name]) => !named.has(name));
      // A misspelt port is reported as such; what it left open follows from it.
      if (missing.length > 0 && [...named].every((name) => ports.some(([port]) => port === name))) {
        this.#reportUnwired(known, missing);
      }
    }
    this.#findSpace(known);
  }

  #connect(known: Known, input: string, port: Port, source: SourceDeclaration) {
    const producer = this.#producer(known, source);
    if (producer === undefined) return;
    const output = this.#outputPort(known, input, port, producer, source);
    if (output === undefined) {
      known.isBroken = true;
      return;
    }
    const [name, outputPort] = output;
    const span = sourceSpan(source);
    if (outputPort.kind.name !== port.kind.name) {
      return this.#reportKind(known, input, port, producer, output, span);
    }
    if (!fits(outputPort.flow, port.flow)) {
      return this.#reportFlow(known, input, port, producer, output, span);
    }
    known.wires[input] = { node: producer.declaration.id, port: name };
    known.wireSpans[input] = span;
    if (producer.isBroken) known.isBroken = true;
  }

  #producer(known: Known, source: SourceDeclaration): Known | undefined {
    const id = source.node.text;
    const producer = this.#known.get(id);
    if (producer !== undefined) return producer;
    known.isBroken = true;
    if (this.#declared.has(id)) return undefined; // its own mistake is reported already
    const others = [...this.#declared.keys()].filter((each) => each !== known.declaration.id);
    this.#error("unknown-source", `There is no node "${id}"`, source.node.span, {
      help: suggestion(id, others, "Nodes"),
    });
  }

  #outputPort(
    known: Known,
    input: string,
    wanted: Port,
    producer: Known,
    source: SourceDeclaration,
  ): [string, Port] | undefined {
    const ports = outputPorts(producer.step);
    const { id } = producer.declaration;
    if (source.port !== undefined) {
      const found = ports.find(([name]) => name === source.port!.text);
      if (found === undefined) {
        this.#error(
          "unknown-output",
          `Node "${id}" (${producer.step.name}) has no output "${source.port.text}"`,
          source.port.span,
          { help: suggestion(source.port.text, ports.map(([name]) => name), "Outputs") },
        );
      }
      return found;
    }
    if (ports.length === 1) return ports[0];
    const sameKind = ports.filter(([, port]) => port.kind.name === wanted.kind.name);
    const fitting = sameKind.filter(([, port]) => fits(port.flow, wanted.flow));
    if (fitting.length === 1) return fitting[0];
    if (fitting.length === 0) return sameKind[0] ?? ports[0];
    this.#error(
      "ambiguous-output",
      `Node "${id}" has several outputs that fit input "${input}" of "${known.declaration.id}"`,
      source.node.span,
      { help: `Say which: ${fitting.map(([name]) => `${id}.${name}`).join(", ")}` },
    );
  }

  /** All `each` and `all` inputs of a node must belong to the same items. */
  #findSpace(known: Known) {
    let first: { readonly input: string; readonly space: string } | undefined;
    for (const [input, wire] of Object.entries(known.wires)) {
      const producer = this.#known.get(wire.node)!;
      const space = producer.isBroken ? undefined : this.#spaceOf(producer, wire.port);
      const flow = (known.step.inputs as Record<string, Port>)[input]!.flow;
      if (flow === "one" || space === undefined) continue;
      if (first === undefined) first = { input, space };
      else if (first.space !== space) this.#reportSpaces(known, first, { input, space });
    }
    known.space = first?.space;
  }

  #spaceOf(producer: Known, port: string): string | undefined {
    const { declaration: { id }, step, space } = producer;
    const node = { id, step, space, version: 1, params: {}, wires: {} };
    return spaceOfOutput(node, port);
  }

  #checkNames() {
    const used = new Set<string>();
    for (const node of this.recipe.nodes) {
      referencedParams(node.with, used);
      if (this.#known.has(node.id)) continue;
      // Without its step a node's parameters cannot be checked, but the names in them can.
      const names = new Set<string>();
      referencedParams(node.with, names);
      for (const name of names) {
        if (this.#params.has(name)) continue;
        this.#error("unknown-name", `There is no parameter "${name}"`, node.with!.span, {
          help: suggestion(name, [...this.#params.keys()], "Parameters"),
        });
      }
    }
    for (const [name, param] of this.#params) {
      if (!used.has(name)) {
        this.#warn("unused-param", `Nothing uses parameter "${name}"`, param.declaration.nameSpan, {
          help: `Write $${name} where its value belongs, or remove it`,
        });
      } else if (!param.isGiven && this.options.needsValues) {
        this.#error("missing-value", `Parameter "${name}" has no value`, param.span, {
          help: `Give it with --set ${name}=… , or write a default`,
        });
      }
    }
  }

  #checkUnused() {
    const consumed = new Set(
      this.recipe.nodes.flatMap((node) => [...sourcesOf(node)].map((name) => name.text)),
    );
    for (const { declaration, step } of this.#known.values()) {
      const isResult = step.isResult || step.world === "writes";
      if (isResult || consumed.has(declaration.id)) continue;
      this.#warn(
        "unused-node",
        `Nothing uses what node "${declaration.id}" makes`,
        declaration.idSpan,
        {
          help: "Publish or report it, or remove the node",
        },
      );
    }
  }

  #reportUnwired(known: Known, ports: readonly [string, Port][]) {
    known.isBroken = true;
    const { declaration, step } = known;
    const names = ports.map(([name]) => `"${name}"`).join(" and ");
    const noun = ports.length === 1 ? "input" : "inputs";
    const [name, port] = ports[0]!;
    const sources = this.#nodesThatGive(port, declaration.id);
    const isOnly = ports.length === 1 && inputPorts(step).length === 1;
    this.#error(
      "missing-input",
      `Node "${declaration.id}" gives step "${step.name}" nothing for ${noun} ${names}`,
      declaration.from?.form === "long" ? declaration.from.span : declaration.use!.span,
      {
        help: sources.length === 0
          ? `It wants ${portWords(port)}; no node here gives that`
          : isOnly
          ? `Add from: ${sources[0]}`
          : `Add ${name}: ${sources[0]} to from: { … }`,
      },
    );
  }

  #reportShortForm(
    known: Known,
    source: SourceDeclaration,
    ports: readonly [string, Port][],
    required: readonly [string, Port][],
  ) {
    known.isBroken = true;
    const { step } = known;
    if (ports.length === 0) {
      return this.#error(
        "unknown-input",
        `Step "${step.name}" takes no input`,
        sourceSpan(source),
        {
          help: 'Remove "from"',
        },
      );
    }
    const wanted = (required.length > 0 ? required : ports).map(([name]) => name);
    this.#error(
      "ambiguous-input",
      `Step "${step.name}" has several inputs: ${wanted.map((name) => `"${name}"`).join(", ")}`,
      sourceSpan(source),
      { help: `Say which: from: { ${wanted.map((name) => `${name}: …`).join(", ")} }` },
    );
  }

  #reportUnknownInput(known: Known, port: Name, ports: readonly [string, Port][]) {
    known.isBroken = true;
    this.#error(
      "unknown-input",
      `Step "${known.step.name}" has no input "${port.text}"`,
      port.span,
      {
        help: ports.length === 0
          ? `Step "${known.step.name}" takes no input`
          : suggestion(port.text, ports.map(([name]) => name), "Inputs"),
      },
    );
  }

  #reportKind(
    known: Known,
    input: string,
    port: Port,
    producer: Known,
    [output, outputPort]: [string, Port],
    span: Span,
  ) {
    known.isBroken = true;
    const sources = this.#nodesThatGive(port, known.declaration.id);
    this.#error(
      "kind-mismatch",
      `Input "${input}" of step "${known.step.name}" wants ${port.kind.name}, but "${producer.declaration.id}.${output}" is ${outputPort.kind.name}`,
      span,
      {
        help: sources.length === 0
          ? undefined
          : `${port.kind.name} comes from ${sources.map((each) => `"${each}"`).join(", ")}`,
      },
    );
  }

  #reportFlow(
    known: Known,
    input: string,
    port: Port,
    producer: Known,
    [output, outputPort]: [string, Port],
    span: Span,
  ) {
    known.isBroken = true;
    const sources = this.#nodesThatGive(port, known.declaration.id);
    this.#error(
      "flow-mismatch",
      `Input "${input}" of step "${known.step.name}" wants ${
        flowWords[port.flow]
      }, but "${producer.declaration.id}.${output}" gives ${flowWords[outputPort.flow]}`,
      span,
      {
        help: sources.length === 0
          ? outputPort.flow === "one"
            ? `Let a node that gives one ${port.kind.name} an item feed it`
            : `Let a step that gathers all items into one ${port.kind.name} come between`
          : `${flowWords[port.flow]} comes from ${sources.map((each) => `"${each}"`).join(", ")}`,
      },
    );
  }

  #reportSpaces(
    known: Known,
    first: { readonly input: string; readonly space: string },
    second: { readonly input: string; readonly space: string },
  ) {
    known.isBroken = true;
    const born = (space: string) => `the items of "${space.slice(0, space.indexOf("."))}"`;
    const related: Related[] = [{
      message: `"${first.input}" has ${born(first.space)}`,
      span: known.wireSpans[first.input]!,
    }];
    this.#error(
      "mixed-items",
      `Node "${known.declaration.id}" mixes ${born(first.space)} with ${born(second.space)}`,
      known.wireSpans[second.input]!,
      { related, help: "Both inputs must come from the same scan, or from nodes that follow it" },
    );
  }

  #nodesThatGive(wanted: Port, except: string): string[] {
    return [...this.#known.values()].flatMap(({ declaration, step }) => {
      const ports = outputPorts(step);
      const fitting = ports.filter(([, port]) =>
        port.kind.name === wanted.kind.name && fits(port.flow, wanted.flow)
      );
      if (declaration.id === except || fitting.length === 0) return [];
      return [ports.length === 1 ? declaration.id : `${declaration.id}.${fitting[0]![0]}`];
    });
  }

  #error(
    code: string,
    message: string,
    span: Span,
    more: { readonly help?: string; readonly related?: readonly Related[] } = {},
  ) {
    this.#diagnostics.push({ code, severity: "error", message, span, ...more });
  }

  #warn(code: string, message: string, span: Span, more: { readonly help?: string } = {}) {
    this.#diagnostics.push({ code, severity: "warning", message, span, ...more });
  }
}

const flowWords: Readonly<Record<string, string>> = {
  each: "one value for each item",
  many: "one value for each item",
  all: "the values of all items",
  one: "a single value",
};

function portWords(port: Port): string {
  return `${port.kind.name}, ${flowWords[port.flow]}`;
}

/** An output feeds `each` and `all` where it has a value an item, `one` where it has a single one. */
function fits(output: string, input: string): boolean {
  return (output === "one") === (input === "one");
}

function* sourcesOf(node: NodeDeclaration): Iterable<Name> {
  if (node.from === undefined) return;
  if (node.from.form === "short") yield node.from.source.node;
  else for (const { source } of node.from.ports) yield source.node;
}

function sourceSpan(source: SourceDeclaration): Span {
  return { ...source.node.span, end: source.port?.span.end ?? source.node.span.end };
}
