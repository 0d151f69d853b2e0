import { nearest, obvious, suggestion } from "./diagnostic.ts";
import { inputPorts, outputPorts } from "./graph.ts";
import { KeySpaces } from "./key_spaces.ts";
import type { Known, WiringContext } from "./known_node.ts";
import { scalarsIn } from "./located.ts";
import { paramFacts } from "./params.ts";
import { isId, writtenWhere } from "./reader.ts";
import type { Name, NodeDeclaration, PortDeclaration, SourceDeclaration } from "./recipe.ts";
import type { Span } from "./source.ts";
import type { AnyStep, Port } from "./step.ts";

/** Wires nodes, sources before their users, and reports what does not fit. */
export class Wiring {
  readonly #spaces: KeySpaces;
  /** Nodes that a wrong or missing wire may have meant: nobody can say that nothing uses them. */
  readonly perhapsUsed = new Set<string>();

  constructor(readonly context: WiringContext) {
    this.#spaces = new KeySpaces(context);
  }

  wire(known: Known): void {
    const { declaration: { from }, step } = known;
    const ports = inputPorts(step);
    if (from === undefined) this.#reportNoWires(known, ports);
    else if (from.form === "broken") known.isBroken = true;
    else if (from.form === "short") this.#wireShort(known, from.source, ports);
    else this.#wireLong(known, from.ports, ports);
    this.#noteWiresAmongParams(known);
    for (const input of this.#spaces.find(known)) {
      this.#anyMayBeUsed((known.step.inputs as Record<string, Port>)[input]!, known.declaration.id);
    }
  }

  /** An input that stands in `with`, which is reported there, does use what it names. */
  #noteWiresAmongParams({ declaration, step }: Known) {
    for (const { key, value } of declaration.with?.entries ?? []) {
      if (!Object.hasOwn(step.inputs, key.name)) continue;
      for (const scalar of scalarsIn(value)) {
        this.perhapsUsed.add(String(scalar.value).split(".")[0]!);
      }
    }
  }

  #reportNoWires(known: Known, ports: readonly [string, Port][]) {
    const missing = this.#missing(known, new Set());
    this.#reportUnwired(known, missing);
    if (missing.length === 0) return;
    for (const [, port] of ports) this.#anyMayBeUsed(port, known.declaration.id);
  }

  /** For a node whose step is not known: whether its sources are there. */
  checkSources(declaration: NodeDeclaration): void {
    for (const source of sourcesOf(declaration)) this.#producer(declaration, source, undefined);
    if (declaration.from?.form === "long") {
      declaration.from.ports.forEach((each) => this.#reportSource(each));
    }
  }

  #reportSource({ problem }: PortDeclaration) {
    if (problem === undefined) return;
    const { message, at, help } = problem;
    this.context.report("bad-from", message, at.span, {
      help,
      related: writtenWhere(at.writtenAt),
    });
  }

  #wireShort(known: Known, source: SourceDeclaration, ports: readonly [string, Port][]) {
    const required = ports.filter(([, port]) => !port.isOptional);
    const only = required.length === 1 ? required[0] : ports.length === 1 ? ports[0] : undefined;
    if (only !== undefined) return this.#connect(known, only[0], only[1], source);
    this.#reportShortForm(known, source, required.length > 0 ? required : ports);
  }

  #wireLong(
    known: Known,
    wires: readonly PortDeclaration[],
    ports: readonly [string, Port][],
  ) {
    const given = new Set(wires.map(({ port }) => port.text));
    let isLost = false;
    for (const wire of wires) {
      const { port, source } = wire;
      if (source !== undefined && this.#isTurned(known, port, source, ports)) {
        given.add(source.node.text);
        continue;
      }
      if (isParamOf(known.step, port.text) && !this.#isInput(known, wire, given)) {
        this.#reportParam(known, port);
        continue;
      }
      const name = this.#inputNamed(known, port, ports, given);
      if (name !== undefined) this.#reportSource(wire);
      const wanted = ports.find(([each]) => each === name)?.[1];
      if (source === undefined) {
        known.isBroken = true;
        if (wanted !== undefined) this.#anyMayBeUsed(wanted, known.declaration.id);
      } else if (wanted !== undefined) {
        this.#connect(known, name!, wanted, source);
      } else {
        isLost = true;
        this.#producer(known.declaration, source, undefined);
      }
    }
    // An input of an unknown name may be any of those that are missing.
    if (!isLost) this.#reportUnwired(known, this.#missing(known, given));
  }

  /** `photos: image` for `image: photos`, which is reported. */
  #isTurned(
    known: Known,
    port: Name,
    source: SourceDeclaration,
    ports: readonly [string, Port][],
  ): boolean {
    const { declared } = this.context;
    const names = ports.map(([name]) => name);
    const node = port.text.split(".")[0]!;
    const { text: input } = source.node;
    const isTurned = declared.has(node) && !names.includes(port.text) &&
      names.includes(input) && !declared.has(input) && source.port === undefined;
    if (!isTurned) return false;
    known.isBroken = true;
    this.perhapsUsed.add(node);
    const span = { ...port.span, end: source.node.span.end };
    const sentence = `"${node}" is a node and "${input}" an input of step "${known.step.name}"`;
    const meant = node === known.declaration.id ? "node" : port.text;
    this.context.report("unknown-input", sentence, span, {
      help: `Write the input first: ${input}: ${meant}`,
    });
    return true;
  }

  /** Whether a parameter's name stands for an input that is missing: `images: photos` for `image`. */
  #isInput(known: Known, { port, source }: PortDeclaration, given: ReadonlySet<string>): boolean {
    if (source === undefined || !this.context.declared.has(source.node.text)) return false;
    const missing = this.#missing(known, given).map(([name]) => name);
    return obvious(port.text, missing) !== undefined;
  }

  #reportParam(known: Known, { text, span }: Name) {
    known.isBroken = true;
    const sentence = `"${text}" is a parameter of step "${known.step.name}", not an input`;
    this.context.report("unknown-input", sentence, span, {
      help: known.declaration.with === undefined
        ? `Write with: { ${text}: … }`
        : `Move it to with: { … }`,
    });
  }

  /** The input that a name stands for, misspelt ones too; the name is added to `given`. */
  #inputNamed(
    known: Known,
    port: Name,
    ports: readonly [string, Port][],
    given: Set<string>,
  ): string | undefined {
    const names = ports.map(([name]) => name);
    if (names.includes(port.text)) return port.text;
    known.isBroken = true;
    const { step } = known;
    const sentence = `Step "${step.name}" has no input "${port.text}"`;
    this.context.report("unknown-input", sentence, port.span, {
      help: names.length === 0
        ? `Step "${step.name}" takes no input`
        : suggestion(port.text, names, "Inputs"),
    });
    const meant = obvious(port.text, names.filter((name) => !given.has(name)));
    if (meant !== undefined) given.add(meant);
    return meant;
  }

  /** Required inputs that nothing was written for, not even in the wrong place. */
  #missing({ declaration, step }: Known, given: ReadonlySet<string>): readonly [string, Port][] {
    const misplaced = new Set(declaration.unknownKeys.map(({ entry }) => entry.key.name));
    const params = paramFacts(step.params).map(({ name }) => name);
    for (const { key } of declaration.with?.entries ?? []) {
      if (!params.includes(key.name)) misplaced.add(key.name);
    }
    return inputPorts(step).filter(([name, port]) =>
      !port.isOptional && !given.has(name) && !misplaced.has(name)
    );
  }

  #connect(known: Known, input: string, port: Port, source: SourceDeclaration) {
    const { declaration } = known;
    const producer = this.#producer(declaration, source, port);
    if (producer === undefined || this.#isInRing(declaration.id, producer.declaration.id)) {
      known.isBroken = true;
      return;
    }
    if (producer.isGuess) return void (known.isBroken = true);
    const output = this.#outputPort(known, input, port, producer, source);
    if (output === undefined) return void (known.isBroken = true);
    const wire = { known, input, port, producer, output, span: sourceSpan(source) };
    const [name, outputPort] = output;
    if (outputPort.kind.name !== port.kind.name) return this.#reportKind(wire);
    if (!fits(outputPort.flow, port.flow)) return this.#reportFlow(wire);
    known.wires[input] = { node: producer.declaration.id, port: name };
    known.wireSpans[input] = wire.span;
    if (producer.isBroken) known.isBroken = true;
  }

  #isInRing(id: string, source: string): boolean {
    return this.context.rings.some((ring) => ring.includes(id) && ring.includes(source));
  }

  /** The node that a source names; undefined where there is none, or its step is unknown. */
  #producer(
    { id: user }: NodeDeclaration,
    source: SourceDeclaration,
    port: Port | undefined,
  ): Known | undefined {
    const { known, declared } = this.context;
    const { text: id } = source.node;
    if (declared.has(id) || this.context.passedOver.has(id)) return known.get(id);
    const written = source.port === undefined ? id : `${id}.${source.port.text}`;
    const stepsNode = this.#userOf(written);
    const others = [...declared.keys()].filter((each) => each !== user);
    const meant = stepsNode?.id ?? obvious(id, others);
    if (meant !== undefined) this.perhapsUsed.add(meant);
    else this.#anyMayBeUsed(port, user);
    if (stepsNode === undefined) this.#reportUnknownSource(source.node, others);
    else this.#reportStep(source, stepsNode);
    return undefined;
  }

  /** The first node that uses a step. */
  #userOf(stepName: string): NodeDeclaration | undefined {
    return [...this.context.known.values()].find(({ step }) => step.name === stepName)?.declaration;
  }

  #reportStep(source: SourceDeclaration, user: NodeDeclaration) {
    this.perhapsUsed.add(user.id);
    const written = `${source.node.text}.${source.port?.text}`;
    const sentence = `"${written}" is a step, and "from" names a node`;
    this.context.report("unknown-source", sentence, sourceSpan(source), {
      help: `Did you mean "${user.id}", which uses it?`,
    });
  }

  #reportUnknownSource({ text: id, span }: Name, others: readonly string[]) {
    const meant = this.context.declared.get(obvious(id, others) ?? "");
    if (meant !== undefined && !isId(meant.id)) return; // reported where the node is
    this.context.report("unknown-source", `There is no node "${id}"`, span, {
      help: meant === undefined && id.startsWith("$")
        ? 'Parameters belong under "with"; a wire comes from a node'
        : suggestion(id, others, "Nodes"),
      related: meant === undefined
        ? []
        : [{ message: `"${meant.id}" stands here`, span: meant.idSpan }],
    });
  }

  #anyMayBeUsed(port: Port | undefined, except: string) {
    const ids = port === undefined
      ? [...this.context.declared.keys()]
      : this.#nodesThatGive(port, except).map((source) => source.split(".")[0]!);
    for (const id of ids) this.perhapsUsed.add(id);
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
      const { text, span } = source.port;
      const found = ports.find(([name]) => name === text);
      if (found !== undefined) return found;
      this.perhapsUsed.add(text); // it may be a node's name
      const user = this.#userOf(`${id}.${text}`);
      if (user !== undefined) return void this.#reportStep(source, user);
      const names = ports.map(([each]) => each);
      const isNode = this.context.declared.has(text) && nearest(text, names) === undefined;
      const sentence = `Node "${id}" (${producer.step.name}) has no output "${text}"`;
      this.context.report("unknown-output", sentence, span, {
        help: isNode
          ? `"${text}" is a node: write ${text} alone to take what it makes`
          : suggestion(text, names, "Outputs"),
      });
      return undefined;
    }
    if (ports.length === 1) return ports[0];
    const sameKind = ports.filter(([, port]) => port.kind.name === wanted.kind.name);
    const fitting = sameKind.filter(([, port]) => fits(port.flow, wanted.flow));
    if (fitting.length === 1) return fitting[0];
    if (fitting.length === 0) return sameKind[0] ?? ports[0];
    this.context.report(
      "ambiguous-output",
      `Node "${id}" has several outputs that fit input "${input}" of "${known.declaration.id}"`,
      source.node.span,
      { help: `Say which: ${fitting.map(([name]) => `${id}.${name}`).join(", ")}` },
    );
    return undefined;
  }

  #reportUnwired(known: Known, ports: readonly [string, Port][]) {
    if (ports.length === 0) return;
    known.isBroken = true;
    const { declaration, step } = known;
    const names = ports.map(([name]) => `"${name}"`).join(" and ");
    const noun = ports.length === 1 ? "input" : "inputs";
    for (const [, port] of ports) this.#anyMayBeUsed(port, declaration.id);
    this.context.report(
      "missing-input",
      `Node "${declaration.id}" gives step "${step.name}" nothing for ${noun} ${names}`,
      declaration.from?.form === "long" ? declaration.from.span : declaration.use!.span,
      { help: this.#wireHelp(known, ports) },
    );
  }

  #wireHelp({ declaration, step }: Known, ports: readonly [string, Port][]): string {
    const wires: string[] = [];
    for (const [name, port] of ports) {
      const sources = this.#nodesThatGive(port, declaration.id);
      const source = sources.find((each) => !this.#isNamed(each)) ?? sources[0];
      if (source === undefined) return `It wants ${portWords(port)}; no node here gives that`;
      wires.push(`${name}: ${source}`);
    }
    if (declaration.from !== undefined) return `Add ${wires.join(", ")} to from: { … }`;
    return inputPorts(step).length === 1
      ? `Add from: ${wires[0]!.slice(wires[0]!.indexOf(":") + 2)}`
      : `Add from: { ${wires.join(", ")} }`;
  }

  /** Whether a wire names the node of a source. */
  #isNamed(source: string): boolean {
    const id = source.split(".")[0]!;
    return [...this.context.declared.values()].some((declaration) =>
      [...sourcesOf(declaration)].some(({ node }) => node.text === id)
    );
  }

  #reportShortForm(known: Known, source: SourceDeclaration, wanted: readonly [string, Port][]) {
    known.isBroken = true;
    const { step, declaration } = known;
    const { report } = this.context;
    if (wanted.length === 0) {
      return report("unknown-input", `Step "${step.name}" takes no input`, sourceSpan(source), {
        help: 'Remove "from"',
      });
    }
    this.#producer(declaration, source, undefined);
    for (const [, port] of wanted) this.#anyMayBeUsed(port, declaration.id);
    const names = wanted.map(([name]) => name);
    report(
      "ambiguous-input",
      `Step "${step.name}" has several inputs: ${names.map((name) => `"${name}"`).join(", ")}`,
      sourceSpan(source),
      { help: `Say which: from: { ${names.map((name) => `${name}: …`).join(", ")} }` },
    );
  }

  #reportKind({ known, input, port, producer, output, span }: WrongWire) {
    known.isBroken = true;
    const sources = this.#nodesThatGive(port, known.declaration.id);
    for (const source of sources) this.perhapsUsed.add(source.split(".")[0]!);
    const [name, { kind }] = output;
    const given = `"${producer.declaration.id}.${name}" is ${kind.name}`;
    this.context.report(
      "kind-mismatch",
      `Input "${input}" of step "${known.step.name}" wants ${port.kind.name}, but ${given}`,
      span,
      {
        help: sources.length === 0
          ? `No node here gives ${port.kind.name}`
          : `${port.kind.name} comes from ${quoted(sources)}`,
      },
    );
  }

  #reportFlow({ known, input, port, producer, output, span }: WrongWire) {
    known.isBroken = true;
    const sources = this.#nodesThatGive(port, known.declaration.id);
    for (const source of sources) this.perhapsUsed.add(source.split(".")[0]!);
    const [name, { flow }] = output;
    const kind = port.kind.name;
    const wants = `wants ${flowWords[port.flow]}`;
    const gives = `"${producer.declaration.id}.${name}" gives ${flowWords[flow]}`;
    this.context.report(
      "flow-mismatch",
      `Input "${input}" of step "${known.step.name}" ${wants}, but ${gives}`,
      span,
      {
        help: sources.length > 0
          ? `${flowWords[port.flow]} comes from ${quoted(sources)}`
          : flow === "one"
          ? `Let a node that gives one ${kind} an item feed it`
          : `Let a step that gathers all items into one ${kind} come between`,
      },
    );
  }

  #nodesThatGive(wanted: Port, except: string): string[] {
    return [...this.context.known.values()].flatMap(({ declaration, step }) => {
      const ports = outputPorts(step);
      const fitting = ports.filter(([, port]) =>
        port.kind.name === wanted.kind.name && fits(port.flow, wanted.flow)
      );
      if (declaration.id === except || fitting.length === 0) return [];
      return [ports.length === 1 ? declaration.id : `${declaration.id}.${fitting[0]![0]}`];
    });
  }
}

/** Whether a name is that of a parameter, and of no input. */
function isParamOf({ params, inputs }: AnyStep, name: string): boolean {
  return !Object.hasOwn(inputs, name) && paramFacts(params).some((fact) => fact.name === name);
}

/** The parameters of a step that stand among the wires. */
export function paramsAmongWires({ from }: NodeDeclaration, step: AnyStep): readonly string[] {
  if (from?.form !== "long") return [];
  return from.ports.map(({ port }) => port.text).filter((name) => isParamOf(step, name));
}

/** A wire between ports that do not fit. */
interface WrongWire {
  readonly known: Known;
  readonly input: string;
  readonly port: Port;
  readonly producer: Known;
  readonly output: [string, Port];
  readonly span: Span;
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

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}

/** An output feeds `each` and `all` where it has a value an item, `one` where it has a single one. */
function fits(output: string, input: string): boolean {
  return (output === "one") === (input === "one");
}

/** The sources that a node names. */
export function* sourcesOf({ from }: NodeDeclaration): Iterable<SourceDeclaration> {
  if (from?.form === "short") yield from.source;
  if (from?.form !== "long") return;
  for (const { source } of from.ports) if (source !== undefined) yield source;
}

function sourceSpan(source: SourceDeclaration): Span {
  return { ...source.node.span, end: source.port?.span.end ?? source.node.span.end };
}
