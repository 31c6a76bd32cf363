/**
 * An answer that knows its length, so that it can be counted: a `Response` tells only by being read. Tested in
 * tests/services/http/app_test.ts.
 */

/** A response with a text as body, sent as UTF-8. */
export class TextResponse extends Response {
  /** The length of the body, bytes. */
  readonly bodyBytes: number;

  /** Makes it. `init` as for {@link Response}. */
  constructor(text: string, init: ResponseInit = {}) {
    const bytes = new TextEncoder().encode(text);
    super(bytes, init);
    this.bodyBytes = bytes.length;
  }
}
