// How the casts of trees act on arrays: the policy knows nothing of them, so the array layer tells it.

import type { FloatDType } from "./core/dtype.ts";
import { isFloatingArray } from "./array.ts";
import { isTracing } from "./ir/trace.ts";
import { astype } from "./numpy/creation.ts";
import { registerCast } from "./precision/casts.ts";

registerCast((leaf: unknown, dtype: FloatDType): unknown =>
  isFloatingArray(leaf) && (leaf.dtype !== dtype || isTracing()) ? astype(leaf, dtype) : leaf
);
