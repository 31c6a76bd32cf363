/** `skywire setup-node` as a program of its own. */

import { main } from "./main.ts";

Deno.exit(await main(["setup-node", ...Deno.args]));
