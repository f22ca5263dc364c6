// What an ONNX model holds, and whole forward passes as onnxruntime runs them.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  applyMixedPrecision,
  finfo,
  init,
  type NDArray,
  nn,
  numpy as jnp,
  random,
  ShapeDtype,
  toOnnx,
  tree,
} from "../../../mod.ts";
import { nameScope } from "../../../src/ir/trace.ts";
import { flattenWithPath } from "../../../src/core/pytree.ts";
import type { HostArray } from "./jax_runner.ts";
import { type OnnxJob, onnxTest, runInOnnxRuntime } from "./onnx_runner.ts";

await init({ backend: "cpu" });

const full = (...shape: number[]) => new ShapeDtype(shape, "float32");

/** The texts in a model, whatever they are: names, operators and paths. */
const textOf = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);

const onHost = (x: NDArray): HostArray => ({
  shape: x.shape,
  dtype: x.dtype,
  values: Float64Array.from(x.dataSync()),
});

/** Reads the fields of a message: numbers, and the bytes of everything else. */
function fieldsOf(bytes: Uint8Array): [number, number | Uint8Array][] {
  const fields: [number, number | Uint8Array][] = [];
  let at = 0;
  const varint = (): number => {
    let [value, scale] = [0, 1];
    for (;; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag % 8 === 0) fields.push([tag >> 3, varint()]);
    else {
      const length = tag % 8 === 5 ? 4 : varint();
      fields.push([tag >> 3, bytes.subarray(at, at += length)]);
    }
  }
  assertEquals(at, bytes.length);
  return fields;
}

Deno.test("a model says its format, its opset, and a graph with named inputs and outputs", () => {
  const model = fieldsOf(toOnnx((x: NDArray) => ({ y: jnp.exp(x) }), full(2, 3), { opset: 17 }));
  assertEquals(model.map(([number]) => number), [1, 2, 7, 8]);
  assertEquals(model[0], [1, 8]);
  const opset = fieldsOf(model[3]![1] as Uint8Array);
  assertEquals(opset[1], [2, 17]);
  const graph = fieldsOf(model[2]![1] as Uint8Array);
  const named = (field: number) =>
    graph.filter(([number]) => number === field)
      .map(([, port]) => textOf(fieldsOf(port as Uint8Array)[0]![1] as Uint8Array));
  assertEquals(named(11), ["arg0"]);
  assertEquals(named(12), ["result.y"]);
});

Deno.test("inputs are named by their paths, below names of the caller's", () => {
  const model = (params: { w: NDArray }, x: NDArray) => x.matmul(params.w);
  const text = textOf(
    toOnnx(model, { w: full(3, 2) }, full(4, 3), { inputNames: ["params", "x"] }),
  );
  assert(text.includes("params.w"));
  assert(!text.includes("arg0"));
});

Deno.test("nodes are named by module paths", () => {
  const text = textOf(toOnnx((x: NDArray) => nameScope("encoder", () => jnp.exp(x)), full(2)));
  assert(text.includes("encoder/Exp_"));
});

Deno.test("weights are inside, or in a file of their own", () => {
  const w = jnp.arange(1024).astype("float32").reshape([64, 16]);
  const predict = (x: NDArray) => x.matmul(w);
  const inside = toOnnx(predict, full(1, 64));
  const { model, weights } = toOnnx(predict, full(1, 64), { weightsFile: "weights.bin" });
  assertEquals(weights.length, 4096);
  assertEquals(new Float32Array(weights.buffer), w.dataSync());
  assert(inside.length > 4096 && model.length < 1000);
  assert(textOf(model).includes("weights.bin"));
});

Deno.test("what ONNX has nothing for is refused by its name and path", () => {
  const program = (x: NDArray) => nameScope("hash", () => jnp.leftShift(x, 2));
  assertThrows(
    () => toOnnx(program, new ShapeDtype([2], "uint32")),
    TypeError,
    "Cannot toOnnx: every operation must have a counterpart there, got leftShift of uint32, uint32 at hash",
  );
});

Deno.test("options that are none are refused", () => {
  const same = (x: NDArray) => x;
  assertThrows(
    () => toOnnx(same, full(2), { opset: 12 }),
    RangeError,
    "opset must be from 17 to 21",
  );
  assertThrows(() => toOnnx(same, full(2), { opset: 18, names: 1 }), TypeError, "unknown option");
  assertThrows(() => toOnnx(same, full(2), { inputNames: [] }), TypeError, "inputNames");
  assertThrows(() => toOnnx(same, full(2), { weightsFile: "" }), TypeError, "weightsFile");
  assertThrows(() => toOnnx(3 as never), TypeError, "a function is required");
});

/** Whether a result is within so many units of its type, at the scale of the array. */
function assertNear(got: HostArray, wanted: NDArray, units: number): void {
  const values = wanted.dataSync();
  const largest = Math.max(...Array.from(values, (v) => Math.abs(v)));
  const unit = finfo(wanted.dtype as "float32").eps * largest;
  values.forEach((value: number, i: number) => {
    const away = Math.abs(got.values[i]! - value) / unit;
    assert(away <= units, `element ${i} is ${got.values[i]}, wanted ${value}: ${away} units`);
  });
}

/** The inputs of a model by the names that they have there. */
function inputsOf(given: Readonly<Record<string, unknown>>): OnnxJob["inputs"] {
  return Object.fromEntries(
    Object.entries(given).flatMap(([root, value]) =>
      flattenWithPath(value, root)[0].map(({ path, leaf }) => [path, onHost(leaf as NDArray)])
    ),
  );
}

for (const dtype of ["float32", "float16"] as const) {
  const units = dtype === "float32" ? 64 : 2;

  onnxTest(`a classifier in ${dtype} with weights inside and beside gives the same`, async () => {
    const model = nn.mlp({ features: 64, hidden: 128 });
    const params = tree.map((w: NDArray) => w.astype(dtype), model.init(random.key(0)));
    const predict = (x: NDArray): NDArray => nn.softmax(model.apply(params as never, x));
    const x = random.normal(random.key(1), [8, 64]).astype(dtype);
    const wanted = predict(x);
    const outputs = [{ name: "result", shape: wanted.shape, dtype }];
    const inputs = inputsOf({ x });
    const options = { inputNames: ["x"] };
    const files = toOnnx(predict, x, { ...options, weightsFile: "weights.bin" });
    const outcomes = await runInOnnxRuntime([
      ...[17, 18, 20, 21].map((opset) => ({
        model: toOnnx(predict, x, { ...options, opset }),
        inputs,
        outputs,
      })),
      {
        model: files.model,
        weights: { name: "weights.bin", bytes: files.weights },
        inputs,
        outputs,
      },
    ]);
    for (const outcome of outcomes) {
      assert(typeof outcome !== "string", outcome as string);
      assertNear(outcome[0]!, wanted, units);
    }
  });

  onnxTest(`a transformer block in ${dtype} gives the same`, async () => {
    const block = nn.transformerBlock({ features: 32, numHeads: 4, isCausal: true });
    const params = block.init(random.key(0));
    const x = random.normal(random.key(1), [2, 12, 32]).astype(dtype);
    const apply = applyMixedPrecision(block, { dtype }).apply;
    const wanted = apply(params, x);
    const model = toOnnx(apply as (...args: never[]) => unknown, params, x, {
      opset: 18,
      inputNames: ["params", "x"],
    });
    const [outcome] = await runInOnnxRuntime([{
      model,
      inputs: inputsOf({ params, x }),
      outputs: [{ name: "result", shape: wanted.shape, dtype: wanted.dtype }],
    }]);
    assert(typeof outcome !== "string", outcome as string);
    assertNear(outcome![0]!, wanted, units);
  });

  onnxTest(`convolutions and pooling in ${dtype} give the same`, async () => {
    const conv = nn.conv({ inFeatures: 3, features: 8, kernelSize: [3, 3], strides: 2 });
    const params = tree.map((w: NDArray) => w.astype(dtype), conv.init(random.key(0)));
    const predict = (x: NDArray) =>
      nn.maxPool(nn.relu(conv.apply(params as never, x)), [2, 2], { strides: [2, 2] });
    const x = random.normal(random.key(1), [2, 16, 16, 3]).astype(dtype);
    const wanted = predict(x);
    const [outcome] = await runInOnnxRuntime([{
      model: toOnnx(predict, x),
      inputs: inputsOf({ arg0: x }),
      outputs: [{ name: "result", shape: wanted.shape, dtype }],
    }]);
    assert(typeof outcome !== "string", outcome as string);
    assertNear(outcome![0]!, wanted, units);
  });
}
