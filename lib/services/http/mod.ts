/**
 * The HTTP edge that services share: routes to handler, errors to answers, limits, figures, the description of the
 * API, log-in by signed requests, health, streams of events; and the client side of the same.
 *
 * @module
 */
export * from "./app.ts";
export * from "./client_address.ts";
export * from "./docs.ts";
export * from "./errors.ts";
export * from "./event_stream.ts";
export * from "./go_errors.ts";
export * from "./health.ts";
export * from "./http_auth_client.ts";
export * from "./http_auth_server.ts";
export * from "./limits.ts";
export * from "./network_monitor.ts";
export * from "./nonces.ts";
export * from "./rate_limit.ts";
export * from "./schemas.ts";
export * from "./serial.ts";
export * from "./service_app.ts";
export * from "./service_client.ts";
export * from "./status_pages.ts";
export * from "./text_response.ts";
