// Where figures come from, and the words that say it.

import config from "../../deno.json" with { type: "json" };
import type { DeviceInfo } from "../../mod.ts";

/** Where figures come from: without it they mean nothing. */
export interface Environment {
  readonly library: string;
  readonly deno: string;
  readonly system: string;
  readonly adapter: string;
  readonly backend: "webgpu" | "cpu";
  /** Whether a processor does the adapter's work. */
  readonly software: boolean;
  /** Logical processors. */
  readonly processors: number;
}

/** An environment from what `init` reports. */
export function describeEnvironment(
  { name, backend, software }: Pick<DeviceInfo, "name" | "backend" | "software">,
): Environment {
  return {
    library: `${config.name} ${config.version}`,
    deno: Deno.version.deno,
    system: `${Deno.build.os} ${Deno.build.arch}`,
    adapter: name,
    backend,
    software,
    processors: navigator.hardwareConcurrency,
  };
}

/** The lines that stand above every table. */
export function describe(environment: Environment): string[] {
  const { library, deno, system, adapter, backend, software, processors } = environment;
  const lines = [`${adapter} (${backend}), ${library}, Deno ${deno}, ${system}`];
  if (software || backend === "cpu") {
    lines.push(
      `Software adapter on ${processors} logical processors: absolute figures depend on what else they do; trust the ratios.`,
    );
  }
  return lines;
}
