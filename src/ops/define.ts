// How operations are defined: elementwise records state a scalar reference and a WGSL expression; the
// rest (broadcasting, promotion, the reference over whole arrays) follows here once for all.

import { type DType, dtypes, isFloating, isHalf, promoteTypes } from "../core/dtype.ts";
import { broadcastShapes, type Shape, sizeOf } from "../core/shape.ts";
import { denseView, forEachElement, moveChain } from "../core/view.ts";
import type { Aval } from "../ir/aval.ts";
import {
  type Derivative,
  type ElementwiseContext,
  type Operation,
  type Params,
  type PrecisionRule,
  registerOperation,
  type Tensor,
} from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { astype, promote } from "./cast.ts";
import { isLiteral, literalType, type Operand } from "./operand.ts";

/** An elementwise operation as its family's file states it. */
export interface ElementwiseRecord<P extends Params> {
  readonly name: string;
  /** The result of one element in float64; integers arrive as exact numbers. */
  reference(args: readonly number[], context: ElementwiseContext<P>): number;
  /** The same in WGSL on vec4 of the inputs' compute types. */
  wgsl(args: readonly string[], context: ElementwiseContext<P>): string;
  readonly functions?: readonly string[];
  readonly exact?: boolean;
  /** Dtype of the result; by default that of the last input. */
  readonly result?: DType;
  /** What the inputs may be; by default anything. Words are uint32, bits are integers and booleans. */
  readonly accepts?: "numbers" | "integers" | "words" | "bits" | "floats";
  /** How many leading inputs are conditions, whose dtype says nothing of the result's. */
  readonly conditions?: number;
  readonly precision?: PrecisionRule;
  readonly domain?: Operation["domain"];
  /** The partial derivatives, of inputs and a result in float32 whatever the operands' floating type. */
  partials?(inputs: readonly Value[], output: Value, params: P): Partials;
  /** Its derivative, where that is not a matter of partial ones. */
  readonly derivative?: Derivative<P>;
}

/** A partial derivative for each input: a value, a number, or truth values that select. */
export type Partials = readonly (Value | number | undefined)[];

/** Half operands enter partial derivatives in float32: what is made of them is rounded once, at the end. */
function partialsOf<P extends Params>(record: ElementwiseRecord<P>): Derivative<P> | undefined {
  const { partials, derivative } = record;
  if (!partials) return derivative;
  const wide = (x: Value) => isHalf(x.aval.dtype) ? astype(x, "float32") : x;
  return {
    kind: "partials",
    partials: (inputs, output, params) => partials(inputs.map(wide), wide(output), params),
  };
}

/** Makes an operation of a record. Inputs must share one dtype; shapes broadcast. */
export function defineElementwise<P extends Params = Params>(
  record: ElementwiseRecord<P>,
): Operation<P> {
  const { name, wgsl, functions, exact } = record;
  return registerOperation<P>({
    name,
    precision: record.precision ?? "follow",
    domain: record.domain,
    lower: { kind: "elementwise", wgsl, functions, exact },
    aval: (inputs) => {
      const shape = broadcastShapes(name, ...inputs.map((a) => a.shape));
      checkAccepted(record, inputs);
      const { weak } = promoteTypes(inputs.slice(record.conditions ?? 0));
      const dtype = record.result ?? inputs[inputs.length - 1]!.dtype;
      return { shape, dtype, weak: isFloating(dtype) || !record.result ? weak : undefined };
    },
    evaluate: (inputs, params, [output]) => [
      mapElements(inputs, output!, (args) =>
        record.reference(args, {
          params,
          inputs: inputs.map((t) => t.dtype),
          output: output!.dtype,
        })),
    ],
    derivative: partialsOf(record),
  });
}

const families = {
  numbers: { kinds: ["float", "signed", "unsigned"], words: "numbers" },
  integers: { kinds: ["signed", "unsigned"], words: "integers" },
  words: { kinds: ["unsigned"], words: "uint32" },
  bits: { kinds: ["signed", "unsigned", "bool"], words: "integers or booleans" },
  floats: { kinds: ["float"], words: "floats" },
} as const;

function checkAccepted<P extends Params>(
  { name, accepts }: ElementwiseRecord<P>,
  inputs: readonly Aval[],
): void {
  if (!accepts) return;
  const kinds: readonly string[] = families[accepts].kinds;
  for (const { dtype } of inputs) {
    if (kinds.includes(dtypes[dtype].kind)) continue;
    throw new TypeError(
      `Cannot ${name}: inputs must be ${
        families[accepts].words
      }, got ${dtype}; convert them with astype`,
    );
  }
}

/** Applies a scalar function over broadcast tensors. */
function mapElements(
  inputs: readonly Tensor[],
  output: Aval,
  fn: (args: readonly number[]) => number,
): Float64Array {
  const columns = inputs.map((t) => broadcastValues(t, output.shape));
  const out = new Float64Array(sizeOf(output.shape));
  const args: number[] = new Array(columns.length);
  for (let i = 0; i < out.length; i++) {
    for (let c = 0; c < columns.length; c++) args[c] = columns[c]![i]!;
    out[i] = fn(args);
  }
  return out;
}

function broadcastValues(tensor: Tensor, shape: Shape): Float64Array {
  if (tensor.values.length === sizeOf(shape)) return tensor.values;
  const out = new Float64Array(sizeOf(shape));
  const chain = moveChain([denseView(tensor.shape)], { kind: "broadcast", shape });
  forEachElement(chain, (source, position) => out[position] = tensor.values[source]!);
  return out;
}

/** Brings operands to one dtype as JAX promotes them; literals are made in that dtype directly. */
export function promoteOperands(operands: readonly Operand[], floating = false): Value[] {
  let { dtype, weak } = promoteTypes(operands.map((x) => isLiteral(x) ? literalType(x) : x.aval));
  if (floating && !isFloating(dtype)) dtype = "float32";
  return operands.map((x) => {
    const own = isLiteral(x) ? literalType(x).weak : x.aval.weak;
    // What a function of floats makes of an integral number is not integral: 1 / 2 must not stay integer.
    return promote(x, dtype, weak && floating ? "float" : weak && own);
  });
}

/** As {@linkcode promoteOperands}, with booleans as int32: what `jnp.power` and its like compute in. */
export function promoteNumbers(operands: readonly Operand[]): Value[] {
  const values = promoteOperands(operands);
  return values.map((x) => x.aval.dtype === "bool" ? astype(x, "int32") : x);
}

/** A function of one operand whose booleans become int32. */
export function numberUnary(operation: Operation): (x: Operand) => Value {
  return (x) => bind1(operation, {}, ...promoteNumbers([x]));
}

/** A function of two operands whose booleans become int32. */
export function numberBinary(operation: Operation): (x: Operand, y: Operand) => Value {
  return (x, y) => bind1(operation, {}, ...promoteNumbers([x, y]));
}

/** A function of one operand whose integer and boolean arguments become float32, as `jnp.exp` does. */
export function floatUnary(operation: Operation): (x: Operand) => Value {
  return (x) => bind1(operation, {}, ...promoteOperands([x], true));
}

/** A function of one operand that keeps its dtype. */
export function unary(operation: Operation): (x: Operand) => Value {
  return (x) => bind1(operation, {}, ...promoteOperands([x]));
}

/** A function of two operands, promoted to one dtype. */
export function binary(operation: Operation): (x: Operand, y: Operand) => Value {
  return (x, y) => bind1(operation, {}, ...promoteOperands([x, y]));
}

/** A function of two operands whose integer and boolean arguments become float32, as `jnp.divide` does. */
export function floatBinary(operation: Operation): (x: Operand, y: Operand) => Value {
  return (x, y) => bind1(operation, {}, ...promoteOperands([x, y], true));
}
