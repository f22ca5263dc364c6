// The layers of the library: a file imports lower layers or its own part, never upward, never in a circle.

import { assert, assertEquals } from "@std/assert";
import { buildGraph, importCycles, importsOf, layerOf, layerViolations } from "./import_graph.ts";
import { textsOf } from "./tracked_files.ts";

const library = /^(mod\.ts|(src|kernels)\/.*\.ts)$/;

Deno.test("the library's files import only lower layers and their own part", async () => {
  const graph = buildGraph(await textsOf(library));
  assert(graph.size > 0);
  assertEquals(layerViolations(graph), []);
});

Deno.test("the library's files import one another without a cycle", async () => {
  assertEquals(importCycles(buildGraph(await textsOf(library))), []);
});

Deno.test("every import of the library names a file that exists", async () => {
  const graph = buildGraph(await textsOf(library));
  const missing = [...graph].flatMap(([from, imports]) =>
    imports.filter((to) => !graph.has(to)).map((to) => `${from} imports ${to}`)
  );
  assertEquals(missing, []);
});

Deno.test("the library imports no package but @petamoriken/float16 and Deno's own modules", async () => {
  const allowed = /^(\.{1,2}\/|node:|npm:@petamoriken\/float16@\^3\.9\.3$)/;
  const foreign = [...await textsOf(library)].flatMap(([path, text]) =>
    importsOf(text).filter((name) => !allowed.test(name)).map((name) => `${path}: ${name}`)
  );
  assertEquals(foreign, []);
});

Deno.test("the layer check reports an upward import", () => {
  const graph = buildGraph(
    new Map([
      ["src/core/dtype.ts", 'import { trace } from "../ir/trace.ts";\n'],
      ["src/ir/trace.ts", ""],
    ]),
  );
  assertEquals(layerViolations(graph), [
    "src/core/dtype.ts (L0) imports upward src/ir/trace.ts (L2)",
  ]);
});

Deno.test("the layer check reports an import of another part of the same layer", () => {
  const graph = buildGraph(
    new Map([["kernels/matmul.ts", 'export * from "../src/gpu/device.ts";']]),
  );
  assertEquals(layerViolations(graph), [
    "kernels/matmul.ts (L1) imports sideways src/gpu/device.ts (L1)",
  ]);
});

Deno.test("the layer check reports a file that belongs to no layer", () => {
  assertEquals(layerViolations(buildGraph(new Map([["src/stray/a.ts", ""]]))), [
    "src/stray/a.ts belongs to no layer",
  ]);
});

Deno.test("the layer check reports a cycle, through types and dynamic imports too", () => {
  const graph = buildGraph(
    new Map([
      ["src/ir/a.ts", 'import type { B } from "./b.ts";'],
      ["src/ir/b.ts", 'const c = await import("./c.ts");'],
      ["src/ir/c.ts", 'export {\n  a,\n} from "./a.ts";'],
    ]),
  );
  assertEquals(importCycles(graph), ["src/ir/a.ts -> src/ir/b.ts -> src/ir/c.ts -> src/ir/a.ts"]);
});

Deno.test("imports in comments, examples and generated code are not imports", () => {
  const text = [
    '/** ```ts\n * import { x } from "./example.ts";\n * ``` */',
    '// import "./comment.ts";',
    'const code = `import "./generated.ts"; // ${name}`;',
    'import "./real.ts";',
    'import { y } from "./other.ts"; // import "./late.ts"',
  ].join("\n");
  assertEquals(importsOf(text), ["./real.ts", "./other.ts"]);
});

Deno.test("every part of the design has its layer", () => {
  const levels = [
    "src/core/a.ts",
    "kernels/a.ts",
    "src/ir/a.ts",
    "src/ops/a.ts",
    "src/compile/a.ts",
    "src/numpy.ts",
    "src/nn/a.ts",
    "mod.ts",
  ].map((path) => layerOf(path)?.level);
  assertEquals(levels, [0, 1, 2, 3, 4, 5, 6, 7]);
  assertEquals(layerOf("src/numpy/reductions.ts")?.level, 5);
  assertEquals(layerOf("src/stray/a.ts"), null);
});
