/**
 * Sessions that were recorded with real programs of Skywire v1.3, played again without them. A transcript holds all that
 * came to our side from outside: the peers' bytes, the randomness and the time that it used; and all bytes that it sent.
 * Played to the same code, the code must send the same bytes, each before the peer's answer to it is given.
 *
 * What is recorded is written down chunk by chunk, after our side had come to rest each time, so that the order in which
 * things happened between the links is the order of the list.
 */

import assert from "node:assert/strict";
import type { ByteLink, Clock, LinkListener, Network, Random, Runtime } from "../../lib/runtime/mod.ts";
import { parseHex, type PublicKey } from "../../lib/types/mod.ts";
import { createSeededRandom, type Simulation } from "../fakes/mod.ts";
import { at } from "../../lib/types/at.ts";

/** One thing that happened on a link. Links have numbers, in the order in which they began. */
export interface TranscriptEvent {
  readonly link: number;
  /** `dial`: we opened it; `accept`: a peer did. The rest: bytes that we sent, bytes that came, or their end. */
  readonly what: "dial" | "accept" | "sent" | "came" | "ended";
  /** Hex; only of `sent` and `came`. */
  readonly bytes?: string;
  /** To or at which address; only of `dial` and `accept`. For messaging streams `messaging:<port>`. */
  readonly at?: string;
  /** Whose stream; only of messaging streams. */
  readonly remote?: PublicKey;
}

/** A session. */
export interface Transcript {
  readonly events: readonly TranscriptEvent[];
  /** Hex of each random value that our side drew. */
  readonly random: readonly string[];
  /** Unix time in ns, each time that our side asked for it. */
  readonly nanos: readonly string[];
}

/** A stream of messaging, as far as our side looks at it. */
export interface ReplayStream extends ByteLink {
  readonly remoteKey: PublicKey;
}

interface Step {
  readonly event: TranscriptEvent;
  /** What is left of its bytes. */
  rest: Uint8Array;
  isDone: boolean;
}

/** Plays one session. */
export class Replay {
  /** The world of our side. */
  readonly runtime: Runtime;
  /** Resolves when all was done that was done then; rejects when our side does something else. */
  readonly finished: Promise<void>;
  readonly #steps: Step[];
  readonly #waiting = new Set<() => void>();
  readonly #end = Promise.withResolvers<void>();
  #isOver = false;

  constructor(transcript: Transcript, sim: Simulation) {
    this.#steps = transcript.events.map((event) => ({ event, rest: parseHex(event.bytes ?? ""), isDone: false }));
    const world = sim.runtimeFor("us");
    this.runtime = {
      ...world,
      random: replayRandom(transcript.random),
      clock: replayClock(world.clock, transcript.nanos),
      network: this.#network(),
    };
    this.finished = this.#end.promise;
    this.finished.catch(() => {});
  }

  /** Opens the stream that was opened at this point. */
  dialStream(remote: PublicKey, port: number): ReplayStream {
    return { ...this.#open({ what: "dial", at: `messaging:${port}` }), remoteKey: remote };
  }

  /** The streams that peers opened to a port. */
  listenStreams(port: number): AsyncIterable<ReplayStream> & { close(): void } {
    return this.#accept(`messaging:${port}`);
  }

  /** What is not done yet, for a session that does not come to its end; ends need not be noticed. */
  get pending(): string {
    const open = this.#steps.filter(({ event, isDone }) => !isDone && event.what !== "ended").map(({ event, rest }) =>
      `step ${this.#steps.findIndex((step) => step.event === event)}: link ${event.link} ${event.what} ${rest.toHex()}`
    );
    return open.slice(0, 3).join("\n");
  }

  #network(): Network {
    return {
      dial: (address) => Promise.resolve(this.#open({ what: "dial", at: address })),
      listen: (address) => Promise.resolve({ ...this.#accept(address), address }),
      resolve: (host) => Promise.resolve([host]),
    };
  }

  #accept(at: string): AsyncIterable<ReplayStream> & LinkListener {
    let closed = false;
    const next = async (): Promise<IteratorResult<ReplayStream>> => {
      while (true) {
        if (closed) return { done: true, value: undefined };
        const step = this.#steps.find(({ event, isDone }) => !isDone && event.what === "accept" && event.at === at);
        if (step !== undefined && this.#isDue(step)) {
          step.isDone = true;
          const { link, remote } = step.event;
          this.#wake();
          return { done: false, value: { ...this.#link(link), remoteKey: remote as PublicKey } };
        }
        await this.#change();
      }
    };
    return {
      address: at,
      close: (): void => {
        closed = true;
        this.#wake();
      },
      [Symbol.asyncIterator]: () => ({ next }),
    };
  }

  #open(wanted: Pick<TranscriptEvent, "what" | "at">): ByteLink {
    const step = this.#steps.find(({ event, isDone }) => !isDone && event.what === wanted.what);
    this.#demand(() => assert.equal(wanted.at, step?.event.at, "what we dialled"));
    (step as Step).isDone = true;
    this.#wake();
    return this.#link((step as Step).event.link);
  }

  /** What fails here must not be taken for a broken link and swallowed. */
  #demand(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#end.reject(error);
      throw error;
    }
  }

  #link(link: number): ByteLink {
    let closed = false;
    return {
      remoteAddress: `link ${link}`,
      read: async (into) => {
        while (!closed) {
          const step = this.#steps.find(({ event, isDone }) => !isDone && event.link === link && isFromPeer(event));
          if (step !== undefined && this.#isDue(step)) {
            const part = step.rest.subarray(0, into.length);
            into.set(part);
            step.rest = step.rest.subarray(part.length);
            if (step.rest.length === 0) step.isDone = true;
            this.#wake();
            return step.event.what === "ended" ? null : part.length;
          }
          await this.#change();
        }
        return null;
      },
      write: (bytes) => {
        if (!this.#isOver) this.#sent(link, bytes.slice());
        return Promise.resolve();
      },
      closeWrite: () => {},
      close: () => {
        closed = true;
        this.#wake();
      },
    };
  }

  #sent(link: number, bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0;) {
      const step = this.#steps.find(({ event, isDone }) => !isDone && event.link === link && event.what === "sent");
      const wanted = step?.rest.subarray(0, rest.length) ?? new Uint8Array();
      const where = `link ${link}, step ${step === undefined ? "none" : this.#steps.indexOf(step)}`;
      this.#demand(() => {
        assert.equal(rest.subarray(0, Math.max(wanted.length, 1)).toHex(), wanted.toHex(), `what we sent, ${where}`);
      });
      const { rest: left } = step as Step;
      (step as Step).rest = left.subarray(wanted.length);
      if ((step as Step).rest.length === 0) (step as Step).isDone = true;
      rest = rest.subarray(wanted.length);
    }
    this.#wake();
  }

  /** A peer said this after all that we had sent before it; and what links say comes in order. */
  #isDue(step: Step): boolean {
    for (const earlier of this.#steps) {
      if (earlier === step) return true;
      if (!earlier.isDone && (earlier.event.what === "sent" || earlier.event.what === "dial")) return false;
    }
    return true;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.add(resolve));
  }

  #wake(): void {
    if (!this.#isOver && this.#steps.every(({ event, isDone }) => isDone || event.what === "ended")) {
      this.#isOver = true;
      this.#end.resolve();
    }
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

function isFromPeer({ what }: TranscriptEvent): boolean {
  return what === "came" || what === "ended";
}

/** Draws of one length come in the order in which they were drawn; those that were not recorded are of no consequence. */
function replayRandom(recorded: readonly string[]): Random {
  const rest = recorded.map((hex) => parseHex(hex));
  const further = createSeededRandom("replay");
  return {
    bytes(length: number): Uint8Array<ArrayBuffer> {
      const index = rest.findIndex((draw) => draw.length === length);
      return index < 0 ? further.bytes(length) : at(rest.splice(index, 1), 0);
    },
  };
}

function replayClock(clock: Clock, recorded: readonly string[]): Clock {
  const rest = recorded.map(BigInt);
  return {
    monotonic: () => clock.monotonic(),
    wallMs: () => clock.wallMs(),
    wallNanos: () => rest.shift() ?? clock.wallNanos(),
  };
}
