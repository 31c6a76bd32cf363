/** `skywire transport-discovery` as a program of its own. */

import { main } from "./main.ts";

Deno.exit(await main(["transport-discovery", ...Deno.args]));
