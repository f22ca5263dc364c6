// Runs ONNX models in onnxruntime, in a process of its own: each folder given has model.onnx and arguments.json, and
// gets results.json. The first argument is the folder of the package.

import { createRequire } from "node:module";

// The package takes its own 16-bit patterns for float16, unless it sees this class.
Reflect.deleteProperty(globalThis, "Float16Array");
const [packageFolder, ...folders] = Deno.args;
const runtime = createRequire(import.meta.url)(packageFolder!);

const classes = {
  float32: Float32Array,
  float16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint8Array,
};

interface Argument {
  readonly name: string;
  readonly dtype: keyof typeof classes;
  readonly shape: number[];
  readonly bytes: number[];
}

for (const folder of folders) {
  try {
    const given: Argument[] = JSON.parse(await Deno.readTextFile(`${folder}/arguments.json`));
    const session = await runtime.InferenceSession.create(`${folder}/model.onnx`, {
      logSeverityLevel: 3,
    });
    const feeds = Object.fromEntries(given.map(({ name, dtype, shape, bytes }) => [
      name,
      new runtime.Tensor(dtype, new classes[dtype](new Uint8Array(bytes).buffer), shape),
    ]));
    const results = await session.run(feeds);
    const named = Object.entries(results as Record<string, { type: string; data: Uint8Array }>)
      .map(([name, { type, data: { buffer, byteOffset, byteLength } }]) => [
        name,
        { type, bytes: [...new Uint8Array(buffer, byteOffset, byteLength)] },
      ]);
    await Deno.writeTextFile(`${folder}/results.json`, JSON.stringify(Object.fromEntries(named)));
  } catch (error) {
    await Deno.writeTextFile(`${folder}/error.txt`, String(error));
  }
}
Deno.exit(0);
