/**
 * The runtime ports, and what every implementation of them shares: address parsing, log lines, figures, and small
 * waiting functions written over the ports. Nothing here touches the platform; `deno/` does.
 *
 * @module
 */
export * from "./ports.ts";
export * from "./address.ts";
export * from "./backoff.ts";
export * from "./byte_chunks.ts";
export * from "./figure.ts";
export * from "./head_start.ts";
export * from "./host_limit.ts";
export * from "./log.ts";
export * from "./metrics.ts";
export * from "./printable.ts";
export * from "./queue.ts";
export * from "./semaphore.ts";
export * from "./signal.ts";
export * from "./side_by_side.ts";
export * from "./trouble.ts";
export * from "./wait.ts";
