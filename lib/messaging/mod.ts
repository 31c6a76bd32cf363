/**
 * Messaging: clients that reach each other by public key and port through relaying servers, whatever NATs lie between. It
 * is the network of the control plane, and carries transports, too (dmsg.md).
 *
 * @module
 */
export { createMessagingClient } from "./client.ts";
export type { MessagingClient, MessagingClientDeps, MessagingSession } from "./client.ts";
export { createMessagingServer } from "./server.ts";
export type { MessagingServer, MessagingServerDeps, MessagingServerLimits, MessagingServerStats } from "./server.ts";
export { createMessagingFetch, HTTP_PORT, overlayAddressOf } from "./http_fetch.ts";
export type { MessagingFetchDeps } from "./http_fetch.ts";
export { serveHttp } from "./http_serve.ts";
export type { MessagingHttpServer, ServeHttpDeps } from "./http_serve.ts";
export { createDirectDirectory } from "./direct_directory.ts";
export type { DirectDirectoryDeps, KnownServer } from "./direct_directory.ts";
export type { MessagingDirectory } from "./directory.ts";
export type { MessagingStream } from "./stream.ts";
