/**
 * The attacker of `flood_test.ts`, a process of its own. It reads one command a line, `{"attack", "address", "hello"}` or
 * `{"attack": "none"}`, and answers each with a line when the attack is under way, or over and all its connections are
 * closed.
 *
 * Its pace is fixed: what is tested is that the attacked let nobody wait for others, not how two processors are shared.
 */

import { connect, type Socket } from "node:net";
import { joinMessaging } from "../../lib/network/join_messaging.ts";
import { createDenoRuntime } from "../../lib/runtime/deno/mod.ts";
import type { MessagingClient, MessagingStream } from "../../lib/messaging/mod.ts";
import type { Port, PublicKey } from "../../lib/types/mod.ts";
import { secretOf } from "../messaging/support.ts";
import type { Attack, AttackCommand, MessagingTarget } from "./attack.ts";
import { at } from "../../lib/types/at.ts";

/**
 * Not the address of the honest, who share limits by address among themselves only. Another one for each attack: the system
 * keeps the ports of an address for a minute after their connections.
 */
const sourceOf = (attack: number): string => `127.0.${1 + attack % 250}.66`;
let attacks = 0;

const TICK_MS = 20;
/** Of what is to be done in a tick: an attacker that is short of processor time does not try to catch up. */
const MOST_AT_ONCE = 40;
/** Connections that are kept open by a slow loris. */
const SLOW_CONNECTIONS = 400;
/** Connections a second. */
const PACE = { slow: 500, empty: 400, asking: 50, garbage: 150 } as const;
/** Streams a second, each of which costs both sides, and the server between them, milliseconds of curve arithmetic. */
const STREAM_PACE = { filling: 150, others: 20 } as const;
/** For slow connections to fill what they can: limits may let fewer live than there are to be, ms. */
const FILLED_MS = { tcp: 900, streams: 2_600 } as const;
const MOST_OPENING = 4;
/** Requests of each connection in each tick: 1,000 a second, ten times what `flood_test.ts` allows one address. */
const EAGER = { connections: 4, requests: 5 } as const;

/** With as many keys, each of which may have eight streams to a setup node: more than it serves. */
const KEYS = 34;
const STREAMS_PER_KEY = 8;
/** As many as a setup node serves. */
const SETUP_STREAMS = 256;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Connections of one attack. */
class Sockets {
  readonly #address: { readonly host: string; readonly port: number };
  readonly #open = new Set<Socket>();
  readonly #source = sourceOf(attacks++);

  constructor(address: string) {
    const at = address.lastIndexOf(":");
    this.#address = { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
  }

  get size(): number {
    return this.#open.size;
  }

  /** @param greet called when it is open */
  connect(greet: (socket: Socket) => void): Socket {
    const socket = connect({ ...this.#address, localAddress: this.#source });
    this.#open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#open.delete(socket));
    socket.on("data", () => {});
    socket.on("connect", () => greet(socket));
    return socket;
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

/** Does something `perSecond` times a second until the signal aborts; less often where that is more than we manage. */
async function paced(perSecond: number, signal: AbortSignal, act: () => void): Promise<void> {
  let last = performance.now();
  for (let due = 0; !signal.aborted; await sleep(TICK_MS)) {
    const now = performance.now();
    due = Math.min(due + (now - last) / 1_000 * perSecond, MOST_AT_ONCE);
    last = now;
    for (; due >= 1; due--) act();
  }
}

type TcpAttack = (sockets: Sockets, hello: Uint8Array, signal: AbortSignal) => Promise<unknown>;

const TCP_ATTACKS: Readonly<Record<Attack, TcpAttack>> = {
  /** One byte, then one a second, and never the last. */
  slow: (sockets, hello, signal) =>
    paced(PACE.slow, signal, () => {
      if (sockets.size >= SLOW_CONNECTIONS) return;
      let sent = 0;
      const socket = sockets.connect(() => {
        const drip = (): void => {
          if (socket.destroyed || sent >= hello.length - 1) return;
          socket.write(hello.subarray(sent, ++sent));
          setTimeout(drip, 1_000);
        };
        drip();
      });
    }),
  /** Connections without a word, connections that begin in order and stop, and more requests than are allowed. */
  flood: (sockets, hello, signal) => {
    const eager: Socket[] = [];
    const tick = concat(Array.from({ length: EAGER.requests }, () => hello));
    return Promise.all([
      paced(PACE.empty, signal, () => sockets.connect((socket) => socket.destroy())),
      paced(PACE.asking, signal, () => {
        sockets.connect((socket) => {
          socket.write(hello);
          setTimeout(() => socket.destroy(), 200);
        });
      }),
      paced(1_000 / TICK_MS, signal, () => {
        eager.splice(0, eager.length, ...eager.filter((socket) => !socket.destroyed));
        if (eager.length < EAGER.connections) eager.push(sockets.connect(() => {}));
        for (const socket of eager) if (!socket.connecting && socket.writableLength === 0) socket.write(tick);
      }),
    ]);
  },
  /** What no program sends. */
  garbage: (sockets, hello, signal) => {
    let turn = 0;
    return paced(PACE.garbage, signal, () => {
      const bytes = at(GARBAGE, turn++ % GARBAGE.length)(hello);
      sockets.connect((socket) => {
        socket.write(bytes);
        setTimeout(() => socket.destroy(), 100);
      });
    });
  },
};

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));

const GARBAGE: readonly ((hello: Uint8Array) => Uint8Array)[] = [
  () => random(2_000),
  () => new Uint8Array(65_536),
  () => new Uint8Array(65_536).fill(0xff),
  (hello) => hello.subarray(0, hello.length >> 1),
  (hello) => concat([hello.subarray(0, hello.length >> 1), random(500)]),
  (hello) => concat([hello, random(60_000)]),
  () => text(`GET / HTTP/1.1\r\n${`Name: ${"x".repeat(1_000)}\r\n`.repeat(100)}`),
  () => text("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n{"),
  () => text("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n["),
  () => text(`{${'"a":['.repeat(10_000)}`),
];

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Streams of one attack over messaging. */
class Streams {
  readonly #target: MessagingTarget;
  readonly #signal: AbortSignal;
  readonly #open = new Set<MessagingStream>();
  #opening = 0;

  constructor(target: MessagingTarget, signal: AbortSignal) {
    this.#target = target;
    this.#signal = signal;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Leaves it when too many are being opened: the pace is ours to keep, however fast the others are. */
  async open(client: MessagingClient, greet: (stream: MessagingStream) => Promise<unknown>): Promise<void> {
    const { key, port } = this.#target;
    if (this.#opening >= MOST_OPENING) return;
    this.#opening++;
    let isOpening = true;
    const opened = (): void => {
      if (isOpening) this.#opening--;
      isOpening = false;
    };
    try {
      const stream = await client.dial(key as PublicKey, port as Port, { signal: this.#signal });
      opened();
      this.#open.add(stream);
      const into = new Uint8Array(1_024);
      const ended = (async () => {
        while (await stream.read(into) !== null);
      })().catch(() => {}).finally(() => {
        this.#open.delete(stream);
        stream.close();
      });
      await greet(stream);
      void ended;
    } catch {
      // Refused: its right.
      opened();
    }
  }

  close(): void {
    for (const stream of this.#open) stream.close();
  }
}

type MessagingAttack = (streams: Streams, clients: readonly MessagingClient[], signal: AbortSignal) => Promise<unknown>;

function inTurn(clients: readonly MessagingClient[]): () => MessagingClient {
  let turn = 0;
  return () => at(clients, turn++ % clients.length);
}

const MESSAGING_ATTACKS: Readonly<Record<Attack, MessagingAttack>> = {
  /** A beginning, and never the rest. What is closed is opened again. */
  slow: async (streams, clients, signal) => {
    const next = inTurn(clients);
    const open = (): void => {
      if (streams.size >= KEYS * STREAMS_PER_KEY) return;
      streams.open(next(), async (stream) => {
        for (const byte of [0x40, 0xff]) {
          await stream.write(Uint8Array.of(byte));
          await sleep(1_000);
        }
      });
    };
    const filled = new AbortController();
    const stop = (): void => filled.abort();
    signal.addEventListener("abort", stop);
    setTimeout(stop, FILLED_MS.streams);
    await paced(STREAM_PACE.filling, filled.signal, () => streams.size >= SETUP_STREAMS ? stop() : open());
    await paced(STREAM_PACE.others, signal, open);
  },
  flood: (streams, clients, signal) => {
    const next = inTurn(clients);
    return paced(STREAM_PACE.others, signal, () => streams.open(next(), (stream) => Promise.resolve(stream.close())));
  },
  garbage: (streams, clients, signal) => {
    const next = inTurn(clients);
    let turn = 0;
    return paced(STREAM_PACE.others, signal, () => {
      const bytes = at(GARBAGE, turn++ % GARBAGE.length)(new Uint8Array(8));
      streams.open(next(), async (stream) => {
        await stream.write(bytes.slice());
        await sleep(100);
        stream.close();
      });
    });
  },
};

/** Messaging clients are kept for all attacks: that they come is another attack. */
const clients: MessagingClient[] = [];

async function attackStreams(attack: Attack, target: MessagingTarget, signal: AbortSignal): Promise<void> {
  const streams = new Streams(target, signal);
  isFilled = (): boolean => streams.size >= SETUP_STREAMS;
  signal.addEventListener("abort", () => streams.close());
  await MESSAGING_ATTACKS[attack](streams, clients, signal);
}

async function joinAll(discovery: string): Promise<void> {
  if (clients.length > 0) return;
  const runtime = createDenoRuntime({ logLevel: "off" });
  for (let i = 0; i < KEYS; i++) {
    const { messaging } = joinMessaging({ runtime, secret: secretOf(100 + i), url: discovery });
    clients.push(messaging);
    await messaging.ready;
  }
}

async function attackTcp(
  attack: Attack,
  target: { address: string; hello: string },
  signal: AbortSignal,
): Promise<void> {
  const sockets = new Sockets(target.address);
  isFilled = (): boolean => sockets.size >= SLOW_CONNECTIONS;
  await TCP_ATTACKS[attack](sockets, Uint8Array.fromHex(target.hello), signal);
  sockets.close();
}

/** Are all slow connections there? */
let isFilled: () => boolean = () => true;
let ending = new AbortController();
let running: Promise<void> = Promise.resolve();
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
let rest = "";
for await (const chunk of lines) {
  const whole = (rest + chunk).split("\n");
  rest = whole.pop()!;
  for (const line of whole) {
    const command = JSON.parse(line) as AttackCommand;
    if (command.attack === "none") {
      ending.abort();
      await running;
      if (command.discovery !== undefined) await joinAll(command.discovery);
    } else {
      ending = new AbortController();
      if ("discovery" in command) {
        running = attackStreams(command.attack, command, ending.signal);
      } else running = attackTcp(command.attack, command, ending.signal);
      await sleep(100);
      const latest = performance.now() + FILLED_MS["discovery" in command ? "streams" : "tcp"];
      while (command.attack === "slow" && !isFilled() && performance.now() < latest) await sleep(TICK_MS);
    }
    await Deno.stdout.write(new TextEncoder().encode("{}\n"));
  }
}
Deno.exit();
