/**
 * Hosts that reach each other by name, in memory, with latency and faults: partitions (nothing arrives, links stay and
 * go on after healing), cut links (both sides get an error), killed hosts.
 * Tested in tests/simulation/simulation_test.ts.
 */

import { ClosedError, UnavailableError } from "../errors/mod.ts";
import { createQueue, formatAddress, parseAddress, withTimeout } from "../runtime/mod.ts";
import type { ByteLink, HostPort, LinkListener, Network, Queue, Timers } from "../runtime/mod.ts";
import { createPipe } from "./pipe.ts";
import type { Pipe } from "./pipe.ts";

/** How long the dial of an unreachable host hangs: as TCP on Linux, 1+2+4+…+64 s. */
export const UNREACHABLE_AFTER_MS = 127_000;

/** Connections that may wait for an accept, as `listen(2)` has it. */
const BACKLOG = 511;

/** The first port given out when somebody asks for port 0. */
const FIRST_FREE_PORT = 32_768;

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);
const ANY = new Set(["", "0.0.0.0", "::"]);

/** Delays and faults between the hosts of a simulation. Hosts are named as in {@link Simulation.runtimeFor}. */
export interface NetworkFaults {
  /** Gives a host a second name, as DNS does. */
  nameHost(name: string, host: string): void;
  /** Sets the one-way delay between two hosts, ms, in both directions. */
  setLatency(a: string, b: string, ms: number): void;
  /** Stops everything between two hosts. Links stay open, and continue when healed. */
  partition(a: string, b: string): void;
  /** Stops everything from one host to another; the opposite direction works. */
  block(from: string, to: string): void;
  /** Ends partitions and blocks between two hosts; bytes that were held back arrive. */
  heal(a: string, b: string): void;
  /**
   * Breaks all links between two hosts; new ones can be dialled.
   * @returns how many links
   */
  cutLinks(a: string, b: string): number;
  /**
   * Ends the listeners and links of a host, as if its program had died. Code on the host runs on, without a network.
   * @param host its name
   * @param options `silent`: the others notice nothing, as if its plug had been pulled; otherwise they notice at once
   */
  kill(host: string, options?: { readonly silent?: boolean }): void;
  /** Lets a killed host listen and dial again. */
  revive(host: string): void;
}

/** All hosts of a simulation. */
export interface MemoryNetwork extends NetworkFaults {
  /** The network as one host sees it. */
  networkOf(host: string): Network;
  /** Sends something from one host to another under the rules of latency and faults; used for HTTP, too. */
  carry(from: string, to: string, deliver: () => void): void;
  /** Is the host there? */
  isAlive(host: string): boolean;
  /** Which host an address leads to, seen from `from`; loopback is oneself. */
  resolve(from: string, address: HostPort): string;
  /** Takes a port of a host for a listener. @throws {UnavailableError} `network/address-in-use` */
  takePort(host: string, address: string): { readonly address: string; readonly port: number; release(): void };
  /** Calls back when the host is killed. @returns unsubscribes */
  onKilled(host: string, callback: () => void): () => void;
}

interface Direction {
  latencyMs: number;
  blocked: boolean;
  /** Held back, oldest first. */
  held: (() => void)[];
  /** When the last delivery is due: order is kept when latency falls. */
  lastAt: number;
}

interface Connection {
  readonly hosts: readonly [string, string];
  readonly pipes: readonly [Pipe, Pipe];
}

interface Host {
  alive: boolean;
  nextPort: number;
  readonly ports: Map<number, { readonly loopbackOnly: boolean; readonly queue: Queue<ByteLink> | undefined }>;
  readonly onKilled: Set<() => void>;
}

/** What a memory network is made of. */
export interface MemoryNetworkDeps {
  readonly timers: Timers;
  readonly nowMs: () => number;
  /** Called whenever something happens. */
  readonly touch: () => void;
  /** One-way delay between hosts unless set, ms. A host reaches itself at once. */
  readonly latencyMs: number;
}

/** Makes an empty network; hosts come into being when they are named. */
export function createMemoryNetwork(deps: MemoryNetworkDeps): MemoryNetwork {
  const hosts = new Map<string, Host>();
  const directions = new Map<string, Direction>();
  const connections = new Set<Connection>();

  const hostOf = (name: string): Host => {
    let host = hosts.get(name);
    if (host === undefined) {
      hosts.set(name, host = { alive: true, nextPort: FIRST_FREE_PORT, ports: new Map(), onKilled: new Set() });
    }
    return host;
  };
  const directionOf = (from: string, to: string): Direction => {
    const key = `${from}\n${to}`;
    let direction = directions.get(key);
    if (direction === undefined) {
      direction = { latencyMs: from === to ? 0 : deps.latencyMs, blocked: false, held: [], lastAt: 0 };
      directions.set(key, direction);
    }
    return direction;
  };
  const carry = (from: string, to: string, deliver: () => void): void => {
    const direction = directionOf(from, to);
    const now = deps.nowMs();
    if (direction.blocked) {
      direction.held.push(deliver);
    } else if (direction.latencyMs === 0 && direction.lastAt <= now) {
      deliver();
    } else {
      direction.lastAt = Math.max(direction.lastAt, now + direction.latencyMs);
      deps.timers.after(direction.lastAt - now, () => direction.blocked ? direction.held.push(deliver) : deliver());
    }
  };
  const breakConnections = (concerned: (connection: Connection) => boolean): number => {
    const chosen = [...connections].filter(concerned);
    for (const connection of chosen) {
      connections.delete(connection);
      for (const pipe of connection.pipes) pipe.break();
    }
    return chosen.length;
  };
  const between = (a: string, b: string) => ({ hosts: [x, y] }: Connection): boolean =>
    (x === a && y === b) || (x === b && y === a);

  const connect = (from: string, to: string, ports: readonly [number, number]): [ByteLink, ByteLink] => {
    const there = createPipe((deliver) => carry(from, to, deliver), deps.touch);
    const back = createPipe((deliver) => carry(to, from, deliver), deps.touch);
    const connection: Connection = { hosts: [from, to], pipes: [there, back] };
    connections.add(connection);
    const ended = new Set<Pipe>();
    const makeLink = (
      reading: Pipe,
      writing: Pipe,
      [own, other, port]: readonly [string, string, number],
    ): ByteLink => {
      let closed = false;
      return {
        remoteAddress: formatAddress(other, port),
        read: async (into): Promise<number | null> => closed ? null : await reading.read(into),
        write(bytes): Promise<void> {
          if (closed) return Promise.reject(new ClosedError("network/closed", "Write to a closed link"));
          return writing.write(bytes);
        },
        closeWrite: () => writing.end(),
        close(): void {
          if (closed) return;
          closed = true;
          writing.end();
          reading.stop();
          carry(own, other, () => reading.refuse());
          if (ended.add(writing).size === 2) connections.delete(connection);
        },
        reset(): void {
          if (closed) return;
          closed = true;
          reading.stop();
          carry(own, other, () => {
            reading.refuse();
            writing.break();
          });
          connections.delete(connection);
        },
      };
    };
    return [
      makeLink(back, there, [from, to, ports[1]]),
      makeLink(there, back, [to, from, ports[0]]),
    ];
  };

  const names = new Map<string, string>();
  const resolve = (from: string, { host }: HostPort): string =>
    LOOPBACK.has(host) || ANY.has(host) ? from : names.get(host) ?? host;

  const takePort: MemoryNetwork["takePort"] = (name, address) => {
    const parsed = parseAddress(address);
    const host = hostOf(name);
    if (!host.alive || parsed === undefined || resolve(name, parsed) !== name) {
      throw new UnavailableError("network/listen-failed", `Listen on "${address}": cannot`);
    }
    let port = parsed.port;
    if (port === 0) {
      do port = host.nextPort++; while (host.ports.has(port));
    }
    if (host.ports.has(port)) {
      throw new UnavailableError(
        "network/address-in-use",
        `Listen on "${address}": the address is in use by another program; name another port, or 0 for a free one`,
      );
    }
    host.ports.set(port, { loopbackOnly: LOOPBACK.has(parsed.host), queue: undefined });
    return {
      address: formatAddress(LOOPBACK.has(parsed.host) ? parsed.host : name, port),
      port,
      release: () => void host.ports.delete(port),
    };
  };

  const networkOf = (name: string): Network => ({
    loopbackName: () => Promise.resolve(name),
    async dial(address, options = {}): Promise<ByteLink> {
      const { signal } = options;
      signal?.throwIfAborted();
      const parsed = parseAddress(address);
      const failed = (why: string): UnavailableError =>
        new UnavailableError("network/dial-failed", `Dial "${address}": ${why}`, { details: { address } });
      if (parsed === undefined) throw failed("wanted host:port");
      if (!hostOf(name).alive) throw failed("no network");
      const target = resolve(name, parsed);
      let waited = true;
      const arrived = new Promise<ByteLink | undefined>((done) =>
        carry(name, target, () => {
          const taken = hostOf(target).ports.get(parsed.port);
          if (taken?.queue === undefined || (taken.loopbackOnly && target !== name)) {
            return carry(target, name, () => done(undefined));
          }
          const [dialled, accepted] = connect(name, target, [hostOf(name).nextPort++, parsed.port]);
          deps.touch();
          if (!taken.queue.push(accepted)) {
            accepted.close();
            dialled.close();
            return carry(target, name, () => done(undefined));
          }
          carry(target, name, () => waited ? done(dialled) : dialled.close());
        })
      );
      const link = await withTimeout(() => arrived, {
        timers: deps.timers,
        ms: UNREACHABLE_AFTER_MS,
        code: "network/dial-failed",
        message: `Dial "${address}"`,
        signal,
      }).finally(() => waited = false);
      if (link === undefined) throw failed("connection refused");
      return link;
    },
    // Async: the port promises errors as rejections.
    // deno-lint-ignore require-await
    async listen(address): Promise<LinkListener> {
      const taken = takePort(name, address);
      const host = hostOf(name);
      const queue = createQueue<ByteLink>(BACKLOG);
      const entry = host.ports.get(taken.port);
      host.ports.set(taken.port, { loopbackOnly: entry?.loopbackOnly ?? false, queue });
      const close = (): void => {
        if (host.ports.get(taken.port)?.queue === queue) taken.release();
        host.onKilled.delete(close);
        queue.close();
        for (const link of queue.drain()) link.close();
      };
      host.onKilled.add(close);
      return { address: taken.address, close, [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator]() };
    },
    // The names of hosts are addresses here.
    resolve: (host) => Promise.resolve([names.get(host) ?? host]),
  });

  return {
    networkOf,
    carry,
    resolve,
    takePort,
    isAlive: (host) => hostOf(host).alive,
    onKilled(host, callback): () => void {
      hostOf(host).onKilled.add(callback);
      return () => void hostOf(host).onKilled.delete(callback);
    },
    nameHost: (name, host): void => void names.set(name, host),
    setLatency(a, b, ms): void {
      for (const direction of [directionOf(a, b), directionOf(b, a)]) direction.latencyMs = ms;
    },
    partition(a, b): void {
      for (const direction of [directionOf(a, b), directionOf(b, a)]) direction.blocked = true;
    },
    block(from, to): void {
      directionOf(from, to).blocked = true;
    },
    heal(a, b): void {
      for (const direction of [directionOf(a, b), directionOf(b, a)]) {
        direction.blocked = false;
        for (const deliver of direction.held.splice(0)) deliver();
      }
      deps.touch();
    },
    cutLinks: (a, b): number => breakConnections(between(a, b)),
    kill(name, options = {}): void {
      const host = hostOf(name);
      host.alive = false;
      for (const callback of [...host.onKilled]) callback();
      host.ports.clear();
      if (options.silent) {
        for (const other of hosts.keys()) {
          if (other !== name) {
            for (const d of [directionOf(name, other), directionOf(other, name)]) d.blocked = true;
          }
        }
      } else {
        breakConnections(({ hosts }) => hosts.includes(name));
      }
      deps.touch();
    },
    revive(name): void {
      hostOf(name).alive = true;
      for (const other of hosts.keys()) {
        if (other === name) continue;
        for (const direction of [directionOf(name, other), directionOf(other, name)]) {
          direction.blocked = false;
          direction.held.length = 0;
        }
      }
      // Links of before are unknown to the revived host: it answers their packets with resets.
      breakConnections(({ hosts }) => hosts.includes(name));
      deps.touch();
    },
  };
}
