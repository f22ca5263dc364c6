// Strided views: how the coordinates of one shape name elements of an array stored elsewhere. Movement
// operations change the view instead of moving data; what no strides can express is a second view on top
// of the first.

import { rowMajorStrides, type Shape, sizeOf } from "./shape.ts";

/** A half-open range of one axis outside which a view has no element, as padding makes it. */
export interface Bound {
  readonly axis: number;
  readonly start: number;
  readonly stop: number;
}

/** Element (i0, i1, ...) of `shape` is element `offset + sum(i * stride)` of what lies below. */
export interface View {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
  /** Where the view is padding: outside of any of these ranges. */
  readonly bounds: readonly Bound[];
}

/** Views applied one after the other: the first names elements of the stored array, the last is outermost. */
export type ViewChain = readonly View[];

/** A movement that acts on views alone. Shapes are those before and after. */
export type Movement =
  | { readonly kind: "broadcast"; readonly shape: Shape }
  | { readonly kind: "reshape"; readonly shape: Shape }
  | { readonly kind: "transpose"; readonly axes: readonly number[] }
  | {
    readonly kind: "slice";
    readonly starts: readonly number[];
    readonly steps: readonly number[];
    readonly shape: Shape;
  }
  | { readonly kind: "pad"; readonly low: readonly number[]; readonly shape: Shape };

/** The view of an array of this shape stored row-major without gaps. */
export function denseView(shape: Shape): View {
  return { shape, strides: rowMajorStrides(shape), offset: 0, bounds: [] };
}

/** Whether the view lists the stored elements in order, all from the first. */
export function isDense(view: View): boolean {
  if (view.offset !== 0 || view.bounds.length > 0) return false;
  const dense = rowMajorStrides(view.shape);
  return view.shape.every((extent, axis) => extent <= 1 || view.strides[axis] === dense[axis]);
}

/** Applies a movement to the outermost view, adding a view where strides cannot express it. */
export function moveChain(chain: ViewChain, movement: Movement): ViewChain {
  const top = chain[chain.length - 1]!;
  const moved = moveView(top, movement);
  if (moved) return [...chain.slice(0, -1), moved];
  return [...chain, moveView(denseView(top.shape), movement)!];
}

function moveView(view: View, movement: Movement): View | undefined {
  switch (movement.kind) {
    case "broadcast":
      return broadcastView(view, movement.shape);
    case "reshape":
      return reshapeView(view, movement.shape);
    case "transpose":
      return transposeView(view, movement.axes);
    case "slice":
      return sliceView(view, movement);
    case "pad":
      return padView(view, movement);
  }
}

function broadcastView(view: View, shape: Shape): View {
  const shift = shape.length - view.shape.length;
  const strides = shape.map((extent, axis) => {
    const from = axis - shift;
    return from < 0 || (view.shape[from] === 1 && extent !== 1) ? 0 : view.strides[from]!;
  });
  // A bound on an axis of extent 1 that is stretched would have to hold for all of it or for none.
  const bounds = view.bounds.map((b) => {
    const stretched = view.shape[b.axis] === 1 && shape[b.axis + shift] !== 1;
    if (!stretched) return { ...b, axis: b.axis + shift };
    const inside = b.start <= 0 && b.stop >= 1;
    return { axis: b.axis + shift, start: 0, stop: inside ? shape[b.axis + shift]! : 0 };
  });
  return { shape, strides, offset: view.offset, bounds };
}

function transposeView(view: View, axes: readonly number[]): View {
  return {
    shape: axes.map((a) => view.shape[a]!),
    strides: axes.map((a) => view.strides[a]!),
    offset: view.offset,
    bounds: view.bounds.map((b) => ({ ...b, axis: axes.indexOf(b.axis) })),
  };
}

function sliceView(view: View, movement: Movement & { kind: "slice" }): View | undefined {
  const { starts, steps, shape } = movement;
  // A strided window over padding keeps a contiguous range of valid positions only for step 1.
  if (view.bounds.some((b) => steps[b.axis] !== 1)) return undefined;
  return {
    shape,
    strides: view.strides.map((stride, axis) => stride * steps[axis]!),
    offset: view.strides.reduce((sum, stride, axis) => sum + stride * starts[axis]!, view.offset),
    bounds: view.bounds.map((b) => ({
      axis: b.axis,
      start: Math.max(0, b.start - starts[b.axis]!),
      stop: Math.max(0, Math.min(shape[b.axis]!, b.stop - starts[b.axis]!)),
    })),
  };
}

function padView(view: View, movement: Movement & { kind: "pad" }): View {
  const { low, shape } = movement;
  const bounds: Bound[] = view.bounds.map((b) => ({
    axis: b.axis,
    start: b.start + low[b.axis]!,
    stop: b.stop + low[b.axis]!,
  }));
  shape.forEach((extent, axis) => {
    if (extent !== view.shape[axis]) {
      bounds.push({ axis, start: low[axis]!, stop: low[axis]! + view.shape[axis]! });
    }
  });
  return {
    shape,
    strides: view.strides,
    offset: view.strides.reduce((sum, stride, axis) => sum - stride * low[axis]!, view.offset),
    bounds,
  };
}

/** New strides for a new shape of the same size, where the old strides allow it without copying. */
function reshapeView(view: View, shape: Shape): View | undefined {
  if (view.bounds.length > 0) return isSameButOnes(view, shape);
  if (sizeOf(shape) === 0) return { ...denseView(shape), offset: view.offset };
  const old = view.shape.map((extent, axis) => ({ extent, stride: view.strides[axis]! }))
    .filter((d) => d.extent !== 1);
  const strides: number[] = new Array(shape.length).fill(0);
  let from = 0;
  let to = 0;
  while (to < shape.length && from < old.length) {
    // The smallest runs of old and new axes that hold equally many elements.
    let oldEnd = from + 1;
    let newEnd = to + 1;
    let oldSize = old[from]!.extent;
    let newSize = shape[to]!;
    while (oldSize !== newSize) {
      if (oldSize < newSize) oldSize *= old[oldEnd++]!.extent;
      else newSize *= shape[newEnd++]!;
    }
    for (let i = from; i < oldEnd - 1; i++) {
      if (old[i]!.stride !== old[i + 1]!.stride * old[i + 1]!.extent) return undefined;
    }
    let stride = old[oldEnd - 1]!.stride;
    for (let i = newEnd - 1; i >= to; i--) {
      strides[i] = stride;
      stride *= shape[i]!;
    }
    from = oldEnd;
    to = newEnd;
  }
  return { shape, strides, offset: view.offset, bounds: [] };
}

/** A reshape that only adds or drops axes of extent 1 keeps bounds on the others. */
function isSameButOnes(view: View, shape: Shape): View | undefined {
  const kept = view.shape.map((_, axis) => axis).filter((axis) => view.shape[axis] !== 1);
  const target = shape.map((_, axis) => axis).filter((axis) => shape[axis] !== 1);
  const same = kept.length === target.length &&
    kept.every((axis, i) => view.shape[axis] === shape[target[i]!]);
  if (!same || view.bounds.some((b) => view.shape[b.axis] === 1)) return undefined;
  const strides: number[] = new Array(shape.length).fill(0);
  kept.forEach((axis, i) => strides[target[i]!] = view.strides[axis]!);
  const bounds = view.bounds.map((b) => ({ ...b, axis: target[kept.indexOf(b.axis)]! }));
  return { shape, strides, offset: view.offset, bounds };
}

/** Calls back with the stored element of every position in row-major order, -1 where there is padding. */
export function forEachElement(
  chain: ViewChain,
  visit: (source: number, position: number) => void,
): void {
  const top = chain[chain.length - 1]!;
  const total = sizeOf(top.shape);
  for (let position = 0; position < total; position++) {
    visit(sourceElement(chain, position), position);
  }
}

/** The stored element that a position of the outermost shape names, or -1 in padding. */
export function sourceElement(chain: ViewChain, position: number): number {
  let element = position;
  for (let v = chain.length - 1; v >= 0; v--) {
    const { shape, strides, offset, bounds } = chain[v]!;
    let rest = element;
    element = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const extent = shape[axis]!;
      const coordinate = rest % extent;
      rest = (rest - coordinate) / extent;
      element += coordinate * strides[axis]!;
      for (const b of bounds) {
        if (b.axis === axis && (coordinate < b.start || coordinate >= b.stop)) return -1;
      }
    }
  }
  return element;
}
