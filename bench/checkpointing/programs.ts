// What `checkpoint` trades: the gradient through a stack of blocks, with what each computes on the way kept for the
// way back, and computed again there.

import { checkpoint, grad, type NDArray, nn } from "../../mod.ts";
import type { FunctionProgram } from "../programs.ts";
import { blocksGradientElement } from "./reference.ts";

/** How many blocks there are; all have the same weights. */
export const BLOCKS = 8;

type Block = (h: NDArray, up: NDArray, down: NDArray) => NDArray;

/** A feed-forward block with four times as many numbers on the way as at its ends. */
const block: Block = (h, up, down) => h.add(nn.gelu(h.matmul(up)).matmul(down));

/** Half the sum of the squares of what the blocks make of x, as a function of x. */
function blocksLoss(block: Block) {
  return (x: NDArray, up: NDArray, down: NDArray): NDArray => {
    let h = x;
    for (let i = 0; i < BLOCKS; i++) h = block(h, up, down);
    return h.astype("float32").square().sum().mul(0.5);
  };
}

function blocksGradient(name: string, block: Block): FunctionProgram {
  const gradient = grad(blocksLoss(block));
  return {
    kind: "function",
    name,
    sections: ["checkpointing"],
    sizes: [512],
    label: (n) => `${BLOCKS} x (${n / 2} x ${n} -> ${4 * n} -> ${n})`,
    // Weights are bounded so that the blocks add little to what goes through them.
    arguments: (n) => [
      { shape: [n / 2, n], bound: 1 },
      { shape: [n, 4 * n], bound: Math.sqrt(3 / n) },
      { shape: [4 * n, n], bound: 0.5 * Math.sqrt(3 / (4 * n)) },
    ],
    // Two products forward and two backward a block; what is computed again is not counted.
    flops: (n) => BLOCKS * 4 * 2 * (n / 2) * n * (4 * n),
    run: (x, up, down) => gradient(x, up, down),
    reference: blocksGradientElement(BLOCKS),
  };
}

/** The gradient of the blocks as it is. */
export const keptBlocks: FunctionProgram = blocksGradient("gradient, all kept", block);

/** The same with each block under `checkpoint`. */
export const checkpointedBlocks: FunctionProgram = blocksGradient(
  "gradient, checkpointed",
  checkpoint(block),
);
