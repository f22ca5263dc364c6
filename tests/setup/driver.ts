// Finds the WebGPU adapter that this project's programs will get, and on a bare Debian installs the
// software Vulkan driver where there is none.

import { tmpdir } from "node:os";

/** What a child process reported about its default adapter. */
export interface AdapterReport {
  /** The adapter's own description, as in `llvmpipe (LLVM 15.0.6, 256 bits)`. */
  name: string;
  /** Whether it has `shader-f16`. */
  shaderF16: boolean;
}

/** Debian's packages with Mesa's software Vulkan driver and the loader that finds it. */
export const driverPackages: readonly string[] = ["mesa-vulkan-drivers", "libvulkan1"];

const PROBE = `
const adapter = await navigator.gpu?.requestAdapter();
console.log(JSON.stringify(adapter && {
  name: adapter.info.description || adapter.info.vendor || "unnamed adapter",
  shaderF16: adapter.features.has("shader-f16"),
}));`;

/**
 * The environment variables, beyond those set already, with which a Deno process finds its adapter.
 *
 * On Linux wgpu would fall back to OpenGL without a word where there is no Vulkan driver, and print an
 * error line at every request for an adapter where `XDG_RUNTIME_DIR` is unset.
 */
export function deviceEnvironment(): Record<string, string> {
  const variables: Record<string, string> = {};
  if (Deno.build.os !== "linux") return variables;
  if (!Deno.env.get("DENO_WEBGPU_BACKEND")) variables.DENO_WEBGPU_BACKEND = "vulkan";
  if (!Deno.env.get("XDG_RUNTIME_DIR")) variables.XDG_RUNTIME_DIR = tmpdir();
  return variables;
}

/**
 * Asks for an adapter in a process of its own, because a process sees only the drivers that were there
 * when it first asked.
 */
export async function probeAdapter(): Promise<AdapterReport | null> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", PROBE],
    env: deviceEnvironment(),
    stdin: "null",
    stderr: "null",
  }).output();
  if (!success) return null;
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return JSON.parse(lines.at(-1) || "null") ?? null;
}

async function run(command: string, args: readonly string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, {
      args: [...args],
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdin: "null",
      // What apt-get says goes to stderr: stdout is the program's that is run afterwards.
      stdout: "null",
    }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function installLine(): string {
  const command = `apt-get update && apt-get install -y --no-install-recommends ${
    driverPackages.join(" ")
  }`;
  return Deno.uid() === 0 ? command : `sudo sh -c '${command}'`;
}

/** Installs the driver where that needs nobody's consent: as root, with Debian's package manager. */
async function installDriver(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  if (!await run("apt-get", ["--version"])) return false;
  console.error(`No Vulkan adapter found: installing ${driverPackages.join(" and ")} ...`);
  return await run("apt-get", ["-q", "update"]) &&
    await run("apt-get", ["-q", "install", "-y", "--no-install-recommends", ...driverPackages]);
}

function sayWithout(): void {
  const way = Deno.build.os === "linux"
    ? ` A software driver serves too, on Debian or Ubuntu:\n  ${installLine()}`
    : "";
  console.error(`No WebGPU adapter found: going on with the CPU backend.${way}`);
}

/**
 * Makes sure that there is an adapter, if that is possible here; says on stderr what it did and what
 * is left to do. Returns null where programs will have to use the CPU backend.
 */
export async function ensureDriver(): Promise<AdapterReport | null> {
  let adapter = await probeAdapter();
  if (!adapter && await installDriver()) adapter = await probeAdapter();
  if (!adapter) sayWithout();
  else if (!adapter.shaderF16) {
    console.error(`${adapter.name} has no shader-f16: float16 is computed from packed words.`);
  }
  return adapter;
}
