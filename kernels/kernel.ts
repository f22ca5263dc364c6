// A kernel as text: what every generator returns and the frame (bindings, parameters) that all share.

import type { Target } from "./target.ts";

/** A number that the kernel reads at run time, so that one text serves many extents and literals. */
export interface Parameter {
  /** Its name in WGSL: read as `params.<name>`. */
  readonly name: string;
  readonly type: "u32" | "i32" | "f32";
  readonly value: number;
}

/** How a kernel binds one array. */
export interface Binding {
  /** The module-scope variable that the text reads or writes. */
  readonly name: string;
  readonly access: "read" | "read_write";
  /** The WGSL element type of the runtime-sized array, e.g. `vec4f`. */
  readonly element: string;
}

/** WebGPU's guaranteed number of workgroups in one dimension. */
export const maxWorkgroupsPerDimension = 65535;

/** The parts from which {@linkcode assembleKernel} builds the text. */
export interface KernelParts {
  /** A short label, e.g. `matmul_broadcast`: shown in errors and profiles. */
  readonly name: string;
  /** The arrays bound at 1, 2, ... */
  readonly bindings: readonly Binding[];
  /** What `params` holds after its leading `zero`. */
  readonly parameters: readonly Parameter[];
  /**
   * Module-scope WGSL between the bindings and `main`: functions and workgroup variables. Declarations
   * that stand here twice, word for word, are written once: fragments may bring the same functions.
   */
  readonly functions?: string;
  /** Whether `main` also reads `subgroup` (its subgroup's number in the workgroup) and `subgroup_lane`. */
  readonly subgroups?: boolean;
  /** E.g. `8, 4` for `@workgroup_size(8, 4)`. */
  readonly workgroupSize: string;
  /** The statements of `main`; may read `group`, `local`, `lane` (index in the workgroup) and `groups`. */
  readonly body: string;
  /** Workgroups in x, y and z, each at most 65,535. */
  readonly workgroups: readonly [number, number, number];
  /** Whether it may run in one dispatch with others: its body finds its place by {@linkcode linearGroup}. */
  readonly sharesDispatch?: boolean;
}

/** A compute shader ready for a device: its parts and its whole text. Binding 0 is the uniform `params`. */
export interface Kernel extends KernelParts {
  readonly code: string;
}

/** The module-scope declarations of a text: each ends with a semicolon or brace outside all braces. */
function splitDeclarations(text: string): string[] {
  const declarations: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: token, index } of text.matchAll(/\/\/[^\n]*|[{};]/g)) {
    if (token === "{") depth++;
    else if (token === "}") depth--;
    else if (token !== ";") continue;
    if (depth > 0) continue;
    declarations.push(text.slice(start, index + 1).trim());
    start = index + 1;
  }
  declarations.push(text.slice(start).trim());
  return declarations.filter((declaration) => declaration !== "" && declaration !== ";");
}

/**
 * Puts a kernel's parts into one WGSL module. Binding 0 is `params`, whose first word `zero` is 0: read
 * through `zero()` it seals a value against reassociation, because the compiler cannot know it.
 */
export function assembleKernel(parts: KernelParts, target: Target): Kernel {
  const { bindings, parameters } = parts;
  const fields = parameters.map((p) => ` ${p.name}: ${p.type},`).join("");
  const arrays = bindings.map((b, i) =>
    `@group(0) @binding(${i + 1}) var<storage, ${b.access}> ${b.name}: array<${b.element}>;`
  );
  const functions = [...new Set(splitDeclarations(parts.functions ?? ""))].join("\n");
  const subgroups = parts.subgroups
    ? ",\n  @builtin(subgroup_id) subgroup: u32, @builtin(subgroup_invocation_id) subgroup_lane: u32"
    : "";
  const code = `${target.shaderF16 ? "enable f16;\n" : ""}struct Params { zero: u32,${fields} }
@group(0) @binding(0) var<uniform> params: Params;
${arrays.join("\n")}
fn zero() -> u32 { return params.zero; }
${functions}
@compute @workgroup_size(${parts.workgroupSize})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32, @builtin(num_workgroups) groups: vec3u${subgroups}) {
${parts.body}
}
`;
  return { ...parts, code };
}

/**
 * Spreads `count` workgroups over x and y, since one dimension holds 65,535 at most. The kernel finds its
 * number as {@linkcode linearGroup} and must return where it is past `count`.
 */
export function spreadWorkgroups(count: number): [number, number, number] {
  if (count <= maxWorkgroupsPerDimension) return [Math.max(count, 1), 1, 1];
  const rows = Math.ceil(count / maxWorkgroupsPerDimension);
  return [Math.ceil(count / rows), rows, 1];
}

/** WGSL for the number of a workgroup that {@linkcode spreadWorkgroups} placed. */
export const linearGroup = "(group.y * groups.x + group.x)";
