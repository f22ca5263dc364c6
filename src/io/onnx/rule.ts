// Rules of translation to ONNX.

import type { TranslationCall, TranslationRule, TranslationRules } from "../export/rule.ts";
import type { OnnxGraphWriter, OnnxValue } from "./graph_writer.ts";

/** One operation to be written. */
export type OnnxCall = TranslationCall<OnnxGraphWriter, OnnxValue>;

/** How one operation is written. */
export type OnnxRule = TranslationRule<OnnxGraphWriter, OnnxValue>;

/** Rules by the operation's name. */
export type OnnxRules = TranslationRules<OnnxGraphWriter, OnnxValue>;
