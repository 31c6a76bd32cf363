/**
 * The control plane of a network: how it is described and handed on. The services themselves are put together in
 * `embedded_network.ts`, which is loaded only where they run.
 *
 * @module
 */
export { DEFAULT_PORTS, LISTENER_PURPOSES, type ListenerPurpose } from "./listener_ports.ts";
export { Listeners, type ListenersConfig, type ListenerView, portOf } from "./listeners.ts";
export { checkLoopbackNetwork, isLoopbackHost, isLoopbackNetwork } from "./loopback.ts";
export {
  isKeyUrl,
  type KnownMessagingServer,
  type NetworkConfig,
  networkConfigSchema,
  serviceUrlSchema,
} from "./network_config.ts";
export { type Reach, reachOf, resolverReach } from "./reach.ts";
export { formatShortTicket, formatTicket, parseTicket } from "./ticket.ts";
