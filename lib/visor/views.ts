/** What a running visor shows of itself: the JSON of the control API and of the command line. */

import { z } from "zod";
import type { PublicKey } from "../types/mod.ts";

/** The file in the data folder that tells commands where the visor's control API is. */
export const CONTROL_FILE = "control.json";

/** What {@link CONTROL_FILE} holds. */
export interface ControlFile {
  /** Base URL of the control API. */
  readonly url: string;
  /** What a request must carry as bearer token. */
  readonly token: string;
}

/** Checks the control file. */
export const controlFileSchema: z.ZodType<ControlFile> = z.strictObject({ url: z.url(), token: z.string().min(16) });

/** One thing that a visor checks about itself. */
export interface StatusCheck {
  readonly name: string;
  readonly state: "ok" | "degraded" | "failed";
  /** ISO 8601: since when it has been so. */
  readonly since: string;
  readonly detail: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** The state of a visor. */
export interface VisorStatus {
  readonly publicKey: PublicKey;
  readonly version: string;
  readonly uptimeSeconds: number;
  /** No check has failed. */
  readonly healthy: boolean;
  readonly checks: readonly StatusCheck[];
}

/** A transport of this visor. */
export interface TransportView {
  readonly id: string;
  readonly type: string;
  readonly remote: PublicKey;
  readonly label: string;
  readonly up: boolean;
  readonly latencyMs?: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** ISO 8601: since when it has been up or down. */
  readonly since: string;
}

/** A transport of anybody, as transport discovery tells it. */
export interface NetworkTransport {
  readonly id: string;
  readonly type: string;
  readonly edges: readonly [PublicKey, PublicKey];
  readonly status: "working" | "not-working" | "unknown";
}

/** A path through the network. */
export interface FoundRoute {
  readonly hops: number;
  /** From source to destination, both included. */
  readonly visors: readonly PublicKey[];
  readonly transports: readonly string[];
  /** In the metric asked for; hops. */
  readonly cost: number;
}

/** An app of this visor. */
export interface AppView {
  readonly name: string;
  readonly port: number;
  readonly state: "starting" | "running" | "stopped" | "failed";
  /** ISO 8601 */
  readonly since: string;
  readonly restarts: number;
}

/** A SOCKS5 proxy of this visor: the exit for others, or the local entrance to somebody's exit. */
export interface ProxyView {
  readonly id: string;
  readonly role: "server" | "client";
  /** `host:port` of a client's entrance. */
  readonly listen?: string;
  /** The exit's public key, of a client. */
  readonly to?: PublicKey;
  readonly state: AppView["state"];
}

/** Where a visor listens, and for what. */
export interface ListenerView {
  readonly purpose: string;
  /** `host:port` */
  readonly address: string;
}
