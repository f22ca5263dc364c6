// Gradients in half types: every elementwise operation against its derivative in float64, and a small network
// on WebGPU in each type against the CPU reference.

import { assert, assertEquals } from "@std/assert";
import { asNDArray, type NDArray } from "../../src/array.ts";
import { isFloating } from "../../src/core/dtype.ts";
import { finfo } from "../../src/core/finfo.ts";
import { roundTo } from "../../src/core/half.ts";
import { allOperations, type Operation, outputAvals } from "../../src/ir/operation.ts";
import { bind1, traceGraph } from "../../src/ir/trace.ts";
import { constant } from "../../src/ops/constant.ts";
import { grad, init, jit, nn, numpy as jnp } from "../../mod.ts";
import { pullBack } from "../../src/transform/differentiate.ts";
import { arityOf, elementwiseParams, inputDTypes } from "../ops/registry_samples.ts";
import { webgpuTest } from "../webgpu_test.ts";
import { evaluate, randomValues } from "./exact_graph.ts";

const count = 24;

function isSmooth(operation: Operation): boolean {
  const { lower, derivative } = operation;
  return lower.kind === "elementwise" && derivative !== undefined && derivative.kind !== "zero";
}

/** Inputs of an operation in its domain, all of them values of the dtype. */
function inputsOf(operation: Operation, arity: number, dtype: "float16" | "bfloat16"): number[][] {
  const domain = operation.domain ?? [-3, 3];
  return Array.from({ length: arity }, (_, i) => {
    const own = (typeof domain[0] === "number" ? domain : domain[i]) as readonly [number, number];
    // Away from the ends, and small enough for slopes to be in range.
    const [low, high] = [Math.max(own[0], -6), Math.min(own[1], 6)];
    const margin = 0.1 * (high - low);
    return [...randomValues(count, [low + margin, high - margin], 3 + i)]
      .map((v) => roundTo(dtype, v));
  });
}

for (const dtype of ["float16", "bfloat16"] as const) {
  Deno.test(`gradients of every elementwise operation in ${dtype} are exact ones rounded`, async () => {
    await init({ backend: "cpu" });
    const wrong: string[] = [];
    for (const operation of allOperations().filter(isSmooth)) {
      const params = (elementwiseParams[operation.name] ?? [{}])[0]!;
      const inputs = inputDTypes(operation, params).find((d) => d.includes(dtype));
      if (operation.name === "astype" || !inputs) continue;
      const values = inputsOf(operation, arityOf(operation, params), dtype);
      const wide = inputs.map((d) => ({
        dtype: d === dtype ? "float32" as const : d,
        shape: [count],
      }));
      if (!isFloating(outputAvals(operation, wide, params)[0]!.dtype)) continue;
      const columns = inputs.map((d, i) =>
        d === "bool" ? values[i]!.map((v) => Number(v > 0)) : values[i]!
      );
      const exact = exactGradients(operation, params, wide, columns);
      const arrays = inputs.map((d, i) => jnp.array(columns[i]!, { dtype: d }));
      const chosen = inputs.flatMap((d, i) => d === dtype ? [i] : []);
      const gradients = grad(
        (...xs: NDArray[]) => jnp.sum(asNDArray(bind1(operation, params, ...xs)).astype("float32")),
        { argnums: chosen },
      )(...arrays) as NDArray[];
      for (const [at, gradient] of gradients.entries()) {
        assertEquals(gradient.dtype, dtype);
        const got = [...await gradient.data()].map(Number);
        const { eps } = finfo(dtype);
        got.forEach((v, i) => {
          const wanted = exact[chosen[at]!]![i]!;
          // Two roundings: of the result that a rule may use, and of the gradient.
          if (Math.abs(v - wanted) <= 1.1 * eps * Math.abs(wanted) + eps / 64) return;
          wrong.push(
            `${operation.name} d${at} at ${columns.map((c) => c[i])}: ${v}, wanted ${wanted}`,
          );
        });
      }
    }
    assertEquals(wrong, []);
  });
}

function exactGradients(
  operation: Operation,
  params: Parameters<Operation["aval"]>[1],
  avals: Parameters<Operation["aval"]>[0],
  columns: readonly (readonly number[])[],
): number[][] {
  const single = traceGraph((...xs) => [bind1(operation, params, ...xs)], avals);
  const graph = traceGraph((...xs) => {
    const ones = bind1(onesOperation, {});
    const back = pullBack(single, xs)[1]([ones]);
    return xs.map((_, i) => back[i] ?? constant(0, "float32"));
  }, avals);
  const out = evaluate(graph, columns.map((c) => Float64Array.from(c)));
  return out.map((x) => x.length === 1 ? new Array(count).fill(x[0]) : [...x]);
}

const onesOperation: Operation = {
  name: "ones",
  precision: "follow",
  lower: { kind: "constant" },
  aval: () => ({ shape: [count], dtype: "float32" }),
  evaluate: () => [new Float64Array(count).fill(1)],
};

interface Params {
  readonly w: NDArray;
  readonly b: NDArray;
  readonly v: NDArray;
}

/** A small network whose loss is a float32 scalar. */
function loss(p: Params, x: NDArray): NDArray {
  const h = nn.gelu(x.matmul(p.w).add(p.b));
  const logits = nn.layerNorm(h).matmul(p.v);
  const weights = jnp.cos(jnp.arange(logits.size)).reshape(logits.shape);
  return jnp.mean(nn.logSoftmax(logits.astype("float32")).mul(weights));
}

webgpuTest(
  "a network's gradients on WebGPU agree with the CPU reference in every type",
  async () => {
    for (const dtype of ["float32", "float16", "bfloat16"] as const) {
      const gradients = [];
      for (const backend of ["cpu", "webgpu"] as const) {
        await init({ backend });
        const make = (shape: number[], scale: number) => {
          const waves = jnp.sin(jnp.arange(shape.reduce((a, b) => a * b, 1)).mul(1.7));
          return waves.mul(scale).reshape(shape).astype(dtype);
        };
        const params = { w: make([12, 16], 0.7), b: make([16], 0.2), v: make([16, 8], 0.5) };
        const tree = jit(grad(loss))(params, make([10, 12], 1));
        assertEquals([tree.w.dtype, tree.b.dtype, tree.v.dtype], [dtype, dtype, dtype]);
        gradients.push(
          await Promise.all(
            [tree.w, tree.b, tree.v].map(async (g) => [...await g.data()].map(Number)),
          ),
        );
      }
      const [cpu, gpu] = gradients as [number[][], number[][]];
      const tolerance = dtype === "float32" ? 1e-5 : 16 * finfo(dtype).eps;
      cpu.forEach((wanted, i) => {
        const size = Math.max(...wanted.map(Math.abs));
        const error = Math.max(...wanted.map((w, j) => Math.abs(w - gpu[i]![j]!)));
        assert(error <= tolerance * size, `${dtype} gradient ${i}: off by ${error} of ${size}`);
      });
    }
  },
);
