/**
 * The service discovery of v1.3, as its clients see it.
 *
 * @module
 */
export {
  createServiceDiscoveryClient,
  type ServiceDiscoveryClient,
  type ServiceDiscoveryClientDeps,
} from "./client.ts";
