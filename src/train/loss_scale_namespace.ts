// The `lossScale` namespace.

export type { LossScale } from "./loss_scale.ts";
export { fixed, FixedLossScale, noOp, NoOpLossScale } from "./constant_loss_scale.ts";
export {
  dynamic,
  DynamicLossScale,
  type DynamicLossScaleFields,
  type DynamicLossScaleOptions,
} from "./dynamic_loss_scale.ts";
