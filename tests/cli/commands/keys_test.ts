import assert from "node:assert/strict";
import { publicKeyOf } from "../../../lib/core/mod.ts";
import { parseHex, SecretKey } from "../../../lib/types/mod.ts";
import { commandTest } from "./two_visors.ts";

commandTest("skywire keys gen prints a pair, another one each time", async ({ run, json }) => {
  const pair = await json("keys", "gen");
  using secret = new SecretKey(parseHex(pair.secretKey));
  assert.equal(publicKeyOf(secret), pair.publicKey);
  assert.notEqual((await json("keys", "gen")).secretKey, pair.secretKey);
  assert.match((await run("keys", "gen")).out, /^public key {2}0[23][0-9a-f]{64}\nsecret key {2}[0-9a-f]{64}$/);
});
