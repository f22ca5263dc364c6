// Index arithmetic: WGSL that reads four consecutive elements of an iteration space through a chain of
// strided views, by one vector load wherever alignment allows.

import type { Shape } from "../src/core/shape.ts";
import { isDense, type View, type ViewChain } from "../src/core/view.ts";
import { loadScalar, type StorageFormat, vectorLoad } from "./storage.ts";
import type { Target } from "./target.ts";

/** How an operand's four elements are fetched; it decides how its array is declared. */
export type AccessKind = "vector" | "scalar";

/** The code that reads an operand at one place. `$` stands for the place's suffix, `@i` for its index. */
export interface Access {
  readonly kind: AccessKind;
  /** Statements that declare what the expression needs. */
  readonly statements: string;
  /** An expression of the compute type. */
  readonly expression: string;
}

interface Dimension {
  readonly extent: number;
  readonly stride: number;
}

/** Neighbouring axes that step as one are one; axes of extent 1 vanish. */
function collapse(view: View): Dimension[] {
  const dimensions: { extent: number; stride: number }[] = [];
  view.shape.forEach((extent, axis) => {
    if (extent === 1) return;
    const stride = view.strides[axis]!;
    const last = dimensions[dimensions.length - 1];
    if (last && last.stride === stride * extent) {
      last.extent *= extent;
      last.stride = stride;
    } else dimensions.push({ extent, stride });
  });
  return dimensions;
}

/**
 * Gives a u32 to the kernel as a parameter and returns its WGSL. Where a window begins is told this way, so
 * that windows at other places, as a loop over batches reads them, make no new text.
 */
export type PlaceParameter = (value: number) => string;

/** A number modulo 2**32: negative strides and offsets wrap around, and so does the sum that they go into. */
function wrapped(value: number): number {
  return ((value % 2 ** 32) + 2 ** 32) % 2 ** 32;
}

/** A u32 literal. */
function literal(value: number): string {
  return `${wrapped(value)}u`;
}

/**
 * WGSL that turns a row-major position into an element number through one view. The leading extent never
 * appears, so that a new batch size makes no new text.
 */
function elementThrough(
  view: View,
  position: string,
  type: "u32" | "vec4u",
  name: string,
  parameter: PlaceParameter,
): { statements: string; result: string } {
  const splat = (value: string) => type === "u32" ? value : `vec4u(${value})`;
  const dimensions = collapse(view);
  const terms: string[] = view.offset !== 0 ? [splat(parameter(wrapped(view.offset)))] : [];
  let statements = "";
  let rest = position;
  for (let d = dimensions.length - 1; d >= 0; d--) {
    const { extent, stride } = dimensions[d]!;
    const coordinate = d === 0 ? rest : `(${rest} % ${splat(literal(extent))})`;
    if (stride !== 0) {
      terms.push(stride === 1 ? coordinate : `${coordinate} * ${splat(literal(stride))}`);
    }
    if (d > 0) {
      statements += `let ${name}_${d}$ = ${rest} / ${splat(literal(extent))};\n`;
      rest = `${name}_${d}$`;
    }
  }
  statements += `let ${name}$ = ${terms.length ? terms.join(" + ") : splat("0u")};\n`;
  return { statements, result: `${name}$` };
}

/** WGSL for the stored element numbers that a position names through a whole chain, outermost view first. */
function elementThroughChain(
  chain: ViewChain,
  position: string,
  type: "u32" | "vec4u",
  name: string,
  parameter: PlaceParameter,
): { statements: string; result: string } {
  let statements = "";
  let result = position;
  for (let v = chain.length - 1; v >= 0; v--) {
    const view = chain[v]!;
    if (isDense(view)) continue;
    const through = elementThrough(view, result, type, `${name}_${v}`, parameter);
    statements += through.statements;
    result = through.result;
  }
  return { statements, result };
}

/** Whether four positions from a multiple of 4 on stay in one vector, or in one element. */
function vectorKind(chain: ViewChain): "vector" | "splat" | "gather" {
  for (let v = chain.length - 1; v >= 1; v--) {
    // Below a dense view positions pass unchanged; anything else scatters them as far as we look.
    if (!isDense(chain[v]!)) return "gather";
  }
  const view = chain[0]!;
  const dimensions = collapse(view);
  const inner = dimensions[dimensions.length - 1];
  if (!inner || dimensions.every((d) => d.stride === 0)) return "splat";
  // The leading extent may end in the middle of a vector: what lies past the end is never used.
  if (dimensions.length > 1 && inner.extent % 4 !== 0) return "gather";
  if (inner.stride === 0) return "splat";
  const outerAligned = dimensions.slice(0, -1).every((d) => d.stride % 4 === 0);
  return inner.stride === 1 && outerAligned && view.offset % 4 === 0 ? "vector" : "gather";
}

/** How the operand will be read: its array is declared with vector or with scalar elements accordingly. */
export function accessKind(chain: ViewChain, aligned: boolean): AccessKind {
  return aligned && vectorKind(chain) === "vector" ? "vector" : "scalar";
}

/**
 * The code that reads four elements at positions `@i` to `@i + 3`.
 * @param array the WGSL variable, declared as `kind` tells; @param name a prefix for names declared.
 */
export function accessElements(
  format: StorageFormat,
  chain: ViewChain,
  aligned: boolean,
  array: string,
  name: string,
  kind: AccessKind,
  parameter: PlaceParameter,
  target: Target,
): Access {
  const shape = vectorKind(chain);
  if (kind === "vector") {
    const { statements, result } = elementThroughChain(chain, "@i", "u32", `${name}_e`, parameter);
    return {
      kind,
      statements: `${statements}let ${name}_q$ = ${array}[${result} >> 2u];\n`,
      expression: vectorLoad(format, target).unpack(`${name}_q$`),
    };
  }
  const wide = format === "int32"
    ? "vec4i"
    : format === "uint32"
    ? "vec4u"
    : format === "bool"
    ? "vec4<bool>"
    : "vec4f";
  if (shape === "splat" && (aligned || chain.every((v) => v.strides.every((s) => s === 0)))) {
    const { statements, result } = elementThroughChain(chain, "@i", "u32", `${name}_e`, parameter);
    return { kind, statements, expression: `${wide}(${loadScalar(format, array, result)})` };
  }
  const { statements, result } = elementThroughChain(
    chain,
    `${name}_p$`,
    "vec4u",
    `${name}_e`,
    parameter,
  );
  const lanes = ["x", "y", "z", "w"].map((c) => loadScalar(format, array, `${result}.${c}`));
  return {
    kind,
    statements: `let ${name}_p$ = vec4u(@i) + vec4u(0u, 1u, 2u, 3u);\n${statements}`,
    expression: `${wide}(${lanes.join(", ")})`,
  };
}

/** A vec4<bool> expression: which of the four positions from `@i` on lie inside every bound of the chain. */
export function accessValid(
  chain: ViewChain,
  name: string,
  parameter: PlaceParameter,
): { statements: string; expression: string } {
  let statements = `let ${name}_p$ = vec4u(@i) + vec4u(0u, 1u, 2u, 3u);\n`;
  let position = `${name}_p$`;
  const tests: string[] = [];
  for (let v = chain.length - 1; v >= 0; v--) {
    const view = chain[v]!;
    for (const bound of view.bounds) {
      const below = view.shape.slice(bound.axis + 1).reduce((a, b) => a * b, 1);
      const coordinate = `((${position} / vec4u(${literal(below)})) % vec4u(${
        literal(view.shape[bound.axis]!)
      }))`;
      // One comparison serves both ends: below the start the difference wraps around to a huge number.
      tests.push(
        `((${coordinate} - vec4u(${parameter(wrapped(bound.start))})) < vec4u(${
          parameter(Math.max(0, bound.stop - bound.start))
        }))`,
      );
    }
    if (v > 0 && !isDense(view)) {
      const through = elementThrough(view, position, "vec4u", `${name}_v${v}`, parameter);
      statements += through.statements;
      position = through.result;
    }
  }
  return { statements, expression: tests.length ? tests.join(" & ") : "vec4<bool>(true)" };
}

/** A vec4u expression: the coordinates along `axis` of the innermost shape at positions `@i` to `@i + 3`. */
export function accessCoordinate(
  chain: ViewChain,
  shape: Shape,
  axis: number,
  name: string,
  parameter: PlaceParameter,
): { statements: string; expression: string } {
  const { statements, result } = elementThroughChain(
    chain,
    `${name}_p$`,
    "vec4u",
    `${name}_e`,
    parameter,
  );
  const below = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const quotient = below === 1 ? result : `(${result} / vec4u(${literal(below)}))`;
  // The leading coordinate needs no remainder, so its extent stays out of the text.
  const expression = axis === 0 ? quotient : `(${quotient} % vec4u(${literal(shape[axis]!)}))`;
  return {
    statements: `let ${name}_p$ = vec4u(@i) + vec4u(0u, 1u, 2u, 3u);\n${statements}`,
    expression,
  };
}
