import assert from "node:assert/strict";
import { sha256, sign } from "../../lib/core/mod.ts";
import { parseHex, SecretKey } from "../../lib/types/mod.ts";
import { authHeaders, signedPayload, verifyAuth, verifyMonitor } from "../../lib/wire/http_auth.ts";
import { testVectors } from "./vectors.ts";

testVectors("httpauth.json", {
  sign(data): void {
    const payload = { body: parseHex(data.body), nonce: BigInt(data.nonce) };
    assert.equal(signedPayload(payload).toHex(), data.signed_payload);
    assert.equal(sha256(signedPayload(payload)).toHex(), data.digest);
    assert.ok(verifyAuth(payload, { key: data.public, signature: data.signature }));
    assert.ok(!verifyAuth({ ...payload, nonce: payload.nonce ^ 1n }, { key: data.public, signature: data.signature }));
    const ours = authHeaders(payload, new SecretKey(parseHex(data.secret)));
    assert.deepEqual({ ...ours, "SW-Sig": "" }, { ...data.headers, "SW-Sig": "" });
    assert.ok(verifyAuth(payload, { key: data.public, signature: ours["SW-Sig"] as typeof data.signature }));
  },
  network_monitor(data): void {
    assert.equal(new TextEncoder().encode(data.public).toHex(), data.signed_payload);
    assert.ok(verifyMonitor(data.public, data.headers["NM-Sign"]));
    assert.ok(
      verifyMonitor(data.public, sign(new TextEncoder().encode(data.public), new SecretKey(parseHex(data.secret)))),
    );
  },
  client: { elsewhere: "tests/services/http/auth_test.ts" },
  server: { elsewhere: "tests/services/http/auth_test.ts" },
});
