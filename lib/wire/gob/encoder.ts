/**
 * Writes gob streams: each type is defined once, before the first value that needs it (gob-rpc.md §2.6–2.8). Tested in
 * tests/wire/gob/gob_test.ts.
 */

import { definitionOf, gobDefinition } from "./definition.ts";
import { GobWriter } from "./primitives.ts";
import type { Description, GobType } from "./types.ts";

/** Where our type ids start. Go uses 64 or 65 and up; any id from 64 will do. */
export const FIRST_ENCODER_ID = 65;

/** One direction of a connection, or one self-contained object. */
export class GobEncoder {
  readonly #ids = new Map<Description, number>();
  #nextId: number;

  /** Begins a stream. @param firstId the first type gets it */
  constructor(firstId: number = FIRST_ENCODER_ID) {
    this.#nextId = firstId;
  }

  /**
   * Writes a value.
   * @returns the definitions that the other side does not know yet, and the value
   */
  encode<T>(type: GobType<T>, value: T): Uint8Array<ArrayBuffer> {
    const out = new GobWriter();
    const fresh: Description[] = [];
    this.#collect(type.description, fresh);
    for (const description of fresh) this.#define(out, description);
    const body = new GobWriter();
    body.int(this.#idOf(type.description));
    if (type.description.kind !== "struct") body.uint(0);
    type.write(body, value);
    out.bytes(body.take());
    return out.take();
  }

  /** Gives ids to the types that have none, in the order in which Go defines them: outer type first, depth first. */
  #collect(description: Description, fresh: Description[]): void {
    if (description.kind === "basic" || this.#ids.has(description)) return;
    this.#ids.set(description, this.#nextId++);
    fresh.push(description);
    if (description.kind === "array" || description.kind === "slice") {
      this.#collect(description.element.description, fresh);
    } else if (description.kind === "struct") {
      for (const field of description.fields) this.#collect(field.type.description, fresh);
    }
  }

  #define(out: GobWriter, description: Description): void {
    if (description.kind === "basic") return;
    const id = this.#idOf(description);
    const body = new GobWriter();
    body.int(-id);
    gobDefinition.write(body, definitionOf(description, { id, idOf: (other) => this.#idOf(other) }));
    out.bytes(body.take());
  }

  #idOf(description: Description): number {
    return description.kind === "basic" ? description.id : this.#ids.get(description) as number;
  }
}
