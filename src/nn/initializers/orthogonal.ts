// Orthogonal matrices at random.

import type { NDArray } from "../../array.ts";
import { checkOptions, showShape } from "../../core/errors.ts";
import { checkShape, normalizeAxis, sizeOf } from "../../core/shape.ts";
import * as jnp from "../../numpy.ts";
import { lifted } from "../../numpy/lift.ts";
import * as random from "../../random/namespace.ts";
import { floatDType } from "../../random/uniform.ts";
import { foriLoop } from "../../transform/scan.ts";
import type { Initializer } from "./initializer.ts";

/** How an orthogonal parameter lies in its shape. */
export interface OrthogonalOptions {
  /** The axis of the columns; the others together are the rows. By default the last. */
  readonly columnAxis?: number;
}

/**
 * Matrices with orthonormal columns, or rows where there are fewer of them, times `scale`, distributed uniformly
 * (Mezzadri, 2007): the Q of the QR decomposition of normal numbers whose R has a positive diagonal.
 *
 * It takes one step for each column or row; inside `jit` the steps are unrolled.
 *
 * @throws {RangeError} when it is called, for shapes of fewer than two axes.
 *
 * @example
 * ```ts
 * import { init, nn, random } from "@zenith/jax";
 *
 * await init();
 * const w = nn.initializers.orthogonal()(random.key(0), [3, 3]);
 * console.log(await w.transpose().matmul(w).toList()); // the identity, rounded
 * ```
 */
export function orthogonal(scale = 1, options: OrthogonalOptions = {}): Initializer {
  checkOptions("orthogonal", options, ["columnAxis"]);
  const { columnAxis = -1 } = options;
  return (key, shape, drawOptions = {}) => {
    checkOptions("initialize", drawOptions, ["dtype"]);
    const dtype = floatDType("initialize", drawOptions.dtype);
    const checked = checkShape("initialize", shape);
    if (checked.length < 2) {
      throw new RangeError(
        `Cannot initialize: at least two axes are required, got shape ${showShape(checked)}`,
      );
    }
    const axis = normalizeAxis("initialize", columnAxis, checked.length);
    return lifted("initialize", () => {
      if (sizeOf(checked) === 0) return jnp.zeros(checked, { dtype });
      const columns = checked[axis]!;
      const others = checked.toSpliced(axis, 1);
      const matrix = orthonormal(key, sizeOf(others), columns).reshape([...others, columns]);
      return jnp.moveaxis(matrix, -1, axis).astype(dtype).mul(scale);
    });
  };
}

/** A matrix with orthonormal columns, or rows where there are fewer of them. */
function orthonormal(key: NDArray, rows: number, columns: number): NDArray {
  const [more, fewer] = [Math.max(rows, columns), Math.min(rows, columns)];
  const vectors = random.normal(key, [more, fewer]).transpose();
  const positions = jnp.arange(fewer).reshape([fewer, 1]);
  // The rows of the basis that are still zero take nothing away.
  const basis = foriLoop(0, fewer, (i: NDArray, basis: NDArray): NDArray => {
    const unit = orthonormalTo(basis, vectors.take(i, { axis: 0 }));
    return jnp.where(positions.equal(i), unit, basis);
  }, jnp.zeros([fewer, more]));
  return rows < columns ? basis : basis.transpose();
}

/** What a basis leaves of a vector, with length 1: by Gram and Schmidt, twice, which is enough (Giraud, 2005). */
function orthonormalTo(basis: NDArray, vector: NDArray): NDArray {
  let rest = vector;
  for (let pass = 0; pass < 2; pass++) rest = rest.sub(basis.matmul(rest).matmul(basis));
  return rest.div(rest.square().sum().sqrt());
}
