/**
 * A transport driver of one's own: links over Unix sockets, for visors on one machine. An address is the path of a socket.
 *
 *     createVisor({ data, drivers: [createUnixSocketDriver("/run/skywire.sock")] })
 *     skywire visor --driver ./unix_socket_driver.ts
 */

import { ClosedError, type RawLink, type RawListener, type TransportDriver, UnavailableError } from "../../mod.ts";

/** Without a path to listen on, it only dials. */
export function createUnixSocketDriver(listenAddress?: string): TransportDriver {
  return {
    kind: "unix",
    ...(listenAddress === undefined ? {} : { listenAddress }),
    async dial(path, { signal }): Promise<RawLink> {
      signal?.throwIfAborted();
      return makeLink(await Deno.connect({ transport: "unix", path }).catch(unavailable(`Dial "${path}"`)), path);
    },
    async listen(path): Promise<RawListener> {
      await removeLeftover(path);
      const listening = new Promise<Deno.UnixListener>((resolve) => resolve(Deno.listen({ transport: "unix", path })));
      return makeListener(await listening.catch(unavailable(`Listen on "${path}"`)), path);
    },
  };
}

/** What `--driver` loads: listens in the visor's data folder. */
export default (visor: { readonly dataFolder: string }): TransportDriver =>
  createUnixSocketDriver(`${visor.dataFolder}/transport.sock`);

function makeListener(listener: Deno.UnixListener, address: string): RawListener {
  let closed = false;
  return {
    address,
    close(): void {
      if (!closed) listener.close();
      closed = true;
    },
    async *[Symbol.asyncIterator](): AsyncGenerator<RawLink> {
      for await (const connection of listener) yield makeLink(connection, address);
    },
  };
}

function makeLink(connection: Deno.UnixConn, remoteAddress: string): RawLink {
  let closed = false;
  return {
    remoteAddress,
    read: (into) =>
      closed
        ? Promise.resolve(null)
        : connection.read(into).catch((cause) => closed ? null : unavailable("Read")(cause)),
    async write(bytes): Promise<void> {
      for (let done = 0; done < bytes.length;) {
        if (closed) throw new ClosedError("unix/closed", "Write to a closed link");
        done += await connection.write(bytes.subarray(done)).catch(unavailable("Write"));
      }
    },
    close(): void {
      if (!closed) connection.close();
      closed = true;
    },
  };
}

/** A visor that was killed leaves its socket behind; one at which somebody answers is left alone. */
async function removeLeftover(path: string): Promise<void> {
  const somebody = await Deno.connect({ transport: "unix", path }).catch(() => undefined);
  if (somebody === undefined) await Deno.remove(path).catch(() => {});
  else somebody.close();
}

function unavailable(doing: string): (cause: unknown) => never {
  return (cause) => {
    throw new UnavailableError("unix/failed", doing, { cause });
  };
}
