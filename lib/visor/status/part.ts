/**
 * How a visor does: each part it depends on, whether it works, and what to do when it does not.
 * Tested in tests/visor/events/part_test.ts.
 */

import * as v from "valibot";
import type { NetworkConfig } from "../../network/mod.ts";
import { type MonotonicMs, type PublicKey, shortKey } from "../../types/mod.ts";
import type { MessagingClient } from "../../messaging/mod.ts";
import { type Http, type Runtime, withTimeout } from "../../runtime/mod.ts";
import type { Router } from "../../routing/mod.ts";
import type { TransportTable } from "../../transport/mod.ts";
import {
  createMessagingDiscoveryClient,
  type MessagingDiscoveryClient,
} from "../../services/messaging_discovery/mod.ts";
import { createServiceClient } from "../../services/http/mod.ts";
import type { AddressBinding } from "../address_binding.ts";
import type { AutomaticTransports } from "../transports/automatic.ts";
import { Patience } from "./patience.ts";
import { type Finding, StatusHistory } from "./history.ts";
import { VERSION } from "../../types/version.ts";
import type { VisorStatus } from "./view.ts";

/** What a report is made of. */
export interface StatusDeps {
  readonly runtime: Runtime;
  readonly publicKey: PublicKey;
  readonly network: NetworkConfig;
  readonly messaging: Pick<MessagingClient, "sessions" | "problem">;
  readonly table: Pick<TransportTable, "list">;
  readonly router: Pick<Router, "connections">;
  readonly automatic: Pick<AutomaticTransports, "whyRelayed">;
  /** Reaches public keys, too. */
  readonly http: Http;
  /** Of a visor that is to be found by its key. */
  readonly binding: Pick<AddressBinding, "finding"> | undefined;
}

/** Makes status reports of one visor. */
export class StatusPart {
  readonly #deps: StatusDeps;
  readonly #history: StatusHistory;
  readonly #patience = new Patience();
  readonly #directory: Pick<MessagingDiscoveryClient, "entry">;
  readonly #startedAt: MonotonicMs;

  constructor(deps: StatusDeps) {
    this.#deps = deps;
    this.#history = new StatusHistory(deps.runtime.clock);
    const { http, runtime: { timers }, network: { messagingDiscovery: url } } = deps;
    this.#directory = createMessagingDiscoveryClient({ http, timers, url });
    this.#startedAt = deps.runtime.clock.monotonic();
  }

  /** Looks at everything now. */
  async report(): Promise<VisorStatus> {
    const { runtime, publicKey, network } = this.#deps;
    const services = await Promise.all([
      this.#probe("messaging-discovery", network.messagingDiscovery),
      this.#probe("transport-discovery", network.transportDiscovery),
      ...(network.routeFinder === undefined ? [] : [this.#probe("route-finder", network.routeFinder)]),
      ...(network.addressResolver === undefined ? [] : [this.#probe("address-resolver", network.addressResolver)]),
      this.#setupNodes(network.setupNodes),
    ]);
    const binding = this.#deps.binding?.finding;
    const checks = this.#history.record([
      this.#messaging(),
      this.#transports(),
      ...this.#connections(),
      ...services,
      ...(binding === undefined ? [] : [binding]),
    ]);
    return {
      publicKey,
      version: VERSION,
      uptimeSeconds: (runtime.clock.monotonic() - this.#startedAt) / 1000,
      healthy: checks.every((check) => check.state !== "failed"),
      checks,
    };
  }

  #messaging(): Finding {
    const { sessions, problem } = this.#deps.messaging;
    if (sessions.length > 0) {
      const detail = `connected to ${count(sessions.length, "server")}`;
      if (problem === undefined) return { name: "messaging", state: "ok", detail };
      return {
        name: "messaging",
        state: "degraded",
        detail: `${detail}, but ${problem}`,
        remedy: "it goes on trying; see that the messaging discovery runs and can be reached from here",
      };
    }
    return {
      name: "messaging",
      state: "failed",
      detail: problem ?? "no messaging server reached",
      remedy: "it goes on trying; see that a messaging server of this network runs and can be reached from here",
    };
  }

  #transports(): Finding {
    const { table, automatic } = this.#deps;
    const all = table.list(), up = all.filter((transport) => transport.up).length;
    const relayed = all.map(({ remote }) => ({ remote, reason: automatic.whyRelayed(remote) }))
      .filter(({ reason }) => reason !== undefined)
      .map(({ remote, reason }) => `; ${shortKey(remote)} over messaging servers only: ${reason}`);
    if (up === all.length) {
      return { name: "transports", state: "ok", detail: `${up} up${relayed.slice(0, 3).join("")}` };
    }
    return {
      name: "transports",
      state: up === 0 ? "failed" : "degraded",
      detail: `${up} of ${all.length} up`,
      remedy:
        "they are dialled until they answer; `skywire transport ls` shows which, `skywire transport rm` gives one up",
    };
  }

  #connections(): Finding[] {
    const open = this.#deps.router.connections();
    if (open.length === 0) return [];
    const waiting = open.filter(({ isWaiting }) => isWaiting);
    if (waiting.length === 0) return [{ name: "connections", state: "ok", detail: `${open.length} open` }];
    const remotes = [...new Set(waiting.map(({ remoteKey }) => shortKey(remoteKey)))];
    return [{
      name: "connections",
      state: "degraded",
      detail: `${waiting.length} of ${open.length} without a route that works, to ${remotes.slice(0, 3).join(", ")}`,
      remedy: "they go on over the next route that works, within 60 s; `skywire route find` shows whether there is one",
    }];
  }

  async #probe(name: string, url: string): Promise<Finding> {
    const { http, runtime: { timers } } = this.#deps;
    try {
      const send = createServiceClient({ http, timers, url });
      const { status, text } = await this.#ask(url, (signal) => send({ method: "GET", path: "/health", signal }));
      const problems = status === 200 ? problemsIn(text) : [`it answers ${status}`];
      if (problems.length === 0) return { name, state: "ok", detail: url };
      return {
        name,
        state: "degraded",
        detail: `${url}: ${problems.join("; ")}`,
        remedy: "see the log of that service",
      };
    } catch {
      return {
        name,
        state: "failed",
        detail: `${url} does not answer`,
        remedy: "see that it runs and can be reached from here",
      };
    }
  }

  /**
   * Setup nodes are what makes this network this one: visors take rules from no others. Where the messaging discovery does
   * not know any of them, its address leads to another network, or none of them runs.
   */
  async #setupNodes(keys: readonly PublicKey[]): Promise<Finding> {
    const name = "setup-nodes", url = this.#deps.network.messagingDiscovery;
    const known = await Promise.all(
      keys.map((key) =>
        this.#ask(url, () => this.#directory.entry(key)).then((entry) => entry?.client !== undefined, () => undefined)
      ),
    );
    const there = known.filter((isThere) => isThere === true).length;
    if (there > 0) return { name, state: "ok", detail: `${there} of ${keys.length} registered` };
    if (known.includes(undefined)) {
      return {
        name,
        state: "degraded",
        detail: "not known: the messaging discovery does not answer",
        remedy: "see that it runs and can be reached from here",
      };
    }
    return {
      name,
      state: "failed",
      detail: `the messaging discovery at ${url} knows none of this network's setup nodes, so no route can be had`,
      remedy:
        "if a setup node runs, this address leads to another network: join again with a ticket that names a host " +
        "which can be reached from here",
    };
  }

  /** Asks a service, with patience. @throws what the question throws; {UnavailableError} `http/timeout` */
  async #ask<T>(url: string, question: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, timers } = this.#deps.runtime;
    const askedMs = clock.monotonic();
    const ms = this.#patience.limitFor(url);
    const answer = await withTimeout(question, { timers, ms, code: "http/timeout", message: `Ask ${url}` });
    this.#patience.answered(url, clock.monotonic() - askedMs);
    return answer;
  }
}

const healthSchema = v.object({ problems: v.optional(v.array(v.string()), []) });

/** What a service says of itself in `/health`; nothing in the answer of one of v1.3. */
function problemsIn(health: string): readonly string[] {
  try {
    const result = v.safeParse(healthSchema, JSON.parse(health));
    return result.success ? result.output.problems : [];
  } catch {
    return [];
  }
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
