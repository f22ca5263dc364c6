// The device that is measured.

import { init } from "../../mod.ts";
import { describeEnvironment, type Environment } from "./environment.ts";

/** Opens the device and describes it. */
export async function openSession(): Promise<Environment> {
  return describeEnvironment(await init());
}
