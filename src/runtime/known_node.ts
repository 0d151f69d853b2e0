import type { Related } from "./diagnostic.ts";
import type { Wire } from "./graph.ts";
import type { NodeDeclaration } from "./recipe.ts";
import type { Span } from "./source.ts";
import type { AnyStep } from "./step.ts";

/** A node whose step is known. */
export interface Known {
  readonly declaration: NodeDeclaration;
  readonly step: AnyStep;
  readonly version: number | string;
  /** The step that was probably meant, not the one that was named: its wires are not trusted. */
  readonly isGuess: boolean;
  /** Filled in graph order; a wire that is wrong is left out. */
  readonly wires: Record<string, Wire>;
  readonly wireSpans: Record<string, Span>;
  space?: string;
  /** Something about it is wrong, so what follows from it is not reported again. */
  isBroken: boolean;
  params?: Readonly<Record<string, unknown>>;
}

/** Reports a mistake. */
export type Report = (
  code: string,
  message: string,
  span: Span,
  more?: { readonly help?: string; readonly related?: readonly Related[] },
) => void;

export interface WiringContext {
  readonly known: ReadonlyMap<string, Known>;
  readonly declared: ReadonlyMap<string, NodeDeclaration>;
  /** Nodes that stand where none is read, which is reported. */
  readonly passedOver: ReadonlySet<string>;
  /** Nodes that wait for each other; reported, so their wires are not looked at. */
  readonly rings: readonly (readonly string[])[];
  readonly report: Report;
}
