/** The responder of a settlement that takes every request. */

import { receiveSettlement } from "../../lib/transport/settlement.ts";
import type { Settlement, SettlementOptions } from "../../lib/transport/settlement.ts";
import type { SecureLink } from "../../lib/links/secure_link.ts";

/** Reads, checks and accepts. */
export async function acceptSettlement(secure: SecureLink, options: SettlementOptions): Promise<Settlement> {
  using request = await receiveSettlement(secure, options);
  return await request.accept();
}
