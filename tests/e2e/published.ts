/** Waits for what programs do in the background. */

import { createDenoRuntime } from "../../lib/runtime/deno/mod.ts";

/** Waits until a client has told the discovery how it is reached. @param url of the messaging discovery */
export async function published(url: string, key: string): Promise<void> {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const isThere = async (): Promise<boolean> => {
    const { status, body } = await runtime.http.fetch(new Request(`${url}/dmsg-discovery/entry/${key}`));
    await body?.cancel();
    return status === 200;
  };
  while (!await isThere());
}
