/** Shows decoded values as the vector files show them (tests/vectors/README.md, gob.json). */

import { Fault } from "../../../lib/wire/fault.ts";
import { GobDecoder, gobUint64, type WireType } from "../../../lib/wire/gob/mod.ts";
import type { GobRecord, GobValue } from "./any.ts";

/** A value of any type. */
export function showValue(value: GobValue): unknown {
  if (value === null || typeof value === "boolean" || typeof value === "number" || typeof value === "string") {
    return value;
  }
  if (typeof value === "bigint") return showInteger(value);
  if (value instanceof Uint8Array) return value.toHex();
  switch (value.kind) {
    case "complex":
      return [value.real, value.imaginary];
    case "list": {
      const items = value.items.map(showValue);
      // The only arrays of numbers in the files are byte arrays.
      const isBytes = value.type.kind === "array" && value.items.every((item) => typeof item === "bigint");
      return isBytes ? new Uint8Array(items as number[]).toHex() : items;
    }
    case "map":
      return Object.fromEntries(value.entries.map(([key, inner]) => [String(showValue(key)), showValue(inner)]));
    case "record":
      return showRecord(value);
    case "opaque":
      return showOpaque(value.name, value.bytes);
    case "interface":
      return showValue(value.value);
  }
}

/** A 64-bit integer: a number where that is exact, else a string. */
export function showInteger(value: bigint): number | string {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
}

function showRecord(record: GobRecord): unknown {
  return Object.fromEntries(
    [...record.fields].map(([name, { type, value }]) => [name, value === undefined ? zeroOf(type) : showValue(value)]),
  );
}

/** What a field that was left out shows. A struct is never left out, so it is a nil pointer. */
function zeroOf(type: WireType): unknown {
  switch (type.kind) {
    case "bool":
      return false;
    case "int":
    case "uint":
    case "float":
      return 0;
    case "bytes":
    case "string":
      return "";
    case "slice":
      return [];
    case "map":
      return {};
    case "gob-encoder":
    case "binary-marshaler":
    case "text-marshaler":
      return type.name === "" ? null : showOpaque(type.name, new Uint8Array({ PubKey: 33, UUID: 16 }[type.name] ?? 0));
    default:
      return null;
  }
}

function showOpaque(name: string, bytes: Uint8Array): unknown {
  // Pointers to marshalers come without a name: in the files those to ids, times and the traffic of transports.
  const unnamed: Readonly<Record<number, string>> = { 15: "Time", 16: "UUID" };
  switch (name === "" ? unnamed[bytes.length] ?? "LogEntry" : name) {
    case "UUID":
      return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    case "Time":
      return showTime(bytes);
    case "LogEntry":
      return showLog(bytes);
    case "Service":
      return showService(bytes);
    default:
      return bytes.toHex();
  }
}

/** An entry of the service discovery marshals itself as JSON without its zero members; its address as key and port. */
function showService(bytes: Uint8Array): unknown {
  const { address, type, version, local_ips } = JSON.parse(new TextDecoder().decode(bytes));
  const [key, port] = address.split(":");
  return {
    ID: 0,
    CreatedAt: "0001-01-01T00:00:00Z",
    Addr: `${key}${Number(port).toString(16).padStart(4, "0")}`,
    Type: type,
    Geo: null,
    DisplayNodeIP: false,
    Version: version,
    LocalIPs: local_ips,
    Info: { Latency: 0, Uptime: 0, Connections: 0 },
  };
}

/** The traffic of a transport marshals itself as a gob stream of two numbers. */
function showLog(bytes: Uint8Array): unknown {
  const decoder = new GobDecoder();
  decoder.push(bytes);
  const [recv, sent] = [0, 1].map(() => showInteger(unwrap(decoder.read(gobUint64))));
  return { recv, sent };
}

/** Go's binary time: version, seconds since the year 1, nanoseconds, minutes east of UTC or −1. */
function showTime(bytes: Uint8Array): string {
  if (bytes.length === 0) return "0001-01-01T00:00:00Z";
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const seconds = Number(view.getBigInt64(1) - 62_135_596_800n);
  const date = new Date(seconds * 1000).toISOString().replace(/\.000Z$/, "");
  const nanos = view.getUint32(9).toString().padStart(9, "0").replace(/0+$/, "");
  return `${date}${nanos === "" ? "" : `.${nanos}`}Z`;
}

/** The value, or an error that tells the fault. */
export function unwrap<T>(value: T | Fault | undefined): T {
  if (value instanceof Fault) throw new Error(`${value.code}: ${value.message}`);
  if (value === undefined) throw new Error("The stream ends too early");
  return value;
}
