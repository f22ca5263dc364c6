// Kernels side by side: independent kernels as the branches of one, each on a range of its workgroups, so
// that many small pieces of work cost one dispatch. A workgroup takes one branch as a whole, so barriers
// and subgroups inside of it stay what they are.

import {
  assembleKernel,
  type Binding,
  type Kernel,
  linearGroup,
  type Parameter,
  spreadWorkgroups,
} from "./kernel.ts";
import type { Target } from "./target.ts";

/** One of the kernels, and the number of the joint binding for each of its own. */
export interface Branch {
  readonly kernel: Kernel;
  readonly arrays: readonly number[];
}

/** How the joint kernel declares an array. */
export type JointBinding = Omit<Binding, "name">;

/** Whether two kernels can be branches of one. */
export function canShareDispatch(a: Kernel, b: Kernel): boolean {
  return !!a.sharesDispatch && !!b.sharesDispatch && a.workgroupSize === b.workgroupSize;
}

/** The workgroups of a kernel that finds its place by its linear number. */
export function countWorkgroups({ workgroups: [x, y, z] }: Kernel): number {
  return x * y * z;
}

/** One kernel that does the work of all its branches. */
export function sideBySide(
  branches: readonly Branch[],
  bindings: readonly JointBinding[],
  target: Target,
): Kernel {
  const kernels = branches.map(({ kernel }) => kernel);
  const counts = kernels.map(countWorkgroups);
  const ends = counts.map((_, i) => counts.slice(0, i + 1).reduce((a, b) => a + b, 0));
  const names = [...new Set(kernels.map(({ name }) => name))];
  return assembleKernel({
    name: names.join("+"),
    bindings: bindings.map((binding, i) => ({ ...binding, name: arrayName(i) })),
    parameters: kernels.flatMap((kernel, i) => branchParameters(kernel, i, ends[i]!)),
    functions: kernels.map(({ functions }) => functions ?? "").join("\n"),
    subgroups: kernels.some(({ subgroups }) => subgroups),
    workgroupSize: kernels[0]!.workgroupSize,
    body: `let joint = ${linearGroup};\n` +
      branches.map((branch, i) => branchText(branch, i)).join(" else "),
    workgroups: spreadWorkgroups(ends[ends.length - 1]!),
  }, target);
}

function arrayName(index: number): string {
  return `array${index}`;
}

/** A branch's own parameters, and the number of the workgroup after its last. */
function branchParameters({ parameters }: Kernel, branch: number, end: number): Parameter[] {
  return [
    { name: `end${branch}`, type: "u32", value: end },
    ...parameters.map((p) => ({ ...p, name: `${p.name}_${branch}` })),
  ];
}

/** The body of a branch with the joint names for its arrays and parameters, in workgroups counted from 0. */
function branchText({ kernel, arrays }: Branch, branch: number): string {
  const names = new Map(kernel.bindings.map(({ name }, i) => [name, arrayName(arrays[i]!)]));
  const body = kernel.body.replace(
    /(params\.)?\b[a-z]\w*/g,
    (found, member) => member ? `${found}_${branch}` : names.get(found) ?? found,
  );
  const start = branch === 0 ? "joint" : `joint - params.end${branch - 1}`;
  return `if (joint < params.end${branch}) {
let group = vec3u(${start}, 0u, 0u);
let groups = vec3u(1u);
${body}
}`;
}
