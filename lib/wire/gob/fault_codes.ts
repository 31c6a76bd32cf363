/** Names of what can be wrong with a gob stream. */
export type GobFaultCode =
  | "gob/integer"
  | "gob/length"
  | "gob/truncated"
  | "gob/message-too-long"
  | "gob/empty-message"
  | "gob/definition"
  | "gob/duplicate-type"
  | "gob/too-many-types"
  | "gob/unknown-type"
  | "gob/mismatch"
  | "gob/out-of-range"
  | "gob/field-number"
  | "gob/not-a-singleton"
  | "gob/too-deep"
  | "gob/interface"
  | "gob/value";
