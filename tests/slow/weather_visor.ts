/**
 * One visor on a thread of its own, told what to do by messages: what `weather_test.ts` makes its line of. Threads share
 * the machine's processors as processes would, and their packets meet in sockets only.
 */

import { createVisor, type RouteConnection, type Visor } from "../../mod.ts";
import type { PublicKey } from "../../lib/types/mod.ts";

/** Ports of the visor at the end of the line. */
const PORT = { echo: 2001, sink: 2002, stuck: 2003 } as const;

/** A line of chat, bytes: one small record. */
const CHAT_BYTES = 100;
/** What a sender of bulk writes at once: whole records. */
const BULK_BYTES = 64 * 4070;

/** Where a visor can be reached. */
export interface VisorAddress {
  readonly publicKey: PublicKey;
  readonly ticket: string;
  readonly stcp: string;
}

/** What a visor can be told. Times are ms. */
export interface WeatherCalls {
  start(options: { readonly data: string; readonly join?: string }): Promise<VisorAddress>;
  /** Opens a transport over TCP. */
  link(peer: VisorAddress): Promise<void>;
  /** Echoes chat, swallows bulk, and accepts what it never reads. */
  serve(): Promise<void>;
  /** How many bytes of bulk came so far. */
  swallowed(): Promise<number>;
  /** Opens a connection over a route of its own. */
  dial(to: PublicKey, port: keyof typeof PORT): Promise<void>;
  /** Sends bulk to who swallows it, or to who never reads, from now on. */
  flood(port: "sink" | "stuck"): Promise<void>;
  /** Closes a connection. */
  hangUp(port: keyof typeof PORT): Promise<void>;
  /** Stops what {@link flood} began. */
  calm(): Promise<void>;
  /** Sends a line of chat every `pauseMs`; the round trips. */
  chat(options: { readonly count: number; readonly pauseMs: number }): Promise<number[]>;
  stop(): Promise<void>;
}

/** A call, as a message. */
export interface WeatherRequest {
  readonly id: number;
  readonly name: keyof WeatherCalls;
  readonly args: readonly unknown[];
}

/** Its answer. */
export interface WeatherAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

let visor: Visor;
let swallowed = 0;
const dialled = new Map<string, RouteConnection>();
let flooding = new AbortController();

const calls: WeatherCalls = {
  async start({ data, join }): Promise<VisorAddress> {
    visor = await createVisor({ data, autoTransport: false, ...(join === undefined ? {} : { join }) });
    const { address: stcp } = visor.listeners.find(({ purpose }) => purpose === "transport-stcp")!;
    return { publicKey: visor.publicKey, ticket: visor.ticket, stcp };
  },
  async link({ publicKey, stcp }): Promise<void> {
    await visor.transports.add(publicKey, { kind: "stcp", address: stcp });
  },
  serve(): Promise<void> {
    accept(PORT.echo, async (connection) => {
      const line = new Uint8Array(CHAT_BYTES);
      for (let count = await connection.read(line); count !== null; count = await connection.read(line)) {
        await connection.write(line.subarray(0, count));
      }
    });
    accept(PORT.sink, async (connection) => {
      const into = new Uint8Array(256 * 1024);
      for (let count = await connection.read(into); count !== null; count = await connection.read(into)) {
        swallowed += count;
      }
    });
    accept(PORT.stuck, () => Promise.resolve());
    return Promise.resolve();
  },
  swallowed: () => Promise.resolve(swallowed),
  async dial(to, port): Promise<void> {
    dialled.set(port, await visor.dial(to, PORT[port]));
  },
  flood(port): Promise<void> {
    const { signal } = flooding;
    const connection = dialled.get(port)!;
    const bytes = new Uint8Array(BULK_BYTES);
    const send = async (): Promise<void> => {
      while (!signal.aborted) await connection.write(bytes);
    };
    send().catch(() => {});
    return Promise.resolve();
  },
  hangUp(port): Promise<void> {
    dialled.get(port)!.close();
    return Promise.resolve();
  },
  calm(): Promise<void> {
    flooding.abort();
    flooding = new AbortController();
    return Promise.resolve();
  },
  async chat({ count, pauseMs }): Promise<number[]> {
    const connection = dialled.get("echo")!;
    const line = new Uint8Array(CHAT_BYTES);
    const rtts: number[] = [];
    for (let i = 0; i < count; i++) {
      const at = performance.now();
      await connection.write(line);
      for (let have = 0; have < CHAT_BYTES;) have += await connection.read(line) ?? CHAT_BYTES;
      rtts.push(performance.now() - at);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    return rtts;
  },
  async stop(): Promise<void> {
    await visor[Symbol.asyncDispose]();
  },
};

async function accept(port: number, serve: (connection: RouteConnection) => Promise<void>): Promise<void> {
  for await (const connection of visor.listen(port)) serve(connection).catch(() => {});
}

/** What a worker's `self` is; the types of this project are those of a window. */
interface WorkerScope {
  onmessage: (event: MessageEvent<WeatherRequest>) => void;
  postMessage(answer: WeatherAnswer): void;
}

const scope = globalThis as unknown as WorkerScope;
scope.onmessage = async ({ data: { id, name, args } }): Promise<void> => {
  try {
    const result = await (calls[name] as (...args: unknown[]) => Promise<unknown>)(...args);
    scope.postMessage({ id, result });
  } catch (error) {
    scope.postMessage({ id, error: Deno.inspect(error) });
  }
};
