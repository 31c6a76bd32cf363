/** The status over the control API. Tested in tests/visor/control/api_test.ts. */

import { answer, type ControlRoute, operation } from "../control/operation.ts";
import type { StatusPart } from "./part.ts";
import { statusSchema } from "./view.ts";

/** `status` */
export const STATUS = operation({
  method: "GET",
  path: "/v1/status",
  summary: "How the visor does, and each part that it depends on",
  answer: statusSchema,
});

/** The route of the operation. */
export function statusRoutes(part: StatusPart): ControlRoute[] {
  return [answer(STATUS, () => part.report())];
}
