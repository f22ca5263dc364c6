// The StableHLO example: a training step that leaves for JAX and runs there on two devices.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { jaxTest } from "../io/export/jax_runner.ts";
import { runExample } from "./example_run.ts";

const root = new URL("../../", import.meta.url);

for (const policy of ["float32", "mixed_float16"]) {
  jaxTest(
    `a training step under ${policy} sharded over two devices ends on the same weights`,
    async () => {
      const folder = await Deno.makeTempDir();
      try {
        const exported = await runExample("stablehlo/export_step.ts", [folder, policy], ["-A"]);
        assertEquals(exported.code, 0, exported.err);
        const { code, stdout, stderr } = await new Deno.Command("python3", {
          args: ["examples/stablehlo/train_sharded.py", folder],
          cwd: root,
          env: {
            JAX_PLATFORMS: "cpu",
            XLA_FLAGS:
              "--xla_force_host_platform_device_count=2 --xla_allow_excess_precision=false",
          },
        }).output();
        const out = new TextDecoder().decode(stdout);
        assert(code === 0, out + new TextDecoder().decode(stderr));
        assertStringIncludes(out, "2 devices");
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
}
