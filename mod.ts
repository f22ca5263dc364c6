/**
 * JAX-style mixed-precision computing on Deno's WebGPU.
 *
 * @module
 */

export {};
