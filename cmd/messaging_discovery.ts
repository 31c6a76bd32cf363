/** `skywire messaging-discovery` as a program of its own. */

import { main } from "./main.ts";

Deno.exit(await main(["messaging-discovery", ...Deno.args]));
