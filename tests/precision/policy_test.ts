// Policies: the table, specs, errors, and which one is in force where. The first test needs a process
// (each test file has one) in which no policy was set yet.
import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import {
  getPolicy,
  halfDType,
  mixedPrecisionPolicy,
  Policy,
  policyKey,
  resolvePolicy,
  wasPolicySet,
  withPolicy,
} from "../../src/precision/policy.ts";

/** The types of a policy: params, compute, output, accumulate, gradients. */
function typesOf(policy: Policy): string {
  const { paramDtype, computeDtype, outputDtype, accumulateDtype, gradientDtype } = policy;
  return [paramDtype, computeDtype, outputDtype, accumulateDtype, gradientDtype].join(" ");
}

Deno.test("before any policy was set it is float32, and castToHalf's type is float16", () => {
  assertFalse(wasPolicySet());
  assertEquals(getPolicy().name, "float32");
  assertEquals([halfDType(), policyKey()], ["float16", "unset"]);
  const seen = withPolicy("float32", () => [wasPolicySet(), halfDType(), policyKey()]);
  assertEquals(seen, [true, undefined, String(resolvePolicy("float32"))]);
  assertFalse(wasPolicySet());
});

Deno.test("named policies have the types of the table", () => {
  const table: Record<string, string> = {
    float32: "float32 float32 float32 float32 float32",
    mixed_float16: "float32 float16 float16 float32 float16",
    mixed_bfloat16: "float32 bfloat16 bfloat16 float32 bfloat16",
    float16: "float16 float16 float16 float32 float16",
    bfloat16: "bfloat16 bfloat16 bfloat16 float32 bfloat16",
  };
  for (const [name, types] of Object.entries(table)) {
    const policy = resolvePolicy(name);
    assertEquals([policy.name, typesOf(policy)], [name, types]);
  }
  assertEquals(resolvePolicy("half").name, "float16");
});

Deno.test("specs take long and short keys, aliases, blanks, and defaults", () => {
  const specs: [string, string][] = [
    [
      "params=float32,compute=float16,output=float32,accumulate=float32",
      "float32 float16 float32 float32 float16",
    ],
    ["p=bf16,c=half,o=full,a=f32", "bfloat16 float16 float32 float32 float16"],
    [" output = f16 , compute = bfloat16 ", "float32 bfloat16 float16 float32 bfloat16"],
    ["compute=f16", "float32 float16 float16 float32 float16"],
    ["params=half", "float16 float32 float32 float32 float32"],
  ];
  for (const [spec, types] of specs) assertEquals(typesOf(resolvePolicy(spec)), types, spec);
});

Deno.test("toString() is a spec that reads back to the same policy", () => {
  const types = ["float32", "float16", "bfloat16"];
  for (const p of types) {
    for (const c of types) {
      for (const o of types) {
        const policy = resolvePolicy(`params=${p},compute=${c},output=${o}`);
        const again = resolvePolicy(String(policy));
        assertEquals([typesOf(again), again.name], [typesOf(policy), policy.name]);
      }
    }
  }
  assertEquals(
    String(resolvePolicy("mixed_float16")),
    "params=float32,compute=float16,output=float16,accumulate=float32",
  );
});

Deno.test("a policy of the table's types has the table's name, and any other its spec", () => {
  assertEquals(resolvePolicy("c=bf16").name, "mixed_bfloat16");
  const policy = resolvePolicy("c=bf16,o=f32");
  assertEquals(policy.name, String(policy));
});

Deno.test("an unknown name, key or type is an error that lists what is allowed", () => {
  const cases: [unknown, string][] = [
    [
      "mixed_float8",
      'Cannot use policy "mixed_float8": it must be one of float32, mixed_float16, ' +
      "mixed_bfloat16, float16, bfloat16, half, or a spec such as " +
      '"params=float32,compute=float16,output=float32"',
    ],
    ["", "it must be one of float32"],
    ["toString", "it must be one of float32"],
    [16, "Cannot use policy 16: it must be one of float32"],
    [null, "it must be one of float32"],
    [{ computeDtype: "float16" }, "it must be one of float32"],
    ["weights=f16", "the key must be one of params, compute, output, accumulate, p, c, o, a; got"],
    ["constructor=f16", 'got "constructor"'],
    [
      "compute=float64",
      "the type must be one of float32, float16, bfloat16, f32, full, f16, bf16, half; got",
    ],
    ["compute=int32", 'got "int32"'],
    ["compute=", 'got ""'],
    ["compute=f16,", "each entry must be key=type"],
    ["compute=f16=f32", "each entry must be key=type"],
    ["compute=f16,c=f16", "each key may be given once, got compute twice"],
    ["compute=f16,accumulate=f16", "accumulate must be float32"],
  ];
  for (const [policy, words] of cases) {
    assertThrows(() => resolvePolicy(policy as string), TypeError, words);
  }
});

Deno.test("a policy is frozen, and with() makes another", () => {
  const policy = resolvePolicy("mixed_float16");
  assert(Object.isFrozen(policy));
  const other = policy.with({ outputDtype: "full" });
  assertEquals(typesOf(other), "float32 float16 float32 float32 float16");
  assertEquals(typesOf(policy), "float32 float16 float16 float32 float16");
  assertEquals(typesOf(policy.with({ computeDtype: "bfloat16" })).split(" ")[4], "bfloat16");
  assertEquals(policy.with({ outputDtype: undefined }).name, "mixed_float16");
  const refused: unknown[] = [
    { compute: "float16" },
    { computeDtype: "int32" },
    { computeDtype: null },
    { gradientDtype: "float32" },
    { accumulateDtype: "float16" },
    "float16",
  ];
  for (const changes of refused) {
    assertThrows(() => policy.with(changes as object), TypeError, "Cannot change a policy");
  }
  assertThrows(() => new Policy(undefined as never), TypeError, "Cannot make a policy");
});

Deno.test("withPolicy() scopes a policy and gives back what the function returns", () => {
  const seen = withPolicy("mixed_float16", () => [
    getPolicy().name,
    withPolicy("bfloat16", () => getPolicy().name),
    getPolicy().name,
  ]);
  assertEquals(seen, ["mixed_float16", "bfloat16", "mixed_float16"]);
  assertEquals(getPolicy().name, "float32");
});

Deno.test("withPolicy() leaves no trace when the function throws", async () => {
  const fail = () => {
    throw new Error("inside");
  };
  assertThrows(() => withPolicy("mixed_float16", fail), Error, "inside");
  assertEquals(getPolicy().name, "float32");
  await assertRejects(
    () =>
      withPolicy("mixed_float16", async () => {
        await Promise.resolve();
        fail();
      }),
    Error,
    "inside",
  );
  assertEquals(getPolicy().name, "float32");
});

Deno.test("withPolicy() holds across awaits, and tasks side by side do not mix", async () => {
  const task = (name: string) =>
    withPolicy(name, async () => {
      const seen = [getPolicy().name];
      await Promise.resolve();
      seen.push(getPolicy().name);
      await new Promise((resolve) => setTimeout(resolve, 0));
      seen.push(getPolicy().name, String(halfDType()));
      return seen;
    });
  const outside = getPolicy().name;
  const [first, second] = await Promise.all([task("mixed_float16"), task("mixed_bfloat16")]);
  assertEquals(first, [...Array(3).fill("mixed_float16"), "float16"]);
  assertEquals(second, [...Array(3).fill("mixed_bfloat16"), "bfloat16"]);
  assertEquals([outside, getPolicy().name], ["float32", "float32"]);
});

Deno.test("withPolicy() refuses a bad policy and what is no function before it runs anything", () => {
  assertThrows(() => withPolicy("no", () => 1), TypeError, "it must be one of");
  assertThrows(() => withPolicy("half", 1 as never), TypeError, "a function is required second");
});

Deno.test("mixedPrecisionPolicy() sets the process's policy, under which scopes still win", async () => {
  try {
    const policy = mixedPrecisionPolicy("mixed_bfloat16");
    assertEquals([getPolicy(), halfDType()], [policy, "bfloat16"]);
    const inside = await withPolicy("mixed_float16", async () => {
      mixedPrecisionPolicy("bfloat16");
      await Promise.resolve();
      return getPolicy().name;
    });
    assertEquals([inside, getPolicy().name], ["mixed_float16", "bfloat16"]);
    assertThrows(() => mixedPrecisionPolicy("float64"), TypeError);
    assertEquals(getPolicy().name, "bfloat16");
  } finally {
    mixedPrecisionPolicy("float32");
  }
  assertEquals([wasPolicySet(), halfDType()], [true, undefined]);
});

Deno.test("policies of the same types have one key and others have others", () => {
  assertEquals(policyKey(resolvePolicy("c=f16")), policyKey(resolvePolicy("mixed_float16")));
  assert(policyKey(resolvePolicy("half")) !== policyKey(resolvePolicy("mixed_float16")));
  withPolicy("half", () => assertEquals(policyKey(), policyKey(resolvePolicy("float16"))));
});
