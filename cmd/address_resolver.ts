/** `skywire address-resolver` as a program of its own. */

import { main } from "./main.ts";

Deno.exit(await main(["address-resolver", ...Deno.args]));
