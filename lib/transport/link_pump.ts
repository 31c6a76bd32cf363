/**
 * Moves the bytes of one link between its socket and the switch: one loop reads and ingests, the other writes what the
 * switch has sealed. It knows no protocol; whatever goes wrong ends the link.
 *
 * Reads and writes go through buffers of ours rather than through views of the core's memory: such a view dies when the
 * memory grows, which another link may cause while this one waits, and links that are not sockets cannot survive that.
 * The copies cost 0.04 ns a byte, opening and sealing some 4 ns (design.md §8).
 * Tested in tests/transport/switch_loop_test.ts.
 */

import type { LinkHandle, Switch } from "../core/mod.ts";
import { ClosedError, describeError, UnavailableError } from "../errors/mod.ts";
import { type BufferPool, BUSY_LINK_BYTES, ReadBuffer } from "../links/read_buffer.ts";
import { Signal } from "../runtime/mod.ts";
import type { ByteLink, Clock } from "../runtime/mod.ts";

/** What an idle link reads into. 8,000 idle links hold 64 MB of it. */
const SMALL_BUFFER_BYTES = 8 * 1024;

/** How a link ended. */
export interface LinkEnd {
  /** `local`: we closed it. `remote`: the peer did. `broken`: the network did. `fault`: the peer sent what it must not. */
  readonly reason: "local" | "remote" | "broken" | "fault";
  /** For logs. */
  readonly message: string;
}

/** What a pump works with. */
export interface LinkPumpDeps {
  readonly core: Switch;
  readonly handle: LinkHandle;
  readonly link: ByteLink;
  readonly clock: Clock;
  readonly pool: BufferPool;
  /** Drains the switch after it was called. */
  readonly flush: () => void;
}

/** See the top of the file. The switch keeps the link until {@link LinkPump.ended} resolves. */
export class LinkPump {
  /** Resolves once both loops have stopped, so that nothing of the core's is in use any more. */
  readonly ended: Promise<LinkEnd>;
  readonly #deps: LinkPumpDeps;
  #end: LinkEnd | undefined;
  #writing: Promise<void> | undefined;
  readonly #resumed = new Signal();

  constructor(deps: LinkPumpDeps) {
    this.#deps = deps;
    this.ended = this.#run();
  }

  /** The switch has output for this link. Harmless while a write is under way: it goes on until nothing is left. */
  wake(): void {
    if (this.#end === undefined) this.#writing ??= this.#writeAll();
  }

  /** The switch can take input again. */
  resume(): void {
    this.#resumed.notify();
  }

  /** Closes the socket, which ends both loops. The first reason counts. */
  stop(end: LinkEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#deps.link.close();
    this.#resumed.notify();
  }

  async #run(): Promise<LinkEnd> {
    await this.#readAll();
    await this.#writing;
    // Both loops end by a reason only.
    return this.#end as LinkEnd;
  }

  async #readAll(): Promise<void> {
    const { core, handle, link, clock, pool, flush } = this.#deps;
    const buffer = new ReadBuffer({ smallBytes: SMALL_BUFFER_BYTES, pool });
    try {
      while (this.#end === undefined) {
        const count = await link.read(buffer.space);
        if (count === null) return this.stop({ reason: "remote", message: "The peer closed the link" });
        const bytes = buffer.taken(count);
        for (let at = 0; at < count && this.#end === undefined;) {
          const room = core.readView(handle);
          if (room.length === 0) {
            await this.#resumed.next();
            continue;
          }
          const part = bytes.subarray(at, at + room.length);
          room.set(part);
          core.ingest(handle, part.length, clock.monotonic());
          at += part.length;
          flush();
        }
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      buffer.release();
    }
  }

  async #writeAll(): Promise<void> {
    const { core, handle, link, clock, pool, flush } = this.#deps;
    try {
      while (this.#end === undefined) {
        const output = core.outputView(handle, clock.monotonic());
        if (output.length === 0) break;
        const buffer = output.length > SMALL_BUFFER_BYTES && output.length <= BUSY_LINK_BYTES
          ? pool.acquire()
          : new Uint8Array(output.length);
        buffer.set(output);
        try {
          await link.write(buffer.subarray(0, output.length));
        } finally {
          pool.release(buffer);
        }
        core.outputWritten(handle, clock.monotonic());
        flush();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#writing = undefined;
    }
  }

  #fail(error: unknown): void {
    const isBroken = error instanceof UnavailableError || error instanceof ClosedError;
    this.stop({ reason: isBroken ? "broken" : "fault", message: describeError(error) });
  }
}
