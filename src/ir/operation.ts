// What an operation is: one record that holds everything the library knows of it.

import type { DType } from "../core/dtype.ts";
import type { Movement } from "../core/view.ts";
import type { PrecisionRule } from "../precision/operation_rules.ts";
import type { Shape } from "../core/shape.ts";
import type { Aval } from "./aval.ts";
import type { Value } from "./value.ts";

export type { PrecisionRule };

/** The static arguments of an operation: JSON-able, since they are part of cache keys. */
export type Params = Readonly<Record<string, unknown>>;

/** A dense array on the host with every element as a float64: what reference implementations work on. */
export interface Tensor {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly values: Float64Array;
}

/** What an elementwise WGSL expression may ask about its place. */
export interface ElementwiseContext<P extends Params> {
  readonly params: P;
  /** Dtypes of the inputs. */
  readonly inputs: readonly DType[];
  /** Dtype of the result. */
  readonly output: DType;
}

/** How an operation becomes kernels. */
export type Lowering<P extends Params = Params> =
  | {
    readonly kind: "elementwise";
    /** A WGSL expression of the result's compute type (vec4f, vec4i, vec4u or vec4<bool>). */
    wgsl(args: readonly string[], context: ElementwiseContext<P>): string;
    /** Names of the accurate elementary functions that the expression calls. */
    readonly functions?: readonly string[];
    /** The result is one of the representable values of its dtype whatever the inputs: no rounding. */
    readonly exact?: boolean;
  }
  | { readonly kind: "iota" }
  | { readonly kind: "constant" }
  | { readonly kind: "view"; movement(inputs: readonly Aval[], params: P): Movement }
  | { readonly kind: "pad" }
  | { readonly kind: "concatenate" }
  | { readonly kind: "reduce"; readonly combiner: Combiner }
  | { readonly kind: "argReduce"; readonly combiner: "max" | "min" }
  | { readonly kind: "contraction" }
  | {
    readonly kind: "rows";
    readonly kernel: RowKernel;
    /** How many of the inputs are rows; the vectors that follow serve every row. */
    readonly rowInputs: 1 | 2;
    decompose(inputs: readonly Value[], params: P): readonly Value[];
  }
  | {
    readonly kind: "kernel";
    readonly kernel:
      | "take"
      | "takeAlongAxis"
      | "scatter"
      | "scan"
      | "sort"
      | "topK"
      | "rangeStatistics";
  }
  | {
    readonly kind: "attention";
    readonly kernel: "forward" | "backward";
    decompose(inputs: readonly Value[], params: P): readonly Value[];
  }
  | {
    readonly kind: "composite";
    decompose(inputs: readonly Value[], params: P): readonly Value[];
  };

/** Kernels over the last axis. */
export type RowKernel =
  | "softmax"
  | "softmaxGradient"
  | "logSoftmax"
  | "logSoftmaxGradient"
  | "logSumExp"
  | "layerNorm"
  | "layerNormGradient"
  | "rmsNorm"
  | "rmsNormGradient";

/** How a reduction joins two values. */
export type Combiner = "sum" | "prod" | "max" | "min" | "any" | "all";

/** Everything the library knows of an operation. */
export interface Operation<P extends Params = Params> {
  readonly name: string;
  /** Shapes and dtypes of the results from those of the inputs; throws where they do not fit. */
  aval(inputs: readonly Aval[], params: P): Aval | readonly Aval[];
  readonly precision: PrecisionRule;
  /**
   * What dtypes its floating inputs have: each its own, or all that of the first. By default they share the one
   * that they promote to.
   */
  readonly operandTypes?: "own" | "first";
  readonly lower: Lowering<P>;
  /** The CPU oracle, in float64; its caller rounds to the result's dtype. Composites need none. */
  evaluate?(
    inputs: readonly Tensor[],
    params: P,
    outputs: readonly Aval[],
  ): readonly Float64Array[];
  /** How it is differentiated; integers and booleans never are. */
  readonly derivative?: Derivative<P>;
  /** How it runs over a leading batch axis of some of its inputs. */
  readonly batch?: BatchRule<P>;
  /** The range of inputs that the registry test samples, for each input or one for all. */
  readonly domain?: readonly [number, number] | readonly (readonly [number, number])[];
}

/** A tangent or cotangent; undefined is zero. */
export type Tangent = Value | undefined;

/**
 * Derivative rules, written in operations so that derivatives have derivatives. Elementwise operations state
 * their partial derivatives, linear ones their transpose; structured ones state both directions. Composites
 * need none: their decomposition is differentiated.
 */
export type Derivative<P extends Params = Params> =
  | {
    readonly kind: "partials";
    /**
     * d result / d input at every element; undefined where there is none, a number where it is constant, and
     * truth values where it is 1 or 0: they select, so that an infinity that meets a 0 gives no NaN.
     */
    partials(
      inputs: readonly Value[],
      output: Value,
      params: P,
    ): readonly (Value | number | undefined)[];
  }
  | {
    readonly kind: "linear";
    /** The inputs in which it is jointly linear; the others are indices and the like. By default all. */
    readonly inputs?: readonly number[];
    /** Takes the result's cotangent back to each linear input. */
    transpose(cotangent: Value, inputs: readonly Value[], params: P): readonly Tangent[];
  }
  | {
    readonly kind: "structured";
    /** Absent where the decomposition is differentiated forwards. */
    jvp?(
      inputs: readonly Value[],
      tangents: readonly Tangent[],
      outputs: readonly Value[],
      params: P,
    ): readonly Tangent[];
    vjp(
      cotangents: readonly Tangent[],
      inputs: readonly Value[],
      outputs: readonly Value[],
      params: P,
    ): readonly Tangent[];
  }
  /** Piecewise constant, as floor and comparisons: the derivative is zero. */
  | { readonly kind: "zero" };

/**
 * Applies an operation to inputs of which some have a leading axis of `size` more than the operation was
 * traced with; every result has it. Undefined leaves it to the operation's kind.
 */
export type BatchRule<P extends Params = Params> = (
  inputs: readonly Value[],
  batched: readonly boolean[],
  params: P,
  size: number,
) => readonly Value[] | undefined;

const registry = new Map<string, Operation>();

/** Enters an operation in the registry; a second one of the same name is a programming error. */
export function registerOperation<P extends Params>(operation: Operation<P>): Operation<P> {
  if (registry.has(operation.name)) throw new Error(`operation ${operation.name} is defined twice`);
  registry.set(operation.name, operation as unknown as Operation);
  return operation;
}

/** Every operation there is, in order of definition. */
export function allOperations(): readonly Operation[] {
  return [...registry.values()];
}

/** The results' avals as a list, whatever the record gave. */
export function outputAvals(
  operation: Operation,
  inputs: readonly Aval[],
  params: Params,
): readonly Aval[] {
  const result = operation.aval(inputs, params);
  return Array.isArray(result) ? result : [result as Aval];
}

const paramsKeys = new WeakMap<Params, string>();

/** The static arguments as text, for cache keys. */
export function paramsKey(params: Params): string {
  let key = paramsKeys.get(params);
  if (key === undefined) {
    // JSON has no infinities, NaN or -0: a literal that is one of them must keep its identity in the key.
    key = JSON.stringify(
      params,
      (_, v) =>
        typeof v === "number" && (!Number.isFinite(v) || Object.is(v, -0))
          ? `#${Object.is(v, -0) ? "-0" : v}`
          : v,
    );
    paramsKeys.set(params, key);
  }
  return key;
}
