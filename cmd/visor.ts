/** `skywire visor` as a program of its own. */

import { main } from "./main.ts";

Deno.exit(await main(["visor", ...Deno.args]));
