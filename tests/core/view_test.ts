// Views against arrays that are really moved: any chain of movements must name the same elements.

import { assertEquals } from "@std/assert";
import { rowMajorStrides, sizeOf } from "../../src/core/shape.ts";
import {
  denseView,
  isDense,
  moveChain,
  type Movement,
  sourceElement,
  type ViewChain,
} from "../../src/core/view.ts";

/** A small generator of reproducible numbers (Marsaglia's xorshift32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

interface Moved {
  shape: number[];
  /** The stored element at every position, -1 in padding. */
  elements: number[];
}

/** The element at coordinates of an array of this shape. */
function at({ shape, elements }: Moved, coordinates: readonly number[]): number {
  const strides = rowMajorStrides(shape);
  return elements[coordinates.reduce((sum, c, axis) => sum + c * strides[axis]!, 0)]!;
}

function fill(shape: number[], pick: (coordinates: number[]) => number): Moved {
  const strides = rowMajorStrides(shape);
  const elements = Array.from(
    { length: sizeOf(shape) },
    (_, i) => pick(shape.map((extent, axis) => Math.floor(i / strides[axis]!) % extent)),
  );
  return { shape, elements };
}

/** Moves every element, one by one. */
function move(array: Moved, movement: Movement): Moved {
  switch (movement.kind) {
    case "broadcast": {
      const lead = movement.shape.length - array.shape.length;
      return fill(
        [...movement.shape],
        (c) => at(array, array.shape.map((e, a) => e === 1 ? 0 : c[a + lead]!)),
      );
    }
    case "reshape":
      return { shape: [...movement.shape], elements: array.elements };
    case "transpose":
      return fill(
        movement.axes.map((a) => array.shape[a]!),
        (c) => at(array, array.shape.map((_, a) => c[movement.axes.indexOf(a)]!)),
      );
    case "slice":
      return fill(
        [...movement.shape],
        (c) => at(array, c.map((x, a) => movement.starts[a]! + x * movement.steps[a]!)),
      );
    case "pad":
      return fill([...movement.shape], (c) => {
        const from = c.map((x, a) => x - movement.low[a]!);
        return from.every((x, a) => x >= 0 && x < array.shape[a]!) ? at(array, from) : -1;
      });
  }
}

function randomMovement(shape: readonly number[], below: (n: number) => number): Movement {
  const axes = shape.map((_, axis) => axis);
  switch (below(5)) {
    case 0:
      return {
        kind: "broadcast",
        shape: [...(below(2) ? [2] : []), ...shape.map((e) => e === 1 ? 1 + below(3) : e)],
      };
    case 1: {
      const size = sizeOf(shape);
      const divisors = Array.from({ length: size }, (_, i) => i + 1).filter((d) => size % d === 0);
      const first = divisors[below(divisors.length)]!;
      const rest = size / first;
      return {
        kind: "reshape",
        shape: below(2) ? [first, rest] : rest % 2 === 0 ? [first, 2, rest / 2] : [size],
      };
    }
    case 2:
      return { kind: "transpose", axes: axes.sort(() => below(2) - 0.5) };
    case 3: {
      const steps = shape.map(() => [1, 1, 2, -1][below(4)]!);
      const extents = shape.map((e, a) =>
        1 + below(Math.max(1, Math.ceil(e / Math.abs(steps[a]!))))
      );
      const starts = shape.map((e, a) => {
        const span = (extents[a]! - 1) * Math.abs(steps[a]!);
        return (steps[a]! < 0 ? span : 0) + below(e - span);
      });
      return { kind: "slice", starts, steps, shape: extents };
    }
    default: {
      const low = shape.map(() => below(3));
      return { kind: "pad", low, shape: shape.map((e, a) => e + low[a]! + below(3)) };
    }
  }
}

Deno.test("chains of views name the elements that moving an array step by step leaves in place", () => {
  const below = random(2463534242);
  for (let trial = 0; trial < 3000; trial++) {
    const shape = Array.from({ length: 1 + below(3) }, () => 1 + below(4));
    let array: Moved = fill(
      shape,
      (c) => c.reduce((sum, x, a) => sum + x * rowMajorStrides(shape)[a]!, 0),
    );
    let chain: ViewChain = [denseView(shape)];
    const movements: Movement[] = [];
    for (let step = 0; step < 1 + below(5) && array.elements.length <= 600; step++) {
      const movement = randomMovement(array.shape, below);
      movements.push(movement);
      array = move(array, movement);
      chain = moveChain(chain, movement);
    }
    const named = array.elements.map((_, position) => sourceElement(chain, position));
    assertEquals(named, array.elements, JSON.stringify({ shape, movements }));
  }
});

Deno.test("a view is dense only if it lists every element in order", () => {
  assertEquals(isDense(denseView([2, 3])), true);
  const turned = moveChain([denseView([2, 3])], { kind: "transpose", axes: [1, 0] });
  assertEquals(turned.map(isDense), [false]);
  const column = moveChain([denseView([3, 1])], { kind: "transpose", axes: [1, 0] });
  assertEquals(column.map(isDense), [true]);
});
