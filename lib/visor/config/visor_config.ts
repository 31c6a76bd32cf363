/**
 * The configuration file of a visor, `config.json` in its data folder: which network it belongs to, and the addresses
 * that it listens on. It is written at the first start; ports that were free then are kept, since tickets and address
 * books name them.
 */

import * as v from "valibot";
import { addressSchema, parseWith, publicKeySchema } from "../../check/mod.ts";
import { LISTENER_PURPOSES, type ListenerPurpose, type NetworkConfig, networkConfigSchema } from "../../network/mod.ts";
import type { PublicKey } from "../../types/mod.ts";

/** More than any network has servers. */
export const MAX_MESSAGING_SESSIONS = 64;

/** What a visor is started with. */
export interface VisorConfig {
  readonly version: 1;
  /** The network it joined; absent: it is a network of one and runs the control plane itself. */
  readonly network?: NetworkConfig | undefined;
  /** The name or address that others reach this machine by; it is in the ticket and in discovery. */
  readonly host: string;
  /** Ports by purpose. */
  readonly ports: Readonly<Partial<Record<ListenerPurpose, number>>>;
  /** Opens a transport by itself when a dial finds no route. */
  readonly autoTransport: boolean;
  /**
   * Accepts TCP transports from visors that find it by its key through the address resolver. Absent: when its host is a
   * public address.
   */
  readonly public?: boolean | undefined;
  /** Keeps a few transports to public visors up by itself. */
  readonly autoconnect: boolean;
  /** `local`: computes routes itself from the map. Absent: asks the network's route finder, and does so when that is away. */
  readonly routeFinder?: "local" | undefined;
  /** Where visors accept TCP transports, `host:port` by key, for those that are opened without an address. */
  readonly addressBook?: Readonly<Record<PublicKey, string>> | undefined;
  /** How many messaging servers to be connected to at least. Absent: 1. */
  readonly messagingSessions?: number | undefined;
}

/** Checks addresses by public key. */
export const addressBookSchema: v.GenericSchema<unknown, Readonly<Record<PublicKey, string>>> = v.record(
  publicKeySchema as v.GenericSchema<string, PublicKey>,
  addressSchema,
) as v.GenericSchema<unknown, Record<PublicKey, string>>;

const isPort = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 65_535;
const port = v.pipe(v.number(), v.check(isPort, "wanted a port, 1–65535"));

/** Of purposes that are not known here, too: a later version, which ran before, has kept them. */
const ports = v.looseObject(
  Object.fromEntries(LISTENER_PURPOSES.map((purpose) => [purpose, v.optional(port)])),
) as unknown as v.GenericSchema<unknown, VisorConfig["ports"]>;

/** Members that are not known here are kept: a later version has written them. */
const visorConfigSchema: v.GenericSchema<unknown, VisorConfig> = v.looseObject({
  version: v.literal(1),
  network: v.optional(networkConfigSchema),
  host: v.pipe(v.string(), v.regex(/^[\w.-]+$/, "wanted a name or an IPv4 address, without port")),
  ports,
  autoTransport: v.boolean(),
  public: v.optional(v.boolean()),
  // Not there in files that were written before it was an option.
  autoconnect: v.optional(v.boolean(), false),
  routeFinder: v.optional(v.literal("local")),
  addressBook: v.optional(addressBookSchema),
  messagingSessions: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_MESSAGING_SESSIONS))),
});

/** The configuration of a visor that was never started. */
export function makeVisorConfig(
  options: { network?: NetworkConfig | undefined; host?: string; autoTransport?: boolean },
): VisorConfig {
  return {
    version: 1,
    network: options.network,
    host: options.host ?? "127.0.0.1",
    ports: {},
    autoTransport: options.autoTransport ?? true,
    autoconnect: false,
  };
}

/**
 * Reads `config.json`.
 * @throws {RefusedError} `config/invalid`, naming each member that is wrong
 */
export function parseVisorConfig(text: string): VisorConfig {
  return parseWith(visorConfigSchema, { text, name: "config.json" });
}
