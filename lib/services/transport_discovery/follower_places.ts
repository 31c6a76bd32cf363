/**
 * Who may follow the map: each follower holds a connection, so there are so many places only, and no single host may take
 * them all. Over messaging a name costs nothing, so all who come that way share a part of the places.
 */

import { UnavailableError } from "../../errors/mod.ts";
import { bucketOf } from "../http/mod.ts";

/** Followers at once. */
const MAX_FOLLOWERS = 256;

/** Followers from one host, or network of 64 bits of IPv6: a quarter, for the visors behind one NAT. */
const MAX_PER_HOST = 64;

/** Followers over messaging: half of all places, whatever their keys. */
const MAX_OVER_MESSAGING = 128;

/** Followers with one key over messaging: a visor needs one, and one more while the first ends. */
const MAX_PER_KEY = 4;

const KEY = /^[0-9a-f]{66}$/;

/** See the top of the file. */
export class FollowerPlaces {
  readonly #taken = new Map<string, number>();
  #count = 0;
  #overMessaging = 0;

  /**
   * Takes a place.
   * @param remote `host:port` of the follower, `<key>:port` over messaging; empty for one in this process
   * @returns gives it back; harmless when repeated
   * @throws {UnavailableError} `transport-discovery/too-many-followers`
   */
  take(remote: string): () => void {
    const host = bucketOf(remote), isMessaging = KEY.test(host);
    const taken = this.#taken.get(host) ?? 0;
    if (remote !== "" && taken >= (isMessaging ? MAX_PER_KEY : MAX_PER_HOST)) throw tooMany("from there");
    if (isMessaging && this.#overMessaging >= MAX_OVER_MESSAGING) throw tooMany("over messaging");
    if (this.#count >= MAX_FOLLOWERS) throw tooMany("at once");
    this.#add(host, { by: 1, isMessaging });
    let isBack = false;
    return () => {
      if (isBack) return;
      isBack = true;
      this.#add(host, { by: -1, isMessaging });
    };
  }

  #add(host: string, { by, isMessaging }: { readonly by: 1 | -1; readonly isMessaging: boolean }): void {
    const taken = (this.#taken.get(host) ?? 0) + by;
    if (taken === 0) this.#taken.delete(host);
    else this.#taken.set(host, taken);
    this.#count += by;
    if (isMessaging) this.#overMessaging += by;
  }
}

function tooMany(where: string): UnavailableError {
  return new UnavailableError("transport-discovery/too-many-followers", `Follow the map: too many do ${where}`);
}
