/** What a running visor shows of itself: the JSON of the control API and of the command line. */

import * as v from "valibot";
import type { Figures } from "../services/route_finder/mod.ts";
import type { PublicKey } from "../types/mod.ts";

/** The file in the data folder that tells commands where the visor's control API is. */
export const CONTROL_FILE = "control.json";

/** The header in which `/v1/http/get` says with which status the other side answered. */
export const STATUS_HEADER = "skywire-status";

/** What {@link CONTROL_FILE} holds. */
export interface ControlFile {
  /** Base URL of the control API. */
  readonly url: string;
  /** What a request must carry as bearer token. */
  readonly token: string;
}

/** Checks the control file. */
export const controlFileSchema: v.GenericSchema<unknown, ControlFile> = v.strictObject({
  url: v.pipe(v.string(), v.url()),
  token: v.pipe(v.string(), v.minLength(16)),
});

/** One thing that a visor checks about itself. */
export interface StatusCheck {
  /** A word that stays the same, such as `messaging` or `route-finder`. */
  readonly name: string;
  /** `degraded`: it works, but not as it should; `failed`: what depends on it does not work. */
  readonly state: "ok" | "degraded" | "failed";
  /** ISO 8601: since when it has been so. */
  readonly since: string;
  /** What was found, for people: `connected to 2 servers`. */
  readonly detail: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** The state of a visor. */
export interface VisorStatus {
  /** Whose state it is. */
  readonly publicKey: PublicKey;
  /** Of this program, `major.minor.patch`. */
  readonly version: string;
  /** Since the visor was started; a fraction is possible. */
  readonly uptimeSeconds: number;
  /** No check has failed. */
  readonly healthy: boolean;
  /** One for each part and service that the visor depends on. */
  readonly checks: readonly StatusCheck[];
}

/** A transport of this visor. */
export interface TransportView {
  /** A lower-case UUID that follows from both visors and the type (transports.md §1.3). */
  readonly id: string;
  /** The driver's kind: `stcp`, `dmsg`, or that of a driver from outside. */
  readonly type: string;
  /** The visor at the other end. */
  readonly remote: PublicKey;
  /** Who wanted it: `user`, or `automatic` for a dial that found no route. */
  readonly label: string;
  /** Can it carry packets at this moment? One that is down is dialled until it answers. */
  readonly up: boolean;
  /** There and back, smoothed; absent until it was measured. */
  readonly latencyMs?: number;
  /** Payload of packets sent, over all links so far. */
  readonly sentBytes: number;
  /** Payload of packets received, over all links so far. */
  readonly receivedBytes: number;
  /** ISO 8601: since when it has been up or down. */
  readonly since: string;
}

/** A transport of anybody, as transport discovery tells it. */
export interface NetworkTransport {
  /** As {@link TransportView.id}. */
  readonly id: string;
  /** The kind as its visors registered it, known here or not. */
  readonly type: string;
  /** Both visors, the smaller key first. */
  readonly edges: readonly [PublicKey, PublicKey];
  /**
   * Does it carry packets? Of its own transports the visor knows; of others it is what their edges told discovery.
   * `unknown`: they told nothing, or not lately.
   */
  readonly status: "working" | "not-working" | "unknown";
  /** ISO 8601: since when it has been so; absent when the status is unknown. */
  readonly since?: string;
  /** There and back; absent until an edge has measured it. */
  readonly latencyMs?: number;
  /** The most that went through in one direction lately, in 10⁶ bytes a second; absent while that was next to nothing. */
  readonly throughputMBps?: number;
  /** How often its link was lost in the last hour; absent when no edge told. */
  readonly resetsPerHour?: number;
}

/** A path through the network. */
export interface RouteView {
  /** How many transports it takes. */
  readonly hops: number;
  /** From source to destination, both included. */
  readonly visors: readonly PublicKey[];
  /** Ids of the transports in the order taken: one less than the visors. */
  readonly transports: readonly string[];
  /**
   * In the metric asked for, the less the better: hops, ms there and back, seconds for one MB at the narrowest transport,
   * resets an hour, or the weighted mix.
   */
  readonly cost: number;
  /** There and back, ms; transports that nobody measured count as usual ones of their kind. */
  readonly latencyMs: number;
  /** Of the narrowest transport. */
  readonly throughputMBps: number;
  /** Of all transports together. */
  readonly resetsPerHour: number;
}

/** A route that could be taken, and what decided for or against it. */
export interface RouteCandidateView {
  /** From source to destination, both included. */
  readonly visors: readonly PublicKey[];
  /** Ids, one less than visors. */
  readonly transports: readonly string[];
  /** By every measure. */
  readonly cost: Figures;
  /** Is it the one that a dial would try first? At most one is. */
  readonly chosen: boolean;
  /** Why it is chosen, or why not. */
  readonly reason: string;
}

/** An app of this visor. */
export interface AppView {
  /** The name it is started and stopped by. */
  readonly name: string;
  /** Its port of the visor, 1–65535. */
  readonly port: number;
  /** `failed`: it ended with an error, and will be run again. */
  readonly state: "starting" | "running" | "stopped" | "failed";
  /** ISO 8601: since when it has been in that state. */
  readonly since: string;
  /** How often it was run again after a failure. */
  readonly restarts: number;
}

/** A SOCKS5 proxy of this visor: the exit for others, or the local entrance to somebody's exit. */
export interface ProxyView {
  /** The name it is removed by. */
  readonly id: string;
  /** `server`: the exit for others; `client`: the local entrance. */
  readonly role: "server" | "client";
  /** `host:port` of a client's entrance. */
  readonly listen?: string;
  /** The exit's public key, of a client. */
  readonly to?: PublicKey;
  /** Of the app that does the work. */
  readonly state: AppView["state"];
}
