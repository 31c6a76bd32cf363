/** Starts a visor: all parts put together. Tested in tests/visor/facets_test.ts. */

import { isDeepStrictEqual } from "node:util";
import { publicKeyOf } from "../core/mod.ts";
import { describeError } from "../errors/mod.ts";
import type { EmbeddedNetwork, EmbeddedNetworkContext } from "../network/embedded_network.ts";
import { Listeners } from "../network/listeners.ts";
import { checkLoopbackNetwork, formatTicket, isLoopbackNetwork, reachOf } from "../network/mod.ts";
import { withTimeout } from "../runtime/mod.ts";
import { shortKey } from "../types/mod.ts";
import { importV13Config } from "./config/v13_config_import.ts";
import { loadConfig } from "./config/start_config.ts";
import { startControlServer } from "./control/server.ts";
import { DataFolder } from "./data_folder.ts";
import { CapabilityParts } from "./facets.ts";
import { KeyBook } from "./key_book.ts";
import { joinParts, type VisorParts, type VisorPartsDeps } from "./parts.ts";
import type { VisorOptions } from "./settings.ts";
import { wantedTransports } from "./transports/wanted.ts";
import type { Visor } from "./visor.ts";

/** A network on this machine connects within 1 s, one far away within 2 s. A start waits this long for it, ms. */
const CONNECT_WITHIN_MS = 3_000;

/**
 * Starts a visor on a runtime of the caller. It is ready once connected, or after 3 s without a network; then it connects as
 * soon as there is one. {@linkcode createVisor} is the simpler way.
 * @param options runtime, data folder and settings
 * @returns the visor, ready
 * @throws as {@link createVisor}
 */
export async function startVisor(options: VisorOptions): Promise<Visor> {
  return await startVisorWith(options, {});
}

/** How a simulation looks into a visor and taps its traffic. Nothing else does. */
export interface VisorInternals {
  /** Puts something between the transports and the switch. */
  readonly wrapLoop?: VisorPartsDeps["wrapLoop"];
  /** Called once, as soon as the parts that carry the traffic are there. */
  readonly onParts?: (parts: VisorParts) => void;
}

/** Starts a visor as {@link startVisor}, and shows its inside. */
export async function startVisorWith(options: VisorOptions, internals: VisorInternals): Promise<Visor> {
  await using stack = new AsyncDisposableStack();
  if (options.owned !== undefined) stack.use(options.owned);
  const { runtime, drivers = [] } = options;
  const folder = new DataFolder(options.storage, runtime.random);
  const taken = stack.use(await folder.take());
  if (options.v13Config !== undefined) await importV13Config(folder, { text: options.v13Config, log: runtime.log });
  const kept = await folder.config();
  const config = await loadConfig(folder, options);
  const { network: joined } = config;
  if (joined !== undefined && isLoopbackNetwork(joined) && !isDeepStrictEqual(joined, kept?.network)) {
    await checkLoopbackNetwork(joined, runtime);
  }
  const wanted = wantedTransports(folder.storage);
  await wanted.load();
  const secret = stack.use(await folder.secretKey("visor"));
  const publicKey = publicKeyOf(secret);
  const listeners = new Listeners({ ...config, reach: await reachOf(config.host, runtime) }, runtime.log);

  const embedded = config.network === undefined
    ? stack.use(await startOwnNetwork({ runtime, folder, listeners }))
    : undefined;
  const network = embedded?.own ?? config.network!;
  const ticket = formatTicket(embedded?.network ?? network);
  const { askResolver } = embedded ?? {};
  const { wrapLoop } = internals;
  const parts = stack.use(
    await joinParts({ runtime, secret, network, askResolver, listeners, wanted, drivers, config, wrapLoop }),
  );
  internals.onParts?.(parts);
  const { messaging, http, discovery, table, router, routeFinder, binding, automatic } = parts;
  const keys = new KeyBook();
  keys.add({ known: () => Promise.resolve([publicKey]) });
  const capabilities = stack.use(
    new CapabilityParts({
      runtime,
      storage: folder.storage,
      publicKey,
      network,
      wanted,
      keys,
      messaging,
      http,
      discovery,
      table,
      router,
      routeFinder,
      binding,
      automatic,
    }),
  );
  await capabilities.restore();
  const control = stack.use(await startControlServer(capabilities.routes(), { runtime, folder, listeners, publicKey }));
  await folder.saveConfig({ ...config, ports: listeners.ports });
  // A dial right after the ready line finds it connected. Without a network it is ready all the same.
  await withTimeout(() => Promise.all([messaging.ready, embedded?.ready]), {
    timers: runtime.timers,
    ms: CONNECT_WITHIN_MS,
    code: "visor/not-connected",
    message: "Wait for the network",
  }).catch((error) => runtime.log.warn("not-connected-yet", { error: describeError(error) }));
  taken.keep();
  runtime.log.info("visor-started", { visor: shortKey(publicKey) });

  const owned = stack.move();
  return {
    ...capabilities.facets(),
    publicKey,
    ticket,
    api: control.url,
    listeners: listeners.opened,
    dial: async (remote, port, options) => await router.dial(await keys.complete(remote), port, options),
    listen: (port) => router.listen(port),
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  };
}

/** Loaded only where it is needed: most visors join a network, and need none of its services. */
async function startOwnNetwork(context: EmbeddedNetworkContext): Promise<EmbeddedNetwork> {
  return await (await import("../network/embedded_network.ts")).startEmbeddedNetwork(context);
}
