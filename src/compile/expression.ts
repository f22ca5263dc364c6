// Expressions: the elementwise operations and movements between stored arrays and a kernel's results,
// turned into a WGSL fragment. Movements cost nothing here: they only change how operands are indexed.

import { isFloating, isHalf } from "../core/dtype.ts";
import { roundTo } from "../core/half.ts";
import { sameShape, type Shape } from "../core/shape.ts";
import { denseView, moveChain, type Movement, type ViewChain } from "../core/view.ts";
import type { Node, Variable } from "../ir/graph.ts";
import { elementarySource } from "../../kernels/elementary/table.ts";
import { accessCoordinate, accessElements, accessKind, accessValid } from "../../kernels/access.ts";
import type { Fragment, FragmentText } from "../../kernels/fragment.ts";
import type { Parameter } from "../../kernels/kernel.ts";
import {
  computeType,
  roundVector,
  storageFormat,
  vectorLoadFunctions,
} from "../../kernels/storage.ts";
import type { Target } from "../../kernels/target.ts";
import { OperandArrays } from "./operand_arrays.ts";

/** What an expression is made from. */
export interface ExpressionRequest {
  /** The variables to compute, all of the iteration space's size. */
  readonly roots: readonly Variable[];
  /** The iteration space. */
  readonly shape: Shape;
  /** A movement from the roots' shape to the iteration space, where they differ. */
  readonly movement?: Movement;
  /** Variables that the kernel computes itself, in the order of `emit`'s anchors. */
  readonly anchors?: readonly Variable[];
  /** Whether indices are multiples of 4; see {@linkcode Fragment.aligned}. */
  readonly aligned: boolean;
  /** The node of a variable that is computed in place; stored variables have none. */
  readonly inlined: (variable: Variable) => Node | undefined;
  readonly target: Target;
  /** A prefix that keeps this fragment's names apart from another's in the same kernel. */
  readonly prefix: string;
  /** Whether results are left for a store to round. */
  readonly roundResults?: boolean;
  /** Variables that the kernel stores over, and the names of the outputs that they become. */
  readonly updated?: ReadonlyMap<Variable, string>;
}

/** A fragment and the stored variables that its bindings read, in order. */
export interface Expression {
  readonly fragment: Fragment;
  readonly operands: readonly Variable[];
}

/** Movements between a place in the expression and the iteration space, innermost first. */
interface Path {
  readonly id: string;
  readonly movement: Movement;
  readonly outer: Path | null;
}

/** Builds the fragment of an expression. */
export function buildExpression(request: ExpressionRequest): Expression {
  return new ExpressionBuilder(request).build();
}

class ExpressionBuilder {
  readonly #request: ExpressionRequest;
  readonly #arrays: OperandArrays;
  readonly #parameters: Parameter[] = [];
  readonly #functions = new Set<string>();
  readonly #memo = new Map<Variable, Map<string, string>>();
  #statements = "";
  #names = 0;

  constructor(request: ExpressionRequest) {
    this.#request = request;
    this.#arrays = new OperandArrays(request.prefix, request.target, request.updated);
  }

  build(): Expression {
    const { roots, movement, aligned, roundResults } = this.#request;
    const path = movement ? extend(null, movement) : null;
    const results = roots.map((v) => roundResults ? this.#rounded(v, path) : this.#raw(v, path));
    const statements = this.#statements;
    return {
      operands: this.#arrays.operands,
      fragment: {
        bindings: this.#arrays.bindings,
        parameters: this.#parameters,
        functions: vectorLoadFunctions(this.#request.target) + elementarySource(this.#functions),
        aligned,
        emit: (index, anchors, suffix): FragmentText => {
          const place = (text: string) =>
            text.replaceAll("$", suffix).replaceAll("@i", index)
              .replace(/@a(\d+)/g, (_, i) => anchors[Number(i)]!);
          return { statements: place(statements), results: results.map(place) };
        },
      },
    };
  }

  /** A variable's value as a load would give it: rounded to its dtype. */
  #rounded(variable: Variable, path: Path | null): string {
    const { dtype } = variable.aval;
    const raw = this.#raw(variable, path);
    if (!isHalf(dtype) || this.#isRepresentable(variable)) return raw;
    return this.#remember(
      variable,
      `rounded ${path?.id ?? ""}`,
      () => this.#declare(roundVector(dtype, raw, this.#request.target)),
    );
  }

  /** Whether the raw value needs no rounding: loaded, moved or exactly computed from such. */
  #isRepresentable(variable: Variable): boolean {
    if (this.#request.anchors?.includes(variable)) return false;
    const lower = this.#request.inlined(variable)?.operation.lower;
    return lower?.kind !== "elementwise" || lower.exact === true;
  }

  /** A variable's value before rounding. */
  #raw(variable: Variable, path: Path | null): string {
    return this.#remember(variable, path?.id ?? "", () => this.#compute(variable, path));
  }

  #remember(variable: Variable, key: string, make: () => string): string {
    let entries = this.#memo.get(variable);
    if (!entries) this.#memo.set(variable, entries = new Map());
    let name = entries.get(key);
    if (name === undefined) entries.set(key, name = make());
    return name;
  }

  #compute(variable: Variable, path: Path | null): string {
    const anchor = this.#request.anchors?.indexOf(variable) ?? -1;
    if (anchor >= 0) return `@a${anchor}`;
    const node = this.#request.inlined(variable);
    if (!node) return this.#load(variable, path);
    const { lower } = node.operation;
    switch (lower.kind) {
      case "constant":
        return this.#constant(node);
      case "iota":
        return this.#coordinate(node, path);
      case "view":
        return this.#rounded(
          node.inputs[0]!,
          extend(path, lower.movement(node.inputs.map((v) => v.aval), node.params)),
        );
      case "pad":
        return this.#padded(node, path);
      case "concatenate":
        return this.#concatenated(node, path);
      case "elementwise": {
        lower.functions?.forEach((f) => this.#functions.add(f));
        const args = node.inputs.map((v) =>
          this.#rounded(v, broadcastPath(v, variable.aval.shape, path))
        );
        const inputs = node.inputs.map((v) => v.aval.dtype);
        return this.#declare(
          lower.wgsl(args, { params: node.params, inputs, output: variable.aval.dtype }),
        );
      }
      default:
        throw new Error(`operation ${node.operation.name} cannot stand inside an expression`);
    }
  }

  #declare(expression: string): string {
    const name = this.#name();
    this.#statements += `let ${name} = ${expression};\n`;
    return name;
  }

  #name(): string {
    return `${this.#request.prefix}${this.#names++}$`;
  }

  /** A place in an array as a parameter, so that a window elsewhere makes no new text. */
  readonly #place = (value: number): string => {
    const name = `${this.#request.prefix}n${this.#parameters.length}`;
    this.#parameters.push({ name, type: "u32", value });
    return `params.${name}`;
  };

  #load(variable: Variable, path: Path | null): string {
    const { aligned, target } = this.#request;
    const format = storageFormat(variable.aval.dtype, target);
    const chain = chainOf(variable.aval.shape, path);
    const kind = accessKind(chain, aligned);
    const array = this.#arrays.nameOf(variable, kind);
    const access = accessElements(
      format,
      chain,
      aligned,
      array,
      this.#name().slice(0, -1),
      kind,
      this.#place,
      target,
    );
    this.#statements += access.statements;
    return this.#declare(access.expression);
  }

  #constant(node: Node): string {
    const { value } = node.params as { value: number };
    const { dtype } = node.outputs[0]!.aval;
    if (dtype === "bool") return `vec4<bool>(${value !== 0})`;
    const name = `${this.#request.prefix}c${this.#parameters.length}`;
    const type = isFloating(dtype) ? "f32" : dtype === "int32" ? "i32" : "u32";
    this.#parameters.push({ name, type, value: roundTo(dtype, value) });
    return this.#declare(`${computeType(dtype)}(params.${name})`);
  }

  #coordinate(node: Node, path: Path | null): string {
    const { shape, axis } = node.params as { shape: Shape; axis: number };
    const { statements, expression } = accessCoordinate(
      chainOf(shape, path),
      shape,
      axis,
      this.#name().slice(0, -1),
      this.#place,
    );
    this.#statements += statements;
    return this.#declare(`${computeType(node.outputs[0]!.aval.dtype)}(${expression})`);
  }

  #padded(node: Node, path: Path | null): string {
    const [x, fill] = node.inputs as [Variable, Variable];
    const { low } = node.params as { low: readonly number[] };
    const { shape } = node.outputs[0]!.aval;
    const inner = extend(path, { kind: "pad", low, shape });
    const outside = this.#rounded(fill, broadcastPath(fill, shape, path));
    return this.#choose(x, inner, outside);
  }

  /** Every input is the whole padded on both sides; the one whose range holds the position is chosen. */
  #concatenated(node: Node, path: Path | null): string {
    const { axis } = node.params as { axis: number };
    const { shape } = node.outputs[0]!.aval;
    let end = shape[axis]!;
    let chosen: string | undefined;
    for (const input of [...node.inputs].reverse()) {
      end -= input.aval.shape[axis]!;
      const inner = extend(path, {
        kind: "pad",
        low: shape.map((_, a) => a === axis ? end : 0),
        shape,
      });
      chosen = chosen === undefined
        ? this.#rounded(input, inner)
        : this.#choose(input, inner, chosen);
    }
    return chosen!;
  }

  /** `x` where the padded path is inside of it, `outside` elsewhere. */
  #choose(x: Variable, inner: Path, outside: string): string {
    const { statements, expression } = accessValid(
      chainOf(x.aval.shape, inner),
      this.#name().slice(0, -1),
      this.#place,
    );
    this.#statements += statements;
    const valid = this.#declare(expression);
    return this.#declare(`select(${outside}, ${this.#rounded(x, inner)}, ${valid})`);
  }
}

function extend(outer: Path | null, movement: Movement): Path {
  return { id: `${JSON.stringify(movement)}${outer?.id ?? ""}`, movement, outer };
}

function broadcastPath(input: Variable, shape: Shape, path: Path | null): Path | null {
  return sameShape(input.aval.shape, shape) ? path : extend(path, { kind: "broadcast", shape });
}

/** The views between an array of this shape and the iteration space. */
function chainOf(shape: Shape, path: Path | null): ViewChain {
  let chain: ViewChain = [denseView(shape)];
  for (let p = path; p; p = p.outer) chain = moveChain(chain, p.movement);
  return chain;
}
