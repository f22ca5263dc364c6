// The `losses` namespace.

export type { ClassOptions } from "./arguments.ts";
export {
  type IntegerLabelsOptions,
  sigmoidBinaryCrossEntropy,
  softmaxCrossEntropy,
  softmaxCrossEntropyWithIntegerLabels,
} from "./cross_entropy.ts";
export { klDivergence, smoothLabels, type SmoothOptions } from "./distributions.ts";
export { absoluteError, huberLoss, type HuberOptions, squaredError } from "./regression.ts";
