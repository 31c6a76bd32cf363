/** `GET /v1/events` of a real visor over real HTTP: events come, and a client that was cut off goes on where it was. */

import assert from "node:assert/strict";
import { createVisor, type Visor } from "../../../mod.ts";
import { parseEvents, type ServerEvent } from "../../../lib/services/http/mod.ts";
import { temporaryFolder } from "../../e2e/program.ts";

/** A client of the stream. */
class Client {
  readonly #leaving = new AbortController();
  readonly #events: AsyncGenerator<ServerEvent>;

  private constructor(body: ReadableStream<Uint8Array>, leaving: AbortController) {
    this.#leaving = leaving;
    this.#events = parseEvents(body, { maxCharacters: 10_000 });
  }

  static async connect(data: string, after?: string): Promise<Client> {
    const { url, token } = JSON.parse(await Deno.readTextFile(`${data}/control.json`));
    const leaving = new AbortController();
    const response = await fetch(`${url}/v1/events`, {
      headers: { authorization: `Bearer ${token}`, ...(after === undefined ? {} : { "last-event-id": after }) },
      signal: leaving.signal,
    });
    assert.deepEqual([response.status, response.headers.get("content-type")], [200, "text/event-stream"]);
    return new Client(response.body!, leaving);
  }

  /** The next event. */
  async next(): Promise<ServerEvent> {
    const { done, value } = await this.#events.next();
    assert.ok(!done, "the stream goes on");
    assert.equal(JSON.parse(value.data).type, value.event);
    return value;
  }

  /** The stream is to end by itself. */
  async ended(): Promise<void> {
    for await (const _ of this.#events);
  }

  /** Cuts the connection. */
  async cut(): Promise<void> {
    this.#leaving.abort();
    await this.#events.next().catch(() => {});
  }
}

Deno.test("GET /v1/events tells what happens, and a client that was cut off goes on without gap or repeat", async () => {
  await using folder = await temporaryFolder();
  const [dataA, dataB] = [`${folder.path}/a`, `${folder.path}/b`];
  const a = await createVisor({ data: dataA, logLevel: "error" });
  await using b = await createVisor({ data: dataB, join: a.ticket, logLevel: "error" });
  const address = b.listeners.find(({ purpose }) => purpose === "transport-stcp")!.address;
  /** Two events each time. */
  const come = async (visor: Visor): Promise<void> => {
    const { id } = await visor.transports.add(b.publicKey, { kind: "stcp", address });
    await visor.transports.remove(id);
  };
  const first = await Client.connect(dataA);
  const other = await Client.connect(dataA);
  await come(a);
  const seen = [await first.next()];
  assert.equal(seen[0]?.event, "transport-up");
  await first.cut();
  await come(a);
  const again = await Client.connect(dataA, seen[0]?.id);
  await come(a);
  while (seen.length < 6) {
    const event = await again.next();
    if (event.event !== "transport-down") seen.push(event);
  }
  const [up, removed] = ["transport-up", "transport-removed"];
  assert.deepEqual(seen.map(({ event }) => event), [up, removed, up, removed, up, removed]);
  assert.equal(new Set(seen.map(({ id }) => id)).size, seen.length);
  for (const { id } of seen) {
    let next = await other.next();
    while (next.event === "transport-down") next = await other.next();
    assert.equal(next.id, id, "every client is told the same");
  }
  const stranger = await Client.connect(dataA, "00000000-7");
  assert.equal((await stranger.next()).event, "missed");

  const ended = Promise.all([again, other, stranger].map((client) => client.ended()));
  const began = performance.now();
  await a[Symbol.asyncDispose]();
  await ended;
  assert.ok(performance.now() - began < 2_000, "streams do not hold up the end");
});
