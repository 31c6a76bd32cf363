/** Apps over the control API. Tested in tests/visor/control/api_test.ts. */

import * as v from "valibot";
import { answer, type ControlRoute, operation } from "../control/operation.ts";
import type { AppsPart } from "./part.ts";
import { appSchema } from "./view.ts";

const apps = v.object({ apps: v.array(appSchema) });

/** `app ls` */
export const LIST_APPS = operation({
  method: "GET",
  path: "/v1/apps",
  summary: "The apps of this visor, stopped ones included",
  answer: apps,
});

/** `app start` */
export const START_APP = operation({
  method: "POST",
  path: "/v1/apps/:name/start",
  summary: "Starts an app; harmless when it has been started",
  answer: apps,
});

/** `app stop` */
export const STOP_APP = operation({
  method: "POST",
  path: "/v1/apps/:name/stop",
  summary: "Stops an app, over restarts too",
  answer: apps,
});

/** The routes of these operations. */
export function appRoutes(part: AppsPart): ControlRoute[] {
  return [
    answer(LIST_APPS, () => ({ apps: part.list() })),
    answer(START_APP, async (call) => {
      await part.start(call.param("name"));
      return { apps: part.list() };
    }),
    answer(STOP_APP, async (call) => {
      await part.stop(call.param("name"));
      return { apps: part.list() };
    }),
  ];
}
