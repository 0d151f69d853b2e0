import type { Catalog } from "./catalog.ts";
import { type Diagnostic, nearest, obvious, type Related, suggestion } from "./diagnostic.ts";
import { type Graph, type GraphNode, inputPorts } from "./graph.ts";
import type { Json } from "./hash.ts";
import { type LocatedEntry, scalarsIn } from "./located.ts";
import type { Known } from "./known_node.ts";
import { inCycles, topological } from "./order.ts";
import { paramFacts } from "./params.ts";
import { writtenWhere } from "./reader.ts";
import {
  isPlausible,
  looksLikeNode,
  type Name,
  type NodeDeclaration,
  nodeKeys,
  type Recipe,
  withoutMended,
} from "./recipe.ts";
import { namesInBroken } from "./recipe_wires.ts";
import { checkReferences, mentionedNames } from "./references.ts";
import { type ResolvedParam, resolveParams, type Settings } from "./settings.ts";
import type { Span } from "./source.ts";
import type { AnyStep } from "./step.ts";
import { checkValues } from "./values.ts";
import { paramsAmongWires, sourcesOf, Wiring } from "./wiring.ts";

/** What became of a `use` that names a file. */
export type UserStep =
  | { readonly step: AnyStep; readonly fingerprint: string }
  | { readonly problem: string; readonly help?: string; readonly related?: readonly Related[] };

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
  return /\.(([cm]?[tj]sx?)|py|json)$/.test(use) || /^(\.{0,2}\/|~\/|[a-z]+:\/\/)/i.test(use);
}

/** Whether a recipe uses files of steps. */
export function usesStepFiles(recipe: Recipe): boolean {
  return recipe.nodes.some(({ use }) => use !== undefined && isUserStep(use.text));
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
    for (const node of this.recipe.nodes) this.#reportUnknownKeys(node);
    const { order, rings } = this.#order();
    const wiring = new Wiring({
      known: this.#known,
      declared: this.#declared,
      passedOver: new Set(
        this.recipe.passedOver.flatMap((each) => each.type === "map" ? each.entries : [])
          .filter(looksLikeNode).map(({ key }) => key.name),
      ),
      rings,
      report: (...parts) => this.#error(...parts),
    });
    for (const id of order) this.#checkNode(this.#declared.get(id)!, wiring);
    this.#checkNames();
    // In a ring at least one wire should come from another node: it may be any.
    if (rings.length === 0) this.#checkUnused(wiring.perhapsUsed);
    const diagnostics = withoutRepeats(withoutMended(this.#diagnostics, this.recipe.mended));
    const hasError = this.recipe.mended.length > 0 ||
      diagnostics.some((diagnostic) => diagnostic.severity === "error");
    return { graph: hasError ? undefined : this.#graph(order), diagnostics };
  }

  #graph(order: readonly string[]): Graph | undefined {
    const nodes: GraphNode[] = [];
    for (const id of order) {
      const known = this.#known.get(id);
      if (known?.params === undefined) return undefined; // a parameter has no value yet
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
    const isBroken = found.isGuess;
    this.#known.set(declaration.id, { declaration, ...found, wires: {}, wireSpans: {}, isBroken });
  }

  #catalogStep(use: Name): Pick<Known, "step" | "version" | "isGuess"> | undefined {
    const { catalog } = this.options;
    const step = catalog.get(use.text);
    if (step !== undefined) return { step, version: step.version, isGuess: false };
    const names = catalog.names();
    const [topic, last] = [use.text.split(".")[0], use.text.split(".").at(-1)];
    const namesakes = names.filter((name) => name.split(".").at(-1) === last);
    const kin = names.filter((name) => name.split(".")[0] === topic);
    this.#error("unknown-step", `There is no step "${use.text}"`, use.span, {
      help: use.text.startsWith("$")
        ? "A parameter cannot name a step: write the step's name"
        : nearest(use.text, names) === undefined && namesakes.length > 0
        ? suggestion(namesakes[0]!, namesakes, "Steps")
        : kin.length > 0 && (nearest(use.text, names) === undefined || use.text === topic)
        ? suggestion("", kin, `Steps of "${topic}"`)
        : suggestion(use.text, names, "Steps"),
    });
    const meant = catalog.get(obvious(use.text, names) ?? "");
    return meant === undefined ? undefined : { step: meant, version: meant.version, isGuess: true };
  }

  #userStep(use: Name): Pick<Known, "step" | "version" | "isGuess"> | undefined {
    const found = this.options.userSteps?.get(use.text) ?? { problem: "it was not loaded" };
    if ("step" in found) return { step: found.step, version: found.fingerprint, isGuess: false };
    const { problem, help, related } = found;
    const sentence = `Cannot use step file "${use.text}": ${problem}`;
    this.#error("bad-step-file", sentence, use.span, { help, related });
  }

  #reportUnknownKeys(node: NodeDeclaration) {
    for (const { entry, meant } of node.unknownKeys) {
      const { key } = entry;
      this.#error("unknown-key", `Node "${node.id}" has no key "${key.name}"`, key.span, {
        help: meant === undefined && looksLikeNode(entry)
          ? `It looks like a node: let it begin in the column of "${node.id}"`
          : this.#keyHelp(entry, meant, node),
        related: writtenWhere(key.writtenAt),
      });
    }
  }

  /** What a key of a node was meant for: a misspelt one, or one that belongs a level deeper. */
  #keyHelp(
    { key: { name }, value }: LocatedEntry,
    meant: string | undefined,
    { id, from }: NodeDeclaration,
  ) {
    if (name === "<<") return 'The merge key "<<" is YAML 1.1: write the keys out';
    const step = this.#known.get(id)?.step;
    const params = step === undefined ? [] : paramFacts(step.params).map((fact) => fact.name);
    const isInput = step !== undefined && Object.hasOwn(step.inputs, name);
    const isWired = from?.form === "long" && from.ports.some(({ port }) => port.text === name);
    if (isInput && !(isWired && params.includes(name))) {
      return `"${name}" is an input of "${step.name}": write from: { ${name}: … }`;
    }
    const near = nearest(name, nodeKeys);
    const param = params.includes(name)
      ? name
      : meant === undefined && near === undefined
      ? nearest(name, params)
      : undefined;
    const isOther = near !== undefined && meant === undefined && !isPlausible(near, value);
    return param === undefined
      ? suggestion(isOther ? "" : name, nodeKeys, "Keys")
      : `"${param}" is a parameter of "${step!.name}": write with: { ${param}: … }`;
  }

  /** Sources before their users; nodes in a ring are reported. */
  #order(): { readonly order: readonly string[]; readonly rings: readonly (readonly string[])[] } {
    const sources = new Map(this.recipe.nodes.map((node) => [node.id, this.#sourcesOf(node)]));
    const rings = inCycles(sources);
    for (const ring of rings) this.#reportCycle(ring);
    return { order: topological(sources), rings };
  }

  /** The nodes that a node waits for: none where its step takes nothing. */
  #sourcesOf(node: NodeDeclaration): readonly string[] {
    const step = this.#known.get(node.id)?.step;
    if (step !== undefined && inputPorts(step).length === 0) return [];
    return [...sourcesOf(node)].map((source) => source.node.text);
  }

  #reportCycle(ring: readonly string[]) {
    const wireOf = (from: string, to: string) =>
      [...sourcesOf(this.#declared.get(from)!)].find(({ node }) => node.text === to)!.node.span;
    const steps = ring.map((id, index) => ({ id, next: ring[(index + 1) % ring.length]! }));
    const [first, ...rest] = steps;
    const trail = [...ring, ring[0]].map((id) => `"${id}"`).join(" → ");
    const sentence = rest.length === 0
      ? `Node "${ring[0]}" waits for itself`
      : `Nodes wait for each other: ${trail}`;
    this.#error("cycle", sentence, wireOf(first!.id, first!.next), {
      related: rest.map(({ id, next }) => ({
        message: `"${id}" waits for "${next}"`,
        span: wireOf(id, next),
      })),
      help: rest.length === 0
        ? "Let it take its input from another node"
        : "Let one of them take its input from somewhere else",
    });
    for (const id of ring) {
      const known = this.#known.get(id);
      if (known !== undefined) known.isBroken = true;
    }
  }

  #checkNode(declaration: NodeDeclaration, wiring: Wiring) {
    const known = this.#known.get(declaration.id);
    if (this.recipe.hasAllParams) {
      this.#diagnostics.push(...checkReferences(declaration.with, this.#params));
    }
    if (known === undefined) return wiring.checkSources(declaration);
    const before = this.#diagnostics.length;
    wiring.wire(known);
    if (!declaration.isWithBroken) {
      const misplaced = new Set([
        ...declaration.unknownKeys.map(({ entry }) => entry.key.name),
        ...paramsAmongWires(declaration, known.step),
      ]);
      const options = { params: this.#params, misplaced };
      const { params, diagnostics } = checkValues(declaration, known.step, options);
      known.params = params;
      this.#diagnostics.push(...diagnostics);
    }
    if (!known.isGuess) return;
    // Of a step that was only guessed, what is missing is not certain.
    const found = this.#diagnostics.splice(before);
    this.#diagnostics.push(
      ...found.filter(({ span }) => span.start !== declaration.use!.span.start),
    );
  }

  #checkNames() {
    const used = new Set(mentionedNames(this.recipe.written));
    // What is read nowhere may be what a name that is nowhere means, or belong where nothing could be read.
    let mayBeUsed = this.recipe.nodes.some(({ isWithBroken }) => isWithBroken);
    for (const name of [...used].filter((each) => !this.#params.has(each))) {
      const meant = nearest(name, this.#params.keys());
      if (meant === undefined) mayBeUsed = true;
      else used.add(meant);
    }
    for (const [name, param] of this.#params) {
      if (!used.has(name)) {
        if (this.recipe.nodes.length === 0 || mayBeUsed || this.#isInMistake(name)) continue;
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

  /** Whether a name stands, as a word, in what is told to be wrong: `quality` for `$quality`. */
  #isInMistake(name: string): boolean {
    return this.#diagnostics.some(({ severity, span: { file, start, end } }) =>
      severity === "error" && wordsIn(file.text.slice(start, end)).includes(name)
    );
  }

  #checkUnused(perhapsUsed: ReadonlySet<string>) {
    // A node whose step and wires nobody knows may use any other.
    if (this.recipe.nodes.some(({ id, from }) => from === undefined && !this.#known.has(id))) {
      return;
    }
    const used = new Set(perhapsUsed);
    for (const node of this.recipe.nodes) {
      for (const source of sourcesOf(node)) used.add(source.node.text);
      for (const name of namesInBroken(node.from)) used.add(name);
    }
    for (const located of this.recipe.passedOver) {
      for (const { value } of scalarsIn(located)) {
        for (const [word] of String(value).matchAll(/\w+/g)) used.add(word);
      }
    }
    for (const { declaration, step, isGuess } of this.#known.values()) {
      const isResult = step.isResult || step.world === "writes";
      if (isResult || isGuess || used.has(declaration.id)) continue;
      const sentence = `Nothing uses what node "${declaration.id}" makes`;
      this.#warn("unused-node", sentence, declaration.idSpan, {
        help: "Publish or report it, or remove the node",
      });
    }
  }

  #error(
    code: string,
    message: string,
    span: Span,
    more: { readonly help?: string; readonly related?: readonly Related[] } = {},
  ) {
    const related = more.related?.length === 0 ? undefined : more.related;
    this.#diagnostics.push({ code, severity: "error", message, span, help: more.help, related });
  }

  #warn(code: string, message: string, span: Span, more: { readonly help?: string } = {}) {
    this.#diagnostics.push({ code, severity: "warning", message, span, ...more });
  }
}

function wordsIn(text: string): readonly string[] {
  return text.match(/[\p{L}\p{N}_-]+/gu) ?? [];
}

/** A mistake inside an anchored value is not told again for each alias that repeats it. */
function withoutRepeats(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const key = ({ code, message }: Diagnostic, { start }: Span) => `${start} ${code} ${message}`;
  const told = new Map(diagnostics.map((each) => [key(each, each.span), each]));
  return diagnostics.filter((diagnostic) =>
    told.get(key(diagnostic, diagnostic.span)) === diagnostic &&
    !(diagnostic.related ?? []).some(({ span }) => told.has(key(diagnostic, span)))
  );
}
