/**
 * The routing rule as JSON, as v1.3's management interface shows and takes it (routing.md §2.8). Members in this order;
 * the member with the fields is named for the type, and the others are absent:
 *
 * ```
 * {"keep_alive":ns,"rule_type":0,"key_route_id":id,"app_fields":{"route_descriptor":D}}
 * {"keep_alive":ns,"rule_type":1,"key_route_id":id,"forward_fields":{"route_descriptor":D,"next_rid":id,"next_tid":uuid}}
 * {"keep_alive":ns,"rule_type":2,"key_route_id":id,"intermediary_forward_fields":{"next_rid":id,"next_tid":uuid}}
 * D: {"dst_pk":key,"src_pk":key,"dst_port":port,"src_port":port}
 * ```
 */

import type { Rule } from "../../lib/core/mod.ts";
import { parseTransportId, type RouteDescriptor, type RouteId, type TransportId } from "../../lib/types/mod.ts";
import { Fault } from "../../lib/wire/fault.ts";
import { type JsonFaultCode, JsonObject } from "../../lib/wire/go_json.ts";
import { at } from "../../lib/types/at.ts";

/** The longest summary that is read; a legitimate one has about 400 characters. */
export const MAX_RULE_SUMMARY_CHARACTERS = 4096;

/** Names of what can be wrong with a summary. */
export type RuleSummaryFaultCode = JsonFaultCode | "rule-summary/fields" | "rule-summary/transport";

const I64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n } as const;
const U32 = { min: 0n, max: 0xffff_ffffn } as const;
const U16 = { min: 0n, max: 0xffffn } as const;
const U8 = { min: 0n, max: 0xffn } as const;
const NULL_TRANSPORT = "00000000-0000-0000-0000-000000000000" as TransportId;

/** By type: its number, and the member that has its fields. */
const TYPES = [
  { type: "consume", fields: "app_fields" },
  { type: "forward", fields: "forward_fields" },
  { type: "intermediary", fields: "intermediary_forward_fields" },
] as const;

/** Writes a rule as JSON, in v1.3's order and without spaces. */
export function formatRuleSummary(rule: Rule): string {
  const number = TYPES.findIndex(({ type }) => type === rule.type);
  const fields = [
    ...(rule.type === "intermediary" ? [] : [`"route_descriptor":${formatDescriptor(rule.descriptor)}`]),
    ...(rule.type === "consume" ? [] : [`"next_rid":${rule.nextRouteId},"next_tid":"${rule.nextTransportId}"`]),
  ];
  const head = `"keep_alive":${rule.keepAliveNs},"rule_type":${number},"key_route_id":${rule.routeId}`;
  return `{${head},"${at(TYPES, number).fields}":{${fields.join(",")}}}`;
}

/**
 * Reads a rule from JSON. A negative keep-alive becomes 0, as everywhere v1.3 builds a rule.
 * @param text the whole document, at most {@link MAX_RULE_SUMMARY_CHARACTERS} long
 * @returns the rule, or a fault: `rule-summary/fields` when the members with fields are not exactly the one of the type
 */
export function parseRuleSummary(text: string): Rule | Fault<RuleSummaryFaultCode> {
  if (text.length > MAX_RULE_SUMMARY_CHARACTERS) {
    return new Fault("json/too-long", `A rule summary of ${text.length} characters`);
  }
  const summary = JsonObject.parse(text);
  if (summary instanceof Fault) return summary;
  const number = Number(summary.integer("rule_type", U8));
  const keepAlive = summary.integer("keep_alive", I64);
  const base = {
    keepAliveNs: keepAlive < 0n ? 0n : keepAlive,
    routeId: Number(summary.integer("key_route_id", U32)) as RouteId,
  };
  const present = TYPES.filter(({ fields }) => summary.has(fields));
  const kind = TYPES[number];
  const fields = kind === undefined ? undefined : summary.object(kind.fields);
  if (summary.fault !== undefined) return summary.fault;
  if (kind === undefined || fields === undefined || present.length !== 1) {
    return new Fault("rule-summary/fields", "Invalid routing rule summary");
  }
  if (kind.type === "consume") return orFault(fields, { type: kind.type, ...base, descriptor: readDescriptor(fields) });
  const nextTransportId = readTransport(fields);
  if (nextTransportId instanceof Fault) return nextTransportId;
  const next = { nextRouteId: Number(fields.integer("next_rid", U32)) as RouteId, nextTransportId };
  if (kind.type === "intermediary") return orFault(fields, { type: kind.type, ...base, ...next });
  return orFault(fields, { type: kind.type, ...base, descriptor: readDescriptor(fields), ...next });
}

function formatDescriptor({ source, destination }: RouteDescriptor): string {
  const keys = `"dst_pk":"${destination.publicKey}","src_pk":"${source.publicKey}"`;
  return `{${keys},"dst_port":${destination.port},"src_port":${source.port}}`;
}

/** An absent descriptor has null keys and ports 0, as in Go. */
function readDescriptor(fields: JsonObject): RouteDescriptor {
  const read = fields.object("route_descriptor") ?? JsonObject.of(null) as JsonObject;
  const port = (name: string): number => Number(read.integer(name, U16));
  return {
    source: { publicKey: read.publicKey("src_pk"), port: port("src_port") },
    destination: { publicKey: read.publicKey("dst_pk"), port: port("dst_port") },
  };
}

function readTransport(fields: JsonObject): TransportId | Fault<RuleSummaryFaultCode> {
  if (!fields.has("next_tid")) return NULL_TRANSPORT;
  const text = fields.string("next_tid");
  return fields.fault ?? parseTransportId(text) ??
    new Fault("rule-summary/transport", `"next_tid" is no transport id: "${text}"`);
}

/** Objects share the fault of their document, so the innermost one tells. */
function orFault(fields: JsonObject, rule: Rule): Rule | Fault<RuleSummaryFaultCode> {
  return fields.fault ?? rule;
}
