/** The one program: its first argument picks a role or a command. This is what `deno compile` makes a binary of. */

import { main } from "./main.ts";

Deno.exit(await main(Deno.args));
