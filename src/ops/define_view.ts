// What defines a movement as an operation: its shape, its reference and its kernel follow from the view.

import { type Shape, sizeOf } from "../core/shape.ts";
import { denseView, forEachElement, moveChain, type Movement } from "../core/view.ts";
import type { Aval } from "../ir/aval.ts";
import {
  type BatchRule,
  type Operation,
  type Params,
  registerOperation,
  type Tangent,
} from "../ir/operation.ts";
import type { Value } from "../ir/value.ts";

/** A movement as its family's file states it. */
export interface ViewRecord<P extends Params> {
  readonly name: string;
  movement(input: Aval, params: P): Movement;
  /** Takes a cotangent back; movements are linear. */
  transpose(cotangent: Value, input: Value, params: P): Tangent;
  /** The same behind one more leading axis. */
  readonly batch: BatchRule<P>;
}

/** Defines an operation that renames the elements of one input. */
export function defineView<P extends Params>(record: ViewRecord<P>): Operation<P> {
  const { name, movement } = record;
  const shapeOf = (input: Aval, params: P): Shape => {
    const chain = moveChain([denseView(input.shape)], movement(input, params));
    return chain[chain.length - 1]!.shape;
  };
  return registerOperation<P>({
    name,
    precision: "follow",
    lower: { kind: "view", movement: ([x], params) => movement(x!, params) },
    aval: ([x], params) => ({ shape: shapeOf(x!, params), dtype: x!.dtype, weak: x!.weak }),
    evaluate: ([x], params, [output]) => {
      const out = new Float64Array(sizeOf(output!.shape));
      const chain = moveChain([denseView(x!.shape)], movement(x!, params));
      forEachElement(chain, (source, position) => out[position] = x!.values[source]!);
      return [out];
    },
    derivative: {
      kind: "linear",
      transpose: (cotangent, [x], params) => [record.transpose(cotangent, x!, params)],
    },
    batch: record.batch,
  });
}
