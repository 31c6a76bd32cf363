/** Every recorded session with programs of Skywire v1.3, played again: we must send the very bytes that they took then. */

import assert from "node:assert/strict";
import type { MessagingClient, MessagingDirectory } from "../../lib/messaging/mod.ts";
import { parseHex, SecretKey } from "../../lib/types/mod.ts";
import type { Port, PublicKey } from "../../lib/types/mod.ts";
import { Fault } from "../../lib/wire/fault.ts";
import { type Entry, parseEntry } from "../../lib/wire/messaging_entry.ts";
import { simulationTest } from "../fakes/mod.ts";
import { type FlowData, FLOWS } from "./flows.ts";
import { Replay, type Transcript } from "./transcript.ts";

interface Session extends Transcript, FlowData {
  readonly flow: string;
  readonly secret: string;
  readonly entries: readonly string[];
  readonly result?: unknown;
}

const FILES = ["transports", "messaging", "routes"];

for (const file of FILES) {
  const { cases } = JSON.parse(Deno.readTextFileSync(new URL(`../vectors/interop/${file}.json`, import.meta.url)));
  for (const session of cases as (Session & { readonly name: string })[]) {
    simulationTest(`${file}: ${session.name}`, async (sim) => {
      const replay = new Replay(session, sim);
      using secret = new SecretKey(parseHex(session.secret));
      const flow = FLOWS[session.flow] ?? assert.fail(`nobody knows the flow "${session.flow}"`);
      const world = {
        runtime: replay.runtime,
        secret,
        directory: directoryOf(session.entries),
        messaging: messagingOf(replay),
        finished: replay.finished,
      };
      let result: unknown;
      const playing = flow(world, session).then((value) => void (result = value));
      await sim.run(() => Promise.race([playing, failed(replay)]), 60_000).catch((error) => {
        throw new Error(`${error.message}\npending:\n${replay.pending}`, { cause: error });
      });
      assert.equal(replay.pending, "");
      assert.deepEqual(result, session.result);
    });
  }
}

/** Never ends but by failing. */
function failed({ finished }: Replay): Promise<void> {
  return finished.then(() => new Promise(() => {}));
}

/** The discovery of then. What we publish there, other tests look at. */
function directoryOf(texts: readonly string[]): MessagingDirectory {
  const entries = texts.map((text) => {
    const entry = parseEntry(text);
    return entry instanceof Fault ? assert.fail(entry.message) : entry;
  });
  return {
    entry: (key: PublicKey): Promise<Entry | undefined> =>
      Promise.resolve(entries.find((entry) => entry.static === key)),
    publish: () => Promise.resolve(),
    remove: () => Promise.resolve(),
    availableServers: () => Promise.resolve(entries.filter((entry) => entry.server !== undefined)),
  };
}

/** As much of a messaging client as routes need: streams without what is below them, which other sessions show. */
function messagingOf(replay: Replay): MessagingClient {
  return {
    dial: (remote: PublicKey, port: Port) => Promise.resolve(replay.dialStream(remote, port)),
    listen: (port: Port) => replay.listenStreams(port),
  } as unknown as MessagingClient;
}
