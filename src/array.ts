// NDArray: the handle that users hold. Its methods are the functions of `numpy` without their first argument;
// they are declared in array_methods.ts and put here by install_methods.ts.

import { checkDType, type DType, dtypes, isFloating, isHalf } from "./core/dtype.ts";
import {
  type DataArray,
  decodeBytes,
  dtypeOfTypedArray,
  encodeValues,
} from "./core/element_data.ts";
import { describe, showShape } from "./core/errors.ts";
import { checkShape, type Shape, sizeOf } from "./core/shape.ts";
import type { ArrayMethods } from "./array_methods.ts";
import type { Like, NestedArray } from "./methods/like.ts";
import { currentBackend } from "./backend/backend.ts";
import { storageOf } from "./backend/eager.ts";
import { type Aval, showAval } from "./ir/aval.ts";
import { checkUsable } from "./ir/trace.ts";
import {
  type Content,
  freeTemporaries,
  makeValue,
  registerValueClass,
  type Storage,
  Value,
} from "./ir/value.ts";
import { reshape } from "./ops/broadcast.ts";
import { toValue } from "./ops/cast.ts";
import { slice } from "./ops/movement.ts";

export type { NestedArray };

/** What functions take in place of an array. */
export type ArrayLike = Like<NDArray>;

/** A last resort for arrays that were never disposed: it does not run inside a synchronous loop. */
const forgotten = new FinalizationRegistry<Storage>((storage) => storage.release());

/** The functions of `numpy` as methods. */
// Declaration merging: the class below gets these methods.
export interface NDArray extends ArrayMethods {}

/**
 * An immutable array on the device, or, inside a traced function, one that only has a shape and a dtype.
 *
 * It may be used any number of times until it is disposed or donated.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.array([[1, 2], [3, 4]], { dtype: "float16" });
 * console.log(x.shape, x.dtype, await x.matmul(x).toList());
 * ```
 */
export class NDArray extends Value {
  /** Made by the library: use `numpy.array`, `numpy.zeros` and their like. */
  constructor(aval: Aval, content: Content) {
    super(aval, content);
    if (content.kind === "stored") forgotten.register(this, content.storage, this);
  }

  /** The extents of the axes. */
  get shape(): Shape {
    return this.aval.shape;
  }

  /** The element type. */
  get dtype(): DType {
    return this.aval.dtype;
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.aval.shape);
  }

  /** The number of axes. */
  get ndim(): number {
    return this.aval.shape.length;
  }

  /** Bytes of the elements on the device: two each in half types, four otherwise. */
  get nbytes(): number {
    return this.size * dtypes[this.dtype].bytes;
  }

  /**
   * The elements in row-major order: a `Float32Array` for float32 and bfloat16, `Float16Array` for float16,
   * `Int32Array`, `Uint32Array`, or `Uint8Array` of 0 and 1 for bool.
   */
  async data(): Promise<DataArray> {
    const storage = this.#stored("data()");
    const bytes = await currentBackend().read(storage, this.nbytes);
    return decodeBytes(this.dtype, bytes, this.size);
  }

  /** {@linkcode NDArray.data} without waiting for the event loop; throws where the runtime has to. */
  dataSync(): DataArray {
    const storage = this.#stored("dataSync()");
    return decodeBytes(this.dtype, currentBackend().readSync(storage, this.nbytes), this.size);
  }

  /** The raw 16-bit patterns of a half array. */
  async bits(): Promise<Uint16Array> {
    if (!isHalf(this.dtype)) {
      throw new TypeError(`Cannot read bits(): float16 or bfloat16 is required, got ${this.dtype}`);
    }
    const bytes = await currentBackend().read(this.#stored("bits()"), this.nbytes);
    return new Uint16Array(bytes.slice().buffer);
  }

  /** The elements as nested arrays; a number or boolean for an array without axes. */
  async toList(): Promise<number | boolean | NestedArray> {
    return nest(await this.data(), this.shape, this.dtype);
  }

  /** The only element of an array of size 1. */
  async item(): Promise<number | boolean> {
    this.#checkSingle("item()");
    return element((await this.data())[0]!, this.dtype);
  }

  /** {@linkcode NDArray.item} without waiting for the event loop; throws where the runtime has to. */
  itemSync(): number | boolean {
    this.#checkSingle("itemSync()");
    return element(this.dataSync()[0]!, this.dtype);
  }

  /** Frees the array's memory once no other handle shares it. Later uses throw. */
  dispose(): void {
    this.consume("dispose()");
  }

  /** Frees the array at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Gives the memory up, as {@linkcode NDArray.dispose} does; `by` says what consumed the array. */
  override consume(by: string): void {
    forgotten.unregister(this);
    super.consume(by);
  }

  /** `NDArray(float32[2,2])`, with the elements of a small stored array where they can be read at once. */
  override toString(): string {
    const type = showAval(this.aval);
    if (this.content.kind !== "stored") return `NDArray(${type}, ${this.content.kind})`;
    const backend = this.content.storage.backend;
    if (this.size > 1000 || backend !== currentBackend() || !currentBackend().canReadSync) {
      return `NDArray(${type})`;
    }
    return `NDArray(${type}, ${
      JSON.stringify(nest(this.dataSync(), this.shape, this.dtype), showSpecial)
    })`;
  }

  /** What `console.log` prints. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** A template string prints the array; `x > 0` and `+x` throw, since they would compare an object. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new TypeError(
      `Cannot convert an NDArray to a number: use its methods (x.add(1), x.greater(0)), or await x.item() for its value`,
    );
  }

  /** The parts along the first axis in turn: `const [a, b] = x` and `for (const row of x)` work. */
  *[Symbol.iterator](): Generator<NDArray> {
    const [length, ...rest] = this.shape;
    if (length === undefined) {
      throw new TypeError("Cannot iterate over an array: a scalar has no parts");
    }
    const steps = this.shape.map(() => 1);
    for (let i = 0; i < length; i++) {
      const starts = this.shape.map((_, axis) => axis === 0 ? i : 0);
      const part = () => reshape(slice(this, starts, steps, [1, ...rest]), rest);
      yield asNDArray(freeTemporaries(part));
    }
  }

  #checkSingle(what: string): void {
    if (this.size === 1) return;
    throw new RangeError(
      `Cannot read ${what}: one element is required, got shape ${showShape(this.shape)}`,
    );
  }

  #stored(what: string): Storage {
    checkUsable(`read ${what}`, this);
    if (this.content.kind === "traced") {
      throw new TypeError(
        `Cannot read ${what} of a traced array: its value is not known while the function is traced; decide with lax.cond or numpy.where, or return the array and read it outside`,
      );
    }
    return storageOf(this, currentBackend(), `read ${what}`);
  }
}

registerValueClass((aval, content) => new NDArray(aval, content));

function element(value: number, dtype: DType): number | boolean {
  return dtype === "bool" ? value !== 0 : value;
}

function nest(
  data: DataArray,
  shape: Shape,
  dtype: DType,
  axis = 0,
  start = 0,
): number | boolean | NestedArray {
  if (axis === shape.length) return element(data[start]!, dtype);
  const stride = sizeOf(shape.slice(axis + 1));
  return Array.from(
    { length: shape[axis]! },
    (_, i) => nest(data, shape, dtype, axis + 1, start + i * stride) as number,
  );
}

/** JSON has no NaN and no infinities. */
function showSpecial(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

/** The results of operations, which are NDArrays since that is the class registered for values. */
export function asNDArray(value: Value): NDArray {
  return value as NDArray;
}

/**
 * The result of a function that may have nothing to do: where it is one of the arguments, another handle on
 * the same memory, so that disposing the one leaves the other alive.
 */
export function ownHandle(what: string, result: Value, ...given: readonly unknown[]): NDArray {
  if (!given.includes(result)) return asNDArray(result);
  checkUsable(what, result);
  const { aval, content } = result;
  if (content.kind === "stored") content.storage.retain();
  return asNDArray(makeValue(aval, content));
}

/** Makes an array from host data with the shape given. */
export function fromHost(values: ArrayLike_, shape: Shape, dtype: DType): NDArray {
  return fromBytes(encodeValues(dtype, values), { shape: checkShape("array", shape), dtype });
}

/** Makes an array of the bytes that its elements have on the device. */
export function fromBytes(bytes: Uint8Array, aval: Aval): NDArray {
  const storage = currentBackend().upload(aval, bytes);
  return asNDArray(makeValue(aval, { kind: "stored", storage }));
}

type ArrayLike_ = { readonly length: number; readonly [index: number]: number };

/** Any array-like as an array: nested arrays and typed arrays are uploaded, numbers become scalars. */
export function asArray(x: ArrayLike, what: string, dtype?: DType): NDArray {
  if (x instanceof NDArray) return x;
  if (typeof x === "number" || typeof x === "boolean") return asNDArray(toValue(x));
  const own = dtypeOfTypedArray(x);
  if (own) return fromHost(x as DataArray, [(x as DataArray).length], dtype ?? own);
  if (x instanceof Uint8Array) return fromHost(x, [x.length], dtype ?? "uint32");
  if (!Array.isArray(x)) {
    throw new TypeError(
      `Cannot ${what}: an array, a number or nested arrays of numbers are required, got ${
        describe(x)
      }`,
    );
  }
  return fromNested(x as NestedArray, what, dtype);
}

function fromNested(nested: NestedArray, what: string, dtype?: DType): NDArray {
  const shape: number[] = [];
  for (let level: unknown = nested; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
  }
  const values: number[] = [];
  let booleans = true;
  const walk = (item: unknown, axis: number): void => {
    if (axis < shape.length) {
      if (!Array.isArray(item) || item.length !== shape[axis]) {
        throw new RangeError(
          `Cannot ${what}: nested arrays must be rectangular, got ${describe(item)} where shape ${
            showShape(shape)
          } requires ${shape[axis]} items along axis ${axis}`,
        );
      }
      item.forEach((inner) => walk(inner, axis + 1));
      return;
    }
    if (typeof item !== "number" && typeof item !== "boolean") {
      const type = Array.isArray(item) ? RangeError : TypeError;
      throw new type(
        `Cannot ${what}: elements must be numbers or booleans, nested equally deep, got ${
          describe(item)
        }`,
      );
    }
    booleans &&= typeof item === "boolean";
    values.push(Number(item));
  };
  walk(nested, 0);
  return fromHost(values, shape, dtype ?? (booleans && values.length > 0 ? "bool" : "float32"));
}

/** An operand for the operations: numbers stay weak, everything else becomes an array. */
export function operand(x: ArrayLike, what: string): NDArray | number | boolean {
  return typeof x === "number" || typeof x === "boolean" ? x : asArray(x, what);
}

/** Checks a dtype option. */
export function dtypeOption(dtype: DType | undefined, what: string): DType | undefined {
  return dtype === undefined ? undefined : checkDType(dtype, what);
}

/** Whether a leaf is an array of a floating type, which casts act on. */
export function isFloatingArray(leaf: unknown): leaf is NDArray {
  return leaf instanceof NDArray && isFloating(leaf.dtype);
}
