/**
 * The world in memory: seeded twins of all runtime ports on virtual time. {@link createSimulation} runs many visors and
 * services in one process, and a failing run is reproduced from its seed.
 *
 * @module
 */
export * from "./memory_network.ts";
export * from "./memory_storage.ts";
export * from "./seeded_random.ts";
export * from "./simulation.ts";
export * from "./virtual_time.ts";
