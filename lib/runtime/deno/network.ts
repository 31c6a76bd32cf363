/** TCP on Deno, as byte links. */

import { lookup } from "node:dns/promises";
import { BugError, ClosedError, UnavailableError } from "../../errors/mod.ts";
import { formatAddress, parseAddress } from "../address.ts";
import type { ByteLink, LinkListener, LinkOptions, Network, Timers } from "../ports.ts";
import { sleep, untilAborted } from "../wait.ts";
import { bindDatagrams } from "./datagrams.ts";
import { loopbackName } from "./machine.ts";
import { listenError, parseListenAddress } from "./listen_address.ts";
import { dialResettable, listenResettable } from "./resettable_link.ts";

/**
 * Wait after a failed accept. Such a failure is nearly always a lack of descriptors (EMFILE, ENFILE), which ends when
 * some connection ends; without a pause the loop would burn the processor meanwhile.
 */
const ACCEPT_PAUSE_MS = 100;

/** Makes the network port. `timers` paces accept loops that meet errors. */
export function createDenoNetwork({ timers }: { readonly timers: Timers }): Network {
  return {
    dial,
    listen: (address, { canReset = false } = {}): Promise<LinkListener> =>
      canReset ? listenResettable(address) : listen(address, timers),
    resolve: (host, options = {}): Promise<readonly string[]> => resolve(host, options.signal),
    bindDatagrams,
    loopbackName,
  };
}

async function dial(
  address: string,
  { signal, canReset = false }: LinkOptions & { readonly signal?: AbortSignal } = {},
): Promise<ByteLink> {
  signal?.throwIfAborted();
  const parsed = parseAddress(address);
  if (parsed === undefined) {
    throw new UnavailableError("network/dial-failed", `Dial "${address}": wanted host:port`);
  }
  const target = { host: parsed.host === "" ? "127.0.0.1" : parsed.host, port: parsed.port };
  try {
    if (canReset) return await dialResettable(target, signal);
    const { host: hostname, port } = target;
    return makeTcpLink(await Deno.connect({ hostname, port, ...(signal === undefined ? {} : { signal }) }));
  } catch (cause) {
    signal?.throwIfAborted();
    throw new UnavailableError("network/dial-failed", `Dial "${address}"`, { details: { address }, cause });
  }
}

/** Hosts file first, then the name servers; `Deno.resolveDns` asks name servers only and does not know `localhost`. */
async function resolve(host: string, signal: AbortSignal | undefined): Promise<readonly string[]> {
  // A lookup cannot be called back: better not begun than left running.
  signal?.throwIfAborted();
  try {
    const found = await untilAborted(lookup(host, { all: true }), signal);
    return found.map(({ address }) => address);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new UnavailableError("network/unknown-host", `Find the address of "${host}"`, { details: { host }, cause });
  }
}

// Async although Deno binds at once: the port promises errors as rejections.
// deno-lint-ignore require-await
async function listen(address: string, timers: Timers): Promise<LinkListener> {
  const { host, port } = parseListenAddress(address);
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname: host, port });
  } catch (cause) {
    throw listenError(address, cause);
  }
  const closing = new AbortController();

  async function* accept(): AsyncGenerator<ByteLink> {
    while (!closing.signal.aborted) {
      let connection: Deno.TcpConn | undefined;
      try {
        connection = await listener.accept();
      } catch {
        if (closing.signal.aborted) return;
        await sleep(timers, ACCEPT_PAUSE_MS, closing.signal).catch(() => {});
      }
      if (connection === undefined) continue;
      const link = makeTcpLink(connection);
      if (closing.signal.aborted) return link.close();
      yield link;
    }
  }

  const taken = listener.addr as Deno.NetAddr;
  return {
    address: formatAddress(taken.hostname, taken.port),
    close(): void {
      if (closing.signal.aborted) return;
      closing.abort();
      listener.close();
    },
    [Symbol.asyncIterator]: (): AsyncIterator<ByteLink> => accept(),
  };
}

/** A connection as a {@link ByteLink}. `into` and `bytes` may lie in WASM memory, which can grow meanwhile. */
export function makeTcpLink(connection: Deno.TcpConn): ByteLink {
  const { hostname, port } = connection.remoteAddr;
  const remoteAddress = formatAddress(hostname, port);
  try {
    connection.setNoDelay(true);
    connection.setKeepAlive(true);
  } catch {
    // The other side has already gone; the first read says so.
  }
  let closed = false;
  const broken = (doing: string, cause: unknown): UnavailableError =>
    new UnavailableError("network/link-broken", `${doing} the connection with ${remoteAddress}`, { cause });

  return {
    remoteAddress,
    async read(into: Uint8Array): Promise<number | null> {
      if (closed) return null;
      if (into.length === 0) throw new RangeError("Read into an empty buffer");
      try {
        const count = await connection.read(into);
        return closed ? null : count;
      } catch (cause) {
        if (closed) return null;
        throw broken("Read from", cause);
      }
    },
    async write(bytes: Uint8Array): Promise<void> {
      for (let done = 0; done < bytes.length;) {
        if (closed) throw new ClosedError("network/closed", `Write to the closed connection with ${remoteAddress}`);
        try {
          done += await connection.write(done === 0 ? bytes : bytes.subarray(done));
        } catch (cause) {
          if (closed) continue;
          throw broken("Write to", cause);
        }
        // A view of WASM memory is emptied when the memory grows, and the rest of the bytes cannot be found again.
        if (bytes.length === 0) throw new BugError("network/buffer-lost", "Write: the buffer went away meanwhile");
      }
    },
    closeWrite(): void {
      // It fails when the connection is gone, and then there is nothing left to end.
      if (!closed) connection.closeWrite().catch(() => {});
    },
    close(): void {
      if (closed) return;
      closed = true;
      try {
        connection.close();
      } catch {
        // Closed by the platform after an error.
      }
    },
  };
}
