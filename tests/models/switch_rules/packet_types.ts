/** What the model knows of each type of packet (routing.md §1.2–1.4, §3.3). */

/** The types by name. */
export const TYPE = {
  data: 0,
  close: 1,
  keepAlive: 2,
  handshake: 3,
  ping: 4,
  pong: 5,
  error: 6,
  transportPing: 8,
  transportPong: 9,
} as const;

/** A type by name. */
export type TypeName = keyof typeof TYPE;

/** The shortest payload that means anything, bytes. */
export const SHORTEST: Readonly<Record<TypeName, number>> = {
  data: 0,
  close: 1,
  keepAlive: 0,
  handshake: 1,
  ping: 16,
  pong: 8,
  error: 0,
  transportPing: 8,
  transportPong: 8,
};

/** The name of a type; undefined for one that is not known. */
export function nameOf(type: number): TypeName | undefined {
  return (Object.keys(TYPE) as TypeName[]).find((name) => TYPE[name] === type);
}

/** A payload as it is passed on: no peer gets to see a form that it does not know. */
export function passedOn(type: number, payload: Uint8Array): Uint8Array {
  switch (type) {
    case TYPE.keepAlive:
      return new Uint8Array();
    case TYPE.handshake:
      return Uint8Array.of(payload[0] === 0 ? 0 : 1);
    case TYPE.close:
      return payload.slice(0, 1);
    case TYPE.ping:
      return payload.slice(0, 16);
    case TYPE.pong:
      return Uint8Array.of(...payload.slice(0, 8), ...new Uint8Array(8));
    default:
      return payload;
  }
}

/** A text as bytes. */
export function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
