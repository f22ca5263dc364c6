// Rules of translation to StableHLO.

import type { TranslationCall, TranslationRule, TranslationRules } from "../export/rule.ts";
import type { ModuleWriter, TensorValue } from "./module_writer.ts";

/** One operation to be written. */
export type Call = TranslationCall<ModuleWriter, TensorValue>;

/** How one operation is written. */
export type StableHloRule = TranslationRule<ModuleWriter, TensorValue>;

/** Rules by the operation's name. */
export type StableHloRules = TranslationRules<ModuleWriter, TensorValue>;
