// The least program that computes something: what is timed by cold_start.ts.

import { init, jit, type NDArray, numpy as jnp } from "../../mod.ts";

await init();
const shifted = jit((x: NDArray) => x.mul(2).add(1));
console.log(await shifted(jnp.ones([4])).toList());
