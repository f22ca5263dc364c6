// The reports of a run of training steps, and the one look that the host takes at them: steps that never have
// finite gradients would otherwise be skipped for ever without a word.

import { currentBackend } from "../backend/backend.ts";
import { StepLog, stepsPerLog } from "./step_log.ts";

/** The logs of the steps that one state goes through. */
export class RunLog {
  #log = new StepLog();
  /** Steps skipped in a row, up to the last one that the host knows of, and the first of them. */
  #skipped = 0;
  #since = 0;
  #lossScale = 1;

  /**
   * Where the next step reports. Once in fifty steps this reads what they reported.
   *
   * @throws {Error} if fifty or more steps in a row were skipped.
   */
  next(): StepLog {
    if (this.#log.length === stepsPerLog) this.#turnOver();
    if (this.#skipped >= stepsPerLog) this.#fail();
    return this.#log;
  }

  #turnOver(): void {
    const full = this.#log;
    const finish = () => {
      this.#note(full);
      full.dispose();
    };
    if (currentBackend().canReadSync) {
      full.readSync();
      finish();
    } // A read fails when the device is lost, and then the next operation says so.
    else full.read().then(finish, () => {});
    this.#log = new StepLog();
  }

  #note(log: StepLog): void {
    for (let row = 0; row < stepsPerLog; row++) {
      if (log.known(row, "skipped") === 0) this.#skipped = 0;
      else if (this.#skipped++ === 0) this.#since = log.known(row, "step")!;
      this.#lossScale = log.known(row, "lossScale")!;
    }
  }

  #fail(): never {
    const steps = this.#skipped;
    this.#skipped = 0;
    throw new Error(
      `Cannot step: gradients must be finite for parameters to change, got none that were in the last ${steps} steps, since step ${this.#since}; the loss scale is ${this.#lossScale}. Use a float32 policy, a lower learning rate or smaller inputs, and look for logarithms and divisions of 0 in the loss; the state is unchanged and can be used`,
    );
  }
}
