/**
 * Go's gob format, as far as the v1.3 network uses it: codecs, a decoder with limits, an encoder.
 *
 * @module
 */
export * from "./decoder.ts";
export * from "./encoder.ts";
export type { GobFaultCode } from "./fault_codes.ts";
export { GobReader, GobWriter } from "./primitives.ts";
export {
  type FieldTypes,
  gobBool,
  gobByteArray,
  gobBytes,
  gobEmpty,
  gobInt64,
  gobMarshaler,
  gobOptional,
  gobSlice,
  gobString,
  gobStruct,
  gobUint,
  gobUint64,
  type IntegerBits,
  makeBytes,
  mapGob,
  type MarshalerOptions,
  type SliceOptions,
} from "./shapes.ts";
export * from "./types.ts";
