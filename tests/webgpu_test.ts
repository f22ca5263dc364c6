// `webgpuTest` registers a test that needs a WebGPU adapter. Where there is none the test is counted
// and named as skipped, never left out in silence; `ZENITH_REQUIRE_WEBGPU=1` makes that an error.

/** What precedes the name of a test that was skipped for want of an adapter. */
export const skippedPrefix = "[no adapter] ";

/** A variable's value, where reading it was permitted from the start: a test asks nobody. */
function variable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}

async function findAdapter(): Promise<boolean> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return false;
  // Without a Vulkan driver wgpu falls back to Mesa's OpenGL on Linux and calls it by the same name;
  // what tells the two apart is shader-f16.
  return adapter.features.has("shader-f16") || Deno.build.os !== "linux" ||
    variable("DENO_WEBGPU_BACKEND") === "vulkan";
}

/** Whether this process has a WebGPU adapter, found out once. */
export const hasWebGpu: boolean = await findAdapter();

if (!hasWebGpu && variable("ZENITH_REQUIRE_WEBGPU") === "1") {
  throw new Error("ZENITH_REQUIRE_WEBGPU is 1, but there is no WebGPU adapter");
}

/** As `Deno.test(name, fn)`, for a test that needs a WebGPU adapter. */
export function webgpuTest(
  name: string,
  fn: (context: Deno.TestContext) => void | Promise<void>,
): void {
  Deno.test({ name: hasWebGpu ? name : skippedPrefix + name, ignore: !hasWebGpu, fn });
}
