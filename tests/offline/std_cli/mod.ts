/**
 * Stands in for `@std/cli` where JSR cannot be reached: the entry points that this project uses,
 * with the real package's signatures.
 *
 * @module
 */

export * from "./parse_args.ts";
export * from "./unicode_width.ts";
