/** The listeners of a visor and of a control plane: what each is for, and the port that it usually has. */

/** Every listener that a visor can have, in the order in which they are opened. */
export const LISTENER_PURPOSES = [
  "api",
  "transport-stcp",
  "transport-stcpr",
  "transport-ws",
  "messaging-discovery",
  "messaging-server",
  "transport-discovery",
  "route-finder",
  "address-resolver",
] as const;

/** What a listener is for. */
export type ListenerPurpose = typeof LISTENER_PURPOSES[number];

/**
 * The port that each listener takes when it is free: those of v1.3 (visor-and-apps.md §9), and for what takes any port
 * there one beside.
 */
export const DEFAULT_PORTS: Readonly<Record<ListenerPurpose, number>> = {
  "api": 3435,
  "transport-stcp": 7777,
  "transport-stcpr": 7778,
  "transport-ws": 7779,
  "messaging-discovery": 9090,
  "messaging-server": 8081,
  "transport-discovery": 9091,
  "route-finder": 9092,
  "address-resolver": 9093,
};
