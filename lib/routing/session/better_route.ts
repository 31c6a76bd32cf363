/**
 * Watches whether there is a much better route than the one that a session is on: a way that is no last resort where the
 * present one is, or one of half the cost, for half a minute. Tested in tests/routing/session/better_route_test.ts.
 */

import type { Path } from "../../types/mod.ts";
import { nameOfPath } from "../rank.ts";
import type { RatedPath } from "../route_choice.ts";

/** A better route has to stay so for so long, ms: figures move. */
const STEADY_MS = 30_000;

/** How much less it has to cost. */
const MUCH_BETTER = 0.5;

/** See the top of the file. */
export class BetterRoute {
  #name: string | undefined;
  #since = 0;

  /**
   * Takes a comparison.
   * @param now monotonic ms
   * @returns the route to go to, once there is one
   */
  look({ current, best }: { readonly current: RatedPath; readonly best: RatedPath }, now: number): Path | undefined {
    const isOther = nameOfPath(best.hops) !== nameOfPath(current.hops);
    if (isOther && current.isLastResort && !best.isLastResort) return best.hops;
    if (!isOther || best.isLastResort || best.cost > current.cost * MUCH_BETTER) {
      this.#name = undefined;
      return undefined;
    }
    const name = nameOfPath(best.hops);
    if (name !== this.#name) [this.#name, this.#since] = [name, now];
    return now - this.#since >= STEADY_MS ? best.hops : undefined;
  }
}
