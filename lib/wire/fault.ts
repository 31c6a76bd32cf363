/**
 * What a decoder gives instead of a value: a named fault, so that it can be counted. Decoders never throw (style.md
 * §4). Tested in tests/wire/http1_test.ts.
 */

/** Why some input is not what the format says. */
export class Fault<Code extends string = string> {
  /** `area/what`, stable: what one counts and compares. */
  readonly code: Code;
  /** For people and logs; it may quote the input. */
  readonly message: string;

  /**
   * Makes a fault.
   * @param code stable name
   * @param message what was wrong
   */
  constructor(code: Code, message: string) {
    this.code = code;
    this.message = message;
  }
}
