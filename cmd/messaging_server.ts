/** `skywire messaging-server` as a program of its own. */

import { main } from "./main.ts";

Deno.exit(await main(["messaging-server", ...Deno.args]));
