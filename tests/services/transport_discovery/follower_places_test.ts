import assert from "node:assert/strict";
import { FollowerPlaces } from "../../../lib/services/transport_discovery/follower_places.ts";
import { makeVisor } from "./support.ts";

const TOO_MANY = { code: "transport-discovery/too-many-followers" };

/** Takes places until there are none. */
function takeAll(places: FollowerPlaces, remote: (number: number) => string): (() => void)[] {
  const taken: (() => void)[] = [];
  try {
    while (taken.length < 1_000) taken.push(places.take(remote(taken.length)));
  } catch (error) {
    assert.equal((error as { code?: string }).code, TOO_MANY.code);
  }
  return taken;
}

Deno.test("one host takes a quarter of the places, and gets them back when it gives them back", () => {
  const places = new FollowerPlaces();
  const taken = takeAll(places, (number) => `192.0.2.1:${number}`);
  assert.equal(taken.length, 64);
  assert.equal(takeAll(places, (number) => `[2001:db8::${number}]:1`).length, 64);
  places.take("192.0.2.2:1")();
  for (const giveBack of [...taken, ...taken]) giveBack();
  assert.equal(takeAll(places, (number) => `192.0.2.1:${number}`).length, 64);
});

Deno.test("many keys over messaging take half of the places at most", () => {
  const places = new FollowerPlaces();
  const keys = Array.from({ length: 200 }, (_, i) => makeVisor(1 + i).publicKey);
  assert.equal(takeAll(places, () => `${keys[0]}:1`).length, 4);
  assert.equal(takeAll(places, (number) => `${keys[1 + number]}:1`).length, 124);
  places.take("192.0.2.1:1");
});

Deno.test("there are so many places and no more", () => {
  const places = new FollowerPlaces();
  assert.equal(takeAll(places, (number) => `192.0.2.${number % 250}:1`).length, 256);
  assert.throws(() => places.take(""), TOO_MANY);
});
