/**
 * What a decoder gives instead of a value: a named fault, so that it can be counted. Decoders never throw (style.md
 * §4). Tested in tests/wire/http1_test.ts.
 */

/** Why an input does not fit its format. Decoders return it in place of a value. */
export class Fault<Code extends string = string> {
  /** `area/what`; stable, so it can be counted and compared. */
  readonly code: Code;
  /** For people and logs; it may quote the input. */
  readonly message: string;

  /**
   * Makes a fault.
   * @param code `area/what`, stable
   * @param message what was wrong
   */
  constructor(code: Code, message: string) {
    this.code = code;
    this.message = message;
  }
}
