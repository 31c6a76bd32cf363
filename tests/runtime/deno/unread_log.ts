/** Logs 2 MiB, says so on stdout, and ends when its log was read. */

import { createDenoRuntime, standardError, standardOutput } from "../../../lib/runtime/deno/mod.ts";

const { log, timers } = createDenoRuntime();
const text = "x".repeat(1_000);
for (let i = 0; i < 2_000; i++) log.info("line", { text });
// Timers fire: the event loop goes on.
await new Promise<void>((resolve) => timers.after(1, resolve));
await standardOutput.write(new TextEncoder().encode("still here\n"));
while (standardError.waitingBytes > 0) await standardError.flush();
