// What stands for a variable of a graph while mixed precision rewrites it: a value whose dtype may still be open.

import { type DType, isFloating, promoteTypes, type Typed } from "../core/dtype.ts";
import type { Aval } from "../ir/aval.ts";
import type { Operation } from "../ir/operation.ts";
import type { Value } from "../ir/value.ts";
import { astype } from "../ops/cast.ts";
import { constant } from "../ops/constant.ts";
import { contains, type ModulePolicy } from "../precision/module_policies.ts";

/**
 * What decides the dtype of a floating slot: an input enters each module in that one's compute type, what is made
 * of literals alone gives way to what it meets, and all else has its type.
 */
export type SlotKind = "input" | "literal" | "settled";

/** A value of the rewritten graph. */
export class Slot {
  readonly kind: SlotKind;
  /** Its own aval, before anything is made of it. */
  readonly aval: Aval;
  /** The module that made it. */
  readonly module: ModulePolicy;
  readonly #make: (dtype: DType) => Value;
  readonly #made = new Map<DType, Value>();

  private constructor(
    kind: SlotKind,
    aval: Aval,
    module: ModulePolicy,
    make: (dtype: DType) => Value,
  ) {
    this.kind = kind;
    this.aval = aval;
    this.module = module;
    this.#make = make;
  }

  /** A value that is there. */
  static of(value: Value, kind: SlotKind, module: ModulePolicy): Slot {
    const open = isFloating(value.aval.dtype) ? kind : "settled";
    const isNumber = open === "input" && value.aval.weak !== undefined;
    return new Slot(
      isNumber ? "literal" : open,
      value.aval,
      module,
      (dtype) => value.aval.dtype === dtype ? value : astype(value, dtype),
    );
  }

  /** A number, made in the types that it is used in. */
  static number(value: number, module: ModulePolicy): Slot {
    const aval: Aval = { shape: [], dtype: "float32" };
    return new Slot("literal", aval, module, (dtype) => constant(value, dtype));
  }

  /** The value in a dtype; it is converted once. */
  as(dtype: DType): Value {
    let made = this.#made.get(dtype);
    if (!made) this.#made.set(dtype, made = this.#make(dtype));
    return made;
  }

  /** The value in its own dtype. */
  get own(): Value {
    return this.as(this.aval.dtype);
  }

  /** The value as an operation of a module finds it, before the operation's own rule. */
  within(module: ModulePolicy): Value {
    return this.as(this.dtypeWithin(module));
  }

  /** The dtype of {@linkcode Slot.within}. */
  dtypeWithin(module: ModulePolicy): DType {
    const { dtype } = this.aval;
    if (!isFloating(dtype) || this.kind === "literal") return dtype;
    const entered = !contains(module, this.module);
    if (this.kind === "input" || entered) return module.policy.computeDtype;
    return contains(this.module, module) ? dtype : this.module.policy.outputDtype;
  }

  /** What promotion sees of it in a module. */
  typeWithin(module: ModulePolicy): Typed {
    if (this.kind === "literal") return { dtype: "float32", weak: "float" };
    return { dtype: this.dtypeWithin(module), weak: this.aval.weak };
  }
}

/** The dtype in which operands of one operation meet; undefined where each has its own, or none is floating. */
export function meetingType(
  slots: readonly Slot[],
  module: ModulePolicy,
  operandTypes: Operation["operandTypes"],
): DType | undefined {
  if (slots.length === 0 || operandTypes === "own") return undefined;
  const first = slots[0]!;
  const leads = operandTypes === "first" && first.kind !== "literal";
  const deciding = leads ? [first] : slots;
  const { dtype } = promoteTypes(deciding.map((slot) => slot.typeWithin(module)));
  return isFloating(dtype) ? dtype : undefined;
}
