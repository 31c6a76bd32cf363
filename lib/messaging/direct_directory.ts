/**
 * The directory of whoever knows only some servers and the key of the discovery, which is then asked over messaging itself
 * (dmsg.md §7.3): the entries that lead there are made up, and all others come from it.
 * Tested in tests/network/join_messaging_test.ts.
 */

import { ENTRY_VERSION } from "../wire/messaging_entry.ts";
import type { Entry } from "../wire/messaging_entry.ts";
import type { PublicKey } from "../types/mod.ts";
import type { MessagingDirectory } from "./directory.ts";

/** A server that is known without asking. */
export interface KnownServer {
  /** Whose key it proves to own. */
  readonly publicKey: PublicKey;
  /** `host:port` */
  readonly address: string;
}

/** What {@link createDirectDirectory} needs. */
export interface DirectDirectoryDeps {
  /** At least one. */
  readonly servers: readonly KnownServer[];
  /** The discovery's key; it is connected to all servers. */
  readonly discoveryKey: PublicKey;
  /** The discovery, asked over messaging. */
  readonly discovery: MessagingDirectory;
}

/**
 * Makes one. That a client was closed, the discovery does not learn: by then the way to it is closed, too, and the
 * client's entry expires. That an entry is gone is not noticed within seconds: each question costs a handshake.
 */
export function createDirectDirectory(deps: DirectDirectoryDeps): MessagingDirectory {
  const { discoveryKey, discovery } = deps;
  // Unsigned, and never published: nobody but this process sees them.
  const made = { version: ENTRY_VERSION, sequence: 0n, timestamp: 0n };
  const servers: readonly Entry[] = deps.servers.map(({ publicKey, address }) => ({
    ...made,
    static: publicKey,
    server: { address, availableSessions: 1 },
  }));
  const known = new Map<PublicKey, Entry>(servers.map((entry) => [entry.static, entry]));
  const delegatedServers = servers.map((entry) => entry.static);
  known.set(discoveryKey, { ...made, static: discoveryKey, client: { delegatedServers } });

  let others: readonly Entry[] = [];
  let isFirst = true;
  return {
    entry: async (key) => known.get(key) ?? await discovery.entry(key),
    publish: (entry, options) => discovery.publish(entry, options),
    remove: (entry) => discovery.remove(entry),
    availableServers(): Promise<readonly Entry[]> {
      // It is asked for when there is no session, and then the discovery cannot be: what it said before must do.
      if (!isFirst) {
        discovery.availableServers().then((answer) => others = answer.filter((entry) => !known.has(entry.static)))
          .catch(() => {});
      }
      isFirst = false;
      return Promise.resolve([...servers, ...others]);
    },
  };
}
