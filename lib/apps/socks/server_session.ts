/**
 * One SOCKS5 session of the server: the handshake, the rule, the connection to the destination, and the relay
 * (visor-and-apps.md §2.2). Tested in tests/apps/socks/proxy_test.ts.
 */

import { describeError, ProtocolError } from "../../errors/mod.ts";
import { type ByteLink, formatAddress, type Runtime, sideBySide, withTimeout } from "../../runtime/mod.ts";
import type { MuxStream } from "../../links/mux_session.ts";
import type { DestinationRule } from "./destinations.ts";
import { LinkReader } from "../../links/link_reader.ts";
import type { SocksMetrics } from "./metrics.ts";
import type { SocksRefusal } from "./refusals.ts";
import {
  COMMAND_CONNECT,
  type Credentials,
  encodeMethod,
  encodePasswordStatus,
  encodeReply,
  METHOD,
  readCredentials,
  readGreeting,
  readRequest,
  REPLY,
  type SocksRequest,
} from "./protocol.ts";
import { breakLink, endLink, relay } from "../../links/relay.ts";

/** For the whole handshake, ms. A client over a slow route needs three round trips. */
const HANDSHAKE_MS = 20_000;
/** For the handshake of a client that is turned away, ms. */
const REFUSAL_MS = 5_000;
/** For one address of the destination, ms: less than it takes a browser to give up. */
const DIAL_MS = 10_000;
/** How long one address is ahead of the next one, ms, as RFC 8305 has it. */
const HEAD_START_MS = 250;
/** Addresses of one name that are tried. */
const MAX_ADDRESSES = 4;

/** What sessions share. */
export interface SessionDeps {
  readonly runtime: Runtime;
  readonly rule: DestinationRule;
  /** UTF-8; undefined: everybody may. */
  readonly passcode: Uint8Array | undefined;
  /** Ends a relay in which nothing moves, ms. */
  readonly idleMs: number;
  readonly metrics: SocksMetrics;
  /** Called when the client is turned away. */
  readonly onRefused: (refusal: Pick<SocksRefusal, "why" | "destination">) => void;
}

/**
 * Serves one stream to its end, and closes it.
 * @param stream carries one SOCKS5 session from its first byte
 * @param deps what sessions share
 * @param signal ends the session
 */
export async function serveSocksStream(stream: MuxStream, deps: SessionDeps, signal: AbortSignal): Promise<void> {
  const { runtime } = deps;
  const reader = new LinkReader(stream);
  const onAbort = (): void => stream.reset();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const request = await withTimeout(() => shakeHands(stream, reader, deps), {
      timers: runtime.timers,
      ms: HANDSHAKE_MS,
      code: "socks/handshake-timeout",
      message: "Wait for a SOCKS request",
      signal,
    });
    if (request === undefined) return stream.close();
    const outcome = await connect(request, deps, signal);
    if (typeof outcome === "number") {
      (outcome === REPLY.notAllowed ? deps.metrics.denied : deps.metrics.refused).add();
      await stream.write(encodeReply(outcome));
      return stream.close();
    }
    await relayTo(outcome, { stream, reader, signal }, deps);
  } catch (error) {
    if (error instanceof ProtocolError) deps.metrics.denied.add();
    stream.reset();
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * Tells the client of a stream that there is no place for it, as SOCKS does, and closes the stream.
 * @param stream as for {@link serveSocksStream}
 * @param deps what sessions share
 * @param signal ends it
 */
export async function refuseSocksStream(stream: MuxStream, deps: SessionDeps, signal: AbortSignal): Promise<void> {
  try {
    const request = await withTimeout(() => shakeHands(stream, new LinkReader(stream), deps), {
      timers: deps.runtime.timers,
      ms: REFUSAL_MS,
      code: "socks/handshake-timeout",
      message: "Wait for a SOCKS request",
      signal,
    });
    if (request !== undefined) await stream.write(encodeReply(REPLY.generalFailure));
    stream.close();
  } catch {
    stream.reset();
  }
}

/** Until the request is there. @returns undefined when the client was turned away */
async function shakeHands(stream: ByteLink, reader: LinkReader, deps: SessionDeps): Promise<SocksRequest | undefined> {
  const { passcode, metrics, onRefused } = deps;
  const offered = await readGreeting(reader);
  const method = passcode === undefined ? METHOD.none : METHOD.password;
  if (!offered.includes(method)) {
    metrics.denied.add();
    onRefused({ why: "passcode" });
    await stream.write(encodeMethod(METHOD.unacceptable));
    return undefined;
  }
  await stream.write(encodeMethod(method));
  if (passcode !== undefined) {
    const accepted = knowsPasscode(await readCredentials(reader), passcode);
    await stream.write(encodePasswordStatus(accepted));
    if (!accepted) {
      metrics.denied.add();
      onRefused({ why: "passcode" });
      return undefined;
    }
  }
  return await readRequest(reader);
}

/** Either field will do, as v1.3 has it. Takes the same time whichever bytes differ. */
function knowsPasscode({ user, password }: Credentials, passcode: Uint8Array): boolean {
  const differs = (given: Uint8Array): number =>
    passcode.reduce((difference, byte, i) => difference | byte ^ (given[i] ?? 0), given.length ^ passcode.length);
  return differs(user) === 0 || differs(password) === 0;
}

/** Connects to the destination. @returns the link, or the reply that says why there is none */
async function connect(request: SocksRequest, deps: SessionDeps, signal: AbortSignal): Promise<ByteLink | number> {
  const { command, host, port } = request;
  const { network, timers, log } = deps.runtime;
  if (command !== COMMAND_CONNECT) return REPLY.commandNotSupported;
  if (host === undefined) return REPLY.addressTypeNotSupported;
  let found: readonly string[];
  try {
    found = await withTimeout((signal) => network.resolve(host, { signal }), {
      timers,
      ms: DIAL_MS,
      code: "socks/resolve-timeout",
      message: "Wait for the address of a destination",
      signal,
    });
  } catch {
    signal.throwIfAborted();
    return REPLY.hostUnreachable;
  }
  const allowed = found.filter((address) => deps.rule.allows(address)).slice(0, MAX_ADDRESSES);
  if (allowed.length === 0) {
    deps.onRefused({ why: "destination", destination: formatAddress(host, port) });
    return REPLY.notAllowed;
  }
  try {
    return await sideBySide(allowed, {
      timers,
      headStartMs: HEAD_START_MS,
      attempt: (address, signal) => dialAddress(formatAddress(address, port), { network, timers, signal }),
      discard: (late) => late.close(),
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    log.debug("socks-dial-failed", { host, port, error: describeError(error) });
    return replyOf(error);
  }
}

/** The address that was checked: asking for the name again could give another one. */
function dialAddress(
  address: string,
  { network, timers, signal }: Pick<Runtime, "network" | "timers"> & { readonly signal: AbortSignal },
): Promise<ByteLink> {
  return withTimeout((signal) => network.dial(address, { signal, canReset: true }), {
    timers,
    ms: DIAL_MS,
    code: "socks/dial-timeout",
    message: "Wait for a destination",
    signal,
    discard: (late) => late.close(),
  });
}

/** What the platform calls the failure decides the reply. */
const REPLY_OF_CAUSE: ReadonlyMap<unknown, number> = new Map([
  ["ECONNREFUSED", REPLY.connectionRefused],
  ["ENETUNREACH", REPLY.networkUnreachable],
  ["EHOSTUNREACH", REPLY.hostUnreachable],
  ["ETIMEDOUT", REPLY.hostUnreachable],
]);

function replyOf(error: unknown): number {
  const { cause } = error as { readonly cause?: unknown };
  const { code } = Object(cause) as { readonly code?: unknown };
  return REPLY_OF_CAUSE.get(code) ?? REPLY.hostUnreachable;
}

async function relayTo(
  target: ByteLink,
  from: { readonly stream: MuxStream; readonly reader: LinkReader; readonly signal: AbortSignal },
  { runtime: { clock, timers }, idleMs }: SessionDeps,
): Promise<void> {
  const { stream, reader, signal } = from;
  try {
    await stream.write(encodeReply(REPLY.succeeded));
    const end = await relay({ link: stream, reader }, { link: target }, {
      idle: { clock, timers, ms: idleMs },
      signal,
    });
    for (const link of [stream, target]) endLink(link, end);
  } catch (error) {
    breakLink(target);
    throw error;
  }
}
