// The dtype table and promotion, against JAX's own results.
import { assert, assertEquals, assertFalse, assertStringIncludes, assertThrows } from "@std/assert";
import {
  byteSize,
  checkDType,
  type DType,
  dtypes,
  isDType,
  isFloating,
  isHalf,
  isInteger,
  promoteTypes,
} from "../../src/core/dtype.ts";
import { finfo, iinfo } from "../../src/core/finfo.ts";
import tables from "../data/core_tables.json" with { type: "json" };

const names = Object.keys(dtypes) as DType[];
const two = { dtype: "float32", weak: "integer" } as const;
const half = { dtype: "float32", weak: "float" } as const;

Deno.test("two types promote as jax.numpy.promote_types says", () => {
  for (const a of names) {
    for (const b of names) {
      const wanted = tables.promotion[a][b];
      assertEquals<unknown>(
        promoteTypes([{ dtype: a }, { dtype: b }]),
        { dtype: wanted },
        `${a} ${b}`,
      );
    }
  }
});

Deno.test("an array with a JavaScript number promotes as JAX with a Python number", () => {
  for (const dtype of names) {
    const [withInteger, withFloat] = tables.weak[dtype];
    assertEquals<unknown>(promoteTypes([{ dtype }, two]), { dtype: withInteger }, `${dtype} and 2`);
    assertEquals<unknown>(
      promoteTypes([half, { dtype }]),
      { dtype: withFloat },
      `${dtype} and 0.5`,
    );
  }
});

Deno.test("promotion of several types does not depend on their order", () => {
  for (const a of names) {
    for (const b of names) {
      for (const c of names) {
        const wanted = promoteTypes([promoteTypes([{ dtype: a }, { dtype: b }]), { dtype: c }]);
        assertEquals<unknown>(promoteTypes([{ dtype: c }, { dtype: a }, { dtype: b }]), wanted);
        assertEquals<unknown>(promoteTypes([{ dtype: b }, { dtype: c }, { dtype: a }]), wanted);
      }
    }
  }
});

Deno.test("numbers alone stay weak, and integers only as long as all of them are", () => {
  assertEquals<unknown>(promoteTypes([two]), { dtype: "float32", weak: "integer" });
  assertEquals<unknown>(promoteTypes([two, two]), { dtype: "float32", weak: "integer" });
  assertEquals<unknown>(promoteTypes([two, half]), { dtype: "float32", weak: "float" });
  const large = { dtype: "uint32", weak: "integer" } as const;
  assertEquals<unknown>(promoteTypes([large, large]), { dtype: "uint32", weak: "integer" });
  assertEquals<unknown>(promoteTypes([large, two]), { dtype: "float32", weak: "integer" });
});

Deno.test("several numbers count as the least integral of them beside arrays", () => {
  assertEquals<unknown>(promoteTypes([two, { dtype: "int32" }, half]), { dtype: "float32" });
  assertEquals<unknown>(promoteTypes([half, two, { dtype: "float16" }]), { dtype: "float16" });
  assertEquals<unknown>(promoteTypes([two, { dtype: "bool" }, { dtype: "uint32" }]), {
    dtype: "uint32",
  });
});

Deno.test("promotion of nothing is an error", () => {
  assertThrows(() => promoteTypes([]), RangeError, "at least one operand is required");
});

Deno.test("finfo() and iinfo() give JAX's limits", () => {
  for (const dtype of ["float32", "float16", "bfloat16"] as const) {
    const { dtype: own, min, ...limits } = finfo(dtype);
    assertEquals(limits, tables.finfo[dtype]);
    assertEquals([own, min], [dtype, -limits.max]);
  }
  for (const dtype of ["int32", "uint32"] as const) {
    assertEquals({ ...iinfo(dtype) }, { dtype, ...tables.iinfo[dtype] });
  }
});

Deno.test("finfo() of an integer and iinfo() of a float say which to use", () => {
  assertThrows(() => finfo("int32"), TypeError, "use iinfo for integers");
  assertThrows(() => iinfo("float16"), TypeError, "use finfo for floats");
});

Deno.test("checkDType() lists what is allowed and survives any value", () => {
  assertEquals(checkDType("bfloat16", "zeros"), "bfloat16");
  const error = assertThrows(() => checkDType("float64", "zeros"), TypeError);
  assertEquals(
    error.message,
    "Cannot zeros: dtype must be one of float32, float16, bfloat16, int32, uint32, bool; " +
      'got "float64"',
  );
  for (const value of [null, undefined, 3, {}, Symbol("s"), "toString", "__proto__"]) {
    assertFalse(isDType(value));
    assertStringIncludes(
      assertThrows(() => checkDType(value, "zeros"), TypeError).message,
      "dtype must be one of",
    );
  }
});

Deno.test("half types take two bytes on the device and all others four", () => {
  assertEquals(names.map((name) => byteSize(name, 3)), [12, 6, 6, 12, 12, 12]);
});

Deno.test("bool is neither integer nor float, and halves are floats", () => {
  assertEquals(names.filter(isFloating), ["float32", "float16", "bfloat16"]);
  assertEquals(names.filter(isHalf), ["float16", "bfloat16"]);
  assertEquals(names.filter(isInteger), ["int32", "uint32"]);
  assert(names.every((name) => dtypes[name].name === name));
});
