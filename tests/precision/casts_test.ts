// The casts over trees, with an array that only knows its type.
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type DType, isFloating } from "../../src/core/dtype.ts";
import {
  castTo,
  castToCompute,
  castToFull,
  castToHalf,
  castToOutput,
  castToParam,
  registerCast,
} from "../../src/precision/casts.ts";
import { resolvePolicy, withPolicy } from "../../src/precision/policy.ts";

class TypedLeaf {
  constructor(readonly dtype: DType) {}
}

const float = new TypedLeaf("float32");
const integer = new TypedLeaf("uint32");
const other = { text: "name", list: [1.5, null], fn: Math.sin };
const tree = { w: float, steps: integer, mask: new TypedLeaf("bool"), other };

/** The types of the typed leaves of a tree like `tree`. */
function typesOf(cast: typeof tree): DType[] {
  return [cast.w.dtype, cast.steps.dtype, cast.mask.dtype];
}

Deno.test("casting without an array layer is an error, not a silent copy", () => {
  assertThrows(() => castToFull(float), Error, "no array type is registered");
  registerCast((leaf, dtype) =>
    leaf instanceof TypedLeaf && isFloating(leaf.dtype) ? new TypedLeaf(dtype) : leaf
  );
  assertEquals(castToFull(float), float);
});

Deno.test("casts change floating leaves and pass all others through untouched", () => {
  const cast = castTo(tree, "bfloat16");
  assertEquals(typesOf(cast), ["bfloat16", "uint32", "bool"]);
  assertStrictEquals(cast.steps, integer);
  assertEquals(cast.other, other);
  assertEquals(castTo(1.5, "float16"), 1.5);
});

Deno.test("castToHalf() casts to float16 while no policy was set, then as the policy computes", () => {
  assertEquals(castToHalf(float).dtype, "float16");
  assertEquals(withPolicy("mixed_float16", () => castToHalf(float).dtype), "float16");
  assertEquals(withPolicy("mixed_bfloat16", () => castToHalf(float).dtype), "bfloat16");
  withPolicy("float32", () => {
    assertStrictEquals(castToHalf(tree), tree);
    assertEquals(castToHalf(new TypedLeaf("float16")).dtype, "float16");
  });
});

Deno.test("each cast follows its own type of the policy in force", () => {
  const casts = () =>
    [castToParam, castToCompute, castToOutput, castToFull].map((cast) => cast(float).dtype);
  assertEquals(withPolicy("p=bf16,c=f16,o=f32", casts), [
    "bfloat16",
    "float16",
    "float32",
    "float32",
  ]);
  assertEquals(casts(), ["float32", "float32", "float32", "float32"]);
});

Deno.test("a policy's own casts do not look at the policy in force", () => {
  const policy = resolvePolicy("p=bf16,c=f16,o=f32");
  const dtypes = withPolicy("float32", () => [
    policy.castToParam(tree).w.dtype,
    policy.castToCompute([float])[0].dtype,
    policy.castToOutput(new TypedLeaf("float16")).dtype,
  ]);
  assertEquals(dtypes, ["bfloat16", "float16", "float32"]);
});

Deno.test("castTo() is not changed by a policy and takes floating types only", () => {
  assertEquals(withPolicy("mixed_float16", () => castTo(float, "bfloat16").dtype), "bfloat16");
  assertThrows(() => castTo(tree, "int32" as "float32"), TypeError, "use astype for integers");
  assertThrows(() => castTo(tree, "half" as "float32"), TypeError, "dtype must be one of");
});
