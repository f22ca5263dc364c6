// Shape arithmetic, and the errors that a user meets first.
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import {
  broadcastShapes,
  checkShape,
  normalizeAxes,
  normalizeAxis,
  resolveReshape,
  rowMajorStrides,
  sameShape,
  sizeOf,
} from "../../src/core/shape.ts";

/** The message of the error that `fn` throws, which must be of this class. */
function messageOf(fn: () => unknown, kind: typeof RangeError | typeof TypeError): string {
  return assertThrows(fn, kind).message;
}

Deno.test("row-major strides walk the elements in order", () => {
  const shape = [2, 3, 4];
  const strides = rowMajorStrides(shape);
  const seen: number[] = [];
  for (let i = 0; i < 2; i++) {
    for (let j = 0; j < 3; j++) {
      for (let k = 0; k < 4; k++) seen.push(i * strides[0] + j * strides[1] + k * strides[2]);
    }
  }
  assertEquals(seen, Array.from({ length: sizeOf(shape) }, (_, i) => i));
  assertEquals([sizeOf([]), rowMajorStrides([])], [1, []]);
});

Deno.test("shapes are the same only with the same rank and extents", () => {
  assert(sameShape([2, 3], [2, 3]));
  assertFalse(sameShape([2, 3], [2, 3, 1]));
  assertFalse(sameShape([2, 3], [3, 2]));
});

Deno.test("broadcasting matches axes from the last and stretches extents of 1", () => {
  assertEquals(broadcastShapes("add", [2, 3], [3]), [2, 3]);
  assertEquals(broadcastShapes("add", [5, 1, 3], [4, 1], []), [5, 4, 3]);
  assertEquals(broadcastShapes("add", [0, 3], [1, 1]), [0, 3]);
  assertEquals(broadcastShapes("add", [1], [0]), [0]);
  assertEquals(broadcastShapes("add"), []);
});

Deno.test("shapes that do not broadcast are a RangeError in the contract's words", () => {
  assertEquals(
    messageOf(() => broadcastShapes("add", [2, 3], [4]), RangeError),
    "Cannot add: shapes do not broadcast, got [2, 3] and [4]",
  );
  assertEquals(
    messageOf(() => broadcastShapes("where", [2], [3], [2, 2]), RangeError),
    "Cannot where: shapes do not broadcast, got [2], [3] and [2, 2]",
  );
  assertThrows(() => broadcastShapes("add", [0], [2]), RangeError);
});

Deno.test("two shapes may not broadcast to more elements than u32 can index", () => {
  assertThrows(() => broadcastShapes("add", [2 ** 20, 1], [2 ** 12]), RangeError, "2**32");
});

Deno.test("a negative axis counts from the end", () => {
  assertEquals([-2, -1, 0, 1].map((axis) => normalizeAxis("sum", axis, 2)), [0, 1, 0, 1]);
  assert(Object.is(normalizeAxis("sum", -0, 2), 0));
});

Deno.test("an axis that does not exist names the range that does", () => {
  assertEquals(
    messageOf(() => normalizeAxis("sum", 2, 2), RangeError),
    "Cannot sum: axis must be from -2 to 1 for an array of rank 2, got 2",
  );
  assertEquals(
    messageOf(() => normalizeAxis("sum", 0, 0), RangeError),
    "Cannot sum: a scalar has no axes, got 0",
  );
  const wrong: unknown[] = [0.5, NaN, "0", null, [0], 1n];
  for (const axis of wrong) {
    assertThrows(() => normalizeAxis("sum", axis as number, 2), TypeError, "must be an integer");
  }
});

Deno.test("axes come sorted, and all of them where none is given", () => {
  assertEquals(normalizeAxes("sum", [-1, 0], 3), [0, 2]);
  assertEquals(normalizeAxes("sum", 1, 3), [1]);
  assertEquals(normalizeAxes("sum", undefined, 3), [0, 1, 2]);
  assertEquals(normalizeAxes("sum", null, 0), []);
  assertEquals(normalizeAxes("sum", [], 3), []);
});

Deno.test("an axis named twice is an error, also under two names", () => {
  assertEquals(
    messageOf(() => normalizeAxes("sum", [1, -1], 2), RangeError),
    "Cannot sum: axes must differ, got axis 1 twice in [1, -1]",
  );
  assertThrows(() => normalizeAxes("sum", "0" as unknown as number, 2), TypeError);
});

Deno.test("checkShape() returns a copy and refuses what is no shape", () => {
  const shape = [2, 0];
  const copy = checkShape("zeros", shape);
  assertEquals(copy, shape);
  assert(copy !== shape);
  assertEquals(
    messageOf(() => checkShape("zeros", 3), TypeError),
    "Cannot zeros: shape must be an array of non-negative integers, got 3; write [3]",
  );
  assertThrows(() => checkShape("zeros", [2, -1]), RangeError, "got [2, -1]");
  assertThrows(() => checkShape("zeros", [1.5]), TypeError, "got [1.5]");
  assertThrows(() => checkShape("zeros", ["2"]), TypeError, 'got ["2"]');
  assertThrows(() => checkShape("zeros", [NaN]), TypeError);
  assertThrows(() => checkShape("zeros", new Array(2)), TypeError);
  assertThrows(() => checkShape("zeros", undefined), TypeError);
});

Deno.test("a shape of 2**32 elements is refused and one short of it is not", () => {
  assertThrows(() => checkShape("zeros", [2 ** 16, 2 ** 16]), RangeError, "2**32");
  assertThrows(() => checkShape("zeros", [0, 2 ** 32]), RangeError, "2**32");
  assertEquals(checkShape("zeros", [2 ** 16, 2 ** 16 - 1]).length, 2);
  // The product of all but the zero is infinite, and the array is empty all the same.
  assertEquals(sizeOf(checkShape("zeros", [0, 5])), 0);
  assertEquals(checkShape("zeros", [...new Array(40).fill(2 ** 31), 0]).length, 41);
});

Deno.test("resolveReshape() replaces one -1", () => {
  assertEquals(resolveReshape("reshape", [2, 6], [3, -1]), [3, 4]);
  assertEquals(resolveReshape("reshape", [], [-1]), [1]);
  assertEquals(resolveReshape("reshape", [0, 4], [2, -1]), [2, 0]);
  assertEquals(resolveReshape("reshape", [4], [2, 2]), [2, 2]);
});

Deno.test("a reshape that cannot be says what was got", () => {
  assertEquals(
    messageOf(() => resolveReshape("reshape", [2, 3], [4, 2]), RangeError),
    "Cannot reshape: sizes must match, got [2, 3] (6 elements) and [4, 2] (8 elements)",
  );
  assertEquals(
    messageOf(() => resolveReshape("reshape", [2, 3], [4, -1]), RangeError),
    "Cannot reshape: sizes must match, got [2, 3] (6 elements) and [4, -1]",
  );
  assertThrows(() => resolveReshape("reshape", [4], [-1, -1]), RangeError, "only one extent");
  assertThrows(() => resolveReshape("reshape", [0], [0, -1]), RangeError, "ambiguous");
  assertThrows(() => resolveReshape("reshape", [4], [-2, -1]), RangeError, "got [-2, -1]");
  assertThrows(() => resolveReshape("reshape", [4], 4 as unknown as number[]), TypeError);
});
