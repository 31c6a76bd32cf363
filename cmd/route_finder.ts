/** `skywire route-finder` as a program of its own. */

import { main } from "./main.ts";

Deno.exit(await main(["route-finder", ...Deno.args]));
