// The methods of arrays that move elements without computing.

import type { Shape } from "../core/shape.ts";
import type { Like } from "./like.ts";

/** Elements to add before and after: one number for all ends, one pair for all axes, or a pair for each axis. */
export type PadWidths = number | readonly [number, number] | readonly (readonly [number, number])[];

/** What `pad` may be told. */
export interface PadOptions<T> {
  /**
   * `"constant"` (the default); `"edge"`, the nearest element; `"reflect"`, mirrored about the last element;
   * `"symmetric"`, mirrored about the end; `"wrap"`, from the other end.
   */
  readonly mode?: "constant" | "edge" | "reflect" | "symmetric" | "wrap";
  /** What the constant mode adds, a scalar; 0 by default. */
  readonly constantValues?: Like<T>;
}

/** Which axis or axes a function goes along. */
export interface AxesOption {
  /** An axis or several; negative ones count from the end. */
  readonly axis?: number | readonly number[];
}

/** Which axis a function goes along. */
export interface AxisOption {
  /** An axis; a negative one counts from the end. */
  readonly axis?: number;
}

/** How often and in which plane `rot90` turns. */
export interface Rot90Options {
  /** Quarter turns, 1 by default; negative ones turn back. */
  readonly k?: number;
  /** The plane, turned from the first axis towards the second; `[0, 1]` by default. */
  readonly axes?: readonly [number, number];
}

/** The functions of `numpy` that move elements, as methods. */
export interface MovementMethods {
  /** The same elements under another shape; one extent may be -1. */
  reshape(shape: Shape | number): this;
  /** The elements in row-major order along one axis. */
  ravel(): this;
  /** The elements in row-major order along one axis. */
  flatten(): this;
  /** The axes in another order; reversed if none is given. */
  transpose(axes?: readonly number[]): this;
  /** Exchanges two axes. */
  swapaxes(axis1: number, axis2: number): this;
  /** Moves axes to other places. */
  moveaxis(source: number | readonly number[], destination: number | readonly number[]): this;
  /** Inserts axes of extent 1, at these places of the result. */
  expandDims(axis: number | readonly number[]): this;
  /** Drops axes of extent 1; all of them if none is named. */
  squeeze(options?: AxesOption): this;
  /** Stretches to a shape that this one broadcasts to. */
  broadcastTo(shape: Shape): this;
  /** Cuts into equal parts, or at positions. */
  split(parts: number | readonly number[], options?: AxisOption): this[];
  /** As {@linkcode MovementMethods.split}, but the parts need not be equal. */
  arraySplit(parts: number | readonly number[], options?: AxisOption): this[];
  /** Adds elements around the array. */
  pad(widths: PadWidths, options?: PadOptions<this>): this;
  /** Reverses the order along axes; all of them if none is named. */
  flip(options?: AxesOption): this;
  /** Shifts elements along axes; what falls off one end enters at the other. */
  roll(shift: number | readonly number[], options?: AxesOption): this;
  /** Repeats every element. */
  repeat(repeats: number | readonly number[], options?: AxisOption): this;
  /** Repeats the whole array along its axes. */
  tile(reps: number | readonly number[]): this;
  /** Turns the plane of two axes by 90 degrees. */
  rot90(options?: Rot90Options): this;
  /** The array with at least one axis. */
  atleast1d(): this;
  /** The array with at least two axes. */
  atleast2d(): this;
  /** The array with at least three axes. */
  atleast3d(): this;
}
