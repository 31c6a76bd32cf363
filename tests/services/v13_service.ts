/**
 * A service of v1.3 that does not run here, as far as its clients see it, on a real socket: it hands out nonces, checks
 * signatures, and remembers what it was asked.
 */

import assert from "node:assert/strict";
import type { PublicKey, Signature } from "../../lib/types/mod.ts";
import { AUTH_HEADERS, verifyAuth } from "../../lib/wire/http_auth.ts";

/** One request; `signer` is absent when it was not signed. */
export interface V13Request {
  readonly method: string;
  readonly path: string;
  readonly signer?: string;
  readonly body: string;
}

/** A running service. */
export interface V13Service extends AsyncDisposable {
  readonly url: string;
  /** In the order in which they came, but for those for nonces. */
  readonly requests: readonly V13Request[];
}

/** Starts a service that answers so. */
export async function startV13Service(answer: (request: V13Request) => Response): Promise<V13Service> {
  const requests: V13Request[] = [];
  let nonce = 7n;
  const { promise, resolve } = Promise.withResolvers<Deno.NetAddr>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: resolve }, async (raw) => {
    const { pathname, search } = new URL(raw.url);
    if (pathname.startsWith("/security/nonces/")) {
      return new Response(`{"edge":"${pathname.split("/").at(-1)}","next_nonce":${nonce}}`);
    }
    const body = new Uint8Array(await raw.arrayBuffer());
    const signer = raw.headers.get(AUTH_HEADERS.publicKey) ?? undefined;
    if (signer !== undefined) {
      assert.equal(raw.headers.get(AUTH_HEADERS.nonce), String(nonce));
      const signature = raw.headers.get(AUTH_HEADERS.signature) as Signature;
      assert.ok(verifyAuth({ body, nonce }, { key: signer as PublicKey, signature }));
    }
    const request = {
      method: raw.method,
      path: pathname + search,
      ...(signer !== undefined && { signer }),
      body: new TextDecoder().decode(body),
    };
    requests.push(request);
    const answered = answer(request);
    if (signer !== undefined && answered.status === 200) nonce++;
    return answered;
  });
  const { port } = await promise;
  return { url: `http://127.0.0.1:${port}`, requests, [Symbol.asyncDispose]: () => server.shutdown() };
}
