/**
 * Serves the control API on loopback and leaves its address and token in the data folder.
 * Tested in tests/cli/control_client_test.ts.
 */

import type { Runtime } from "../../runtime/mod.ts";
import { formatHex, type PublicKey } from "../../types/mod.ts";
import { createControlApi } from "./api.ts";
import type { ControlRoute } from "./operation.ts";
import type { DataFolder } from "../data_folder.ts";
import type { Listeners } from "../../network/listeners.ts";

/** 128 bits: nobody guesses it. */
const TOKEN_BYTES = 16;

/** Starts it. Disposing stops it and removes its address from the folder. */
export async function startControlServer(
  routes: readonly ControlRoute[],
  context: {
    readonly runtime: Runtime;
    readonly folder: DataFolder;
    readonly listeners: Listeners;
    readonly publicKey: PublicKey;
  },
): Promise<{ readonly url: string } & AsyncDisposable> {
  const { runtime, folder, listeners, publicKey } = context;
  const token = formatHex(runtime.random.bytes(TOKEN_BYTES));
  const api = createControlApi(routes, { runtime, token });
  const server = await listeners.open("api", (address) => runtime.http.serve(address, api.fetch));
  await folder.saveControl({ url: server.url, token, publicKey });
  return {
    url: server.url,
    [Symbol.asyncDispose]: async () => {
      // The server waits for answers that go on.
      await api.close();
      await folder.removeControl();
      await server.close();
    },
  };
}
