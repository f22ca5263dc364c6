// The inner loop's text, for every mode: loads of both operands for a few steps of k, and the products.

import type { MatmulDescription } from "./description.ts";
import { type Side, sumType } from "./operand.ts";

/** The names of a vector's components. */
export const components: readonly string[] = ["x", "y", "z", "w"];

/** Sums that a thread holds: `c<row>_<vector>`, each of four neighbours along the threads' axis. */
export interface SumTile {
  readonly rows: number;
  readonly vectors: number;
}

/** Every sum of a tile, row by row. */
export function sumNames({ rows, vectors }: SumTile): string[] {
  return Array.from({ length: rows * vectors }, (_, i) => {
    return `c${Math.floor(i / vectors)}_${i % vectors}`;
  });
}

/** How the loads of one step of k are written. */
export interface LoadContext {
  readonly description: MatmulDescription;
  /** WGSL name of the step's first k. */
  readonly k: string;
  /** Whether k may end within the step. What lies past it must be 0 on both sides: 0 times NaN is NaN. */
  readonly masked: boolean;
}

/** WGSL for four elements of a side, from `position` on its axis of the result and `k` on. */
export function loadFour(side: Side, position: string, k: string, context: LoadContext): string {
  const { name, alongK } = side;
  const [line, within] = alongK ? [position, k] : [k, position];
  const value = `load_${name}(${name}_base + (${line}) * params.${name}_stride + ${within})`;
  if (!context.masked) return value;
  const inside = alongK
    ? `vec4u(${k}) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.k)`
    : `${k} < params.k`;
  return `select(vec4<${sumType(context.description)}>(), ${value}, ${inside})`;
}

/** WGSL for a position that is loaded: the nearest inside, since sums past the end are never stored. */
export function clampPosition(side: Side, position: string): string {
  const last = `(${side.extent} - 1u)`;
  return `min(${position}, ${side.alongK ? last : `(${last} & 0xfffffffcu)`})`;
}

/**
 * Statements that load `4 * unroll` steps of k at `vectors` groups of four positions each thread owns, and
 * declare them as `b<step>_<vector>`. Memory along k is turned over in registers.
 * @param position WGSL for the first position of a vector.
 */
export function loadOwn(
  side: Side,
  { vectors, unroll }: { vectors: number; unroll: number },
  position: (vector: number) => string,
  context: LoadContext,
): string {
  const type = `vec4<${sumType(context.description)}>`;
  const lines: string[] = [];
  for (let j = 0; j < vectors; j++) {
    for (let step = 0; step < 4 * unroll; step++) {
      if (!side.alongK) {
        const at = clampPosition(side, position(j));
        lines.push(
          `let b${step}_${j} = ${loadFour(side, at, `${context.k} + ${step}u`, context)};`,
        );
      } else if (step % 4 === 0) {
        for (let c = 0; c < 4; c++) {
          const at = clampPosition(side, `${position(j)} + ${c}u`);
          lines.push(
            `let t${step + c}_${j} = ${loadFour(side, at, `${context.k} + ${step}u`, context)};`,
          );
        }
        for (let q = 0; q < 4; q++) {
          const turned = [0, 1, 2, 3].map((c) => `t${step + c}_${j}.${components[q]}`);
          lines.push(`let b${step + q}_${j} = ${type}(${turned.join(", ")});`);
        }
      }
    }
  }
  return lines.join("\n");
}

/**
 * Statements that add four products to each sum of a row, in the order of k. WGSL's `fma` is fused everywhere
 * or nowhere on a device, so that a sum's bits do not depend on the text around it.
 * @param factors the row's four scalars along k. @param firstStep the k step of the first.
 */
export function addProducts(
  description: MatmulDescription,
  row: number,
  vectors: number,
  factors: readonly string[],
  firstStep: number,
): string {
  const type = sumType(description);
  const lines = Array.from({ length: vectors }, (_, j) => {
    const sum = factors.reduce((text, factor, q) => {
      const own = `b${firstStep + q}_${j}`;
      return type === "f32"
        ? `fma(vec4f(${factor}), ${own}, ${text})`
        : `(vec4<${type}>(${factor}) * ${own} + ${text})`;
    }, `c${row}_${j}`);
    return `c${row}_${j} = ${sum};`;
  });
  return lines.join("\n");
}
