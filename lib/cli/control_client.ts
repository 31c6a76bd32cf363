/**
 * Talks to a running visor: finds its control API through the data folder and asks it. The folder holds the API's
 * address and token, readable by its owner only.
 */

import * as v from "valibot";
import { parseWith } from "../check/mod.ts";
import { hasCode, RefusedError, UnavailableError } from "../errors/mod.ts";
import { CONTROL_FILE, controlFileSchema } from "../visor/mod.ts";
import { type CommonOptions, dataFolder, logLevel } from "./command.ts";
import type { CliHost } from "./host.ts";
import { withProgress } from "./progress.ts";

/** Requests to one visor. Every method throws what the visor answered as error. */
export interface ControlClient {
  get<T>(path: string): Promise<T>;
  /** @param options how long it should take, for what is shown meanwhile */
  post<T>(path: string, body: unknown, options?: { readonly expectedMs?: number }): Promise<T>;
  remove<T>(path: string): Promise<T>;
  /** As {@link ControlClient.post}, for an answer that is content and comes bit by bit. */
  stream(path: string, body: unknown): Promise<Response>;
}

const errorSchema = v.object({
  error: v.object({
    code: v.string(),
    message: v.string(),
    details: v.optional(v.record(v.string(), v.unknown())),
  }),
});

/**
 * Finds the visor of the data folder that the options name.
 * @throws {UnavailableError} `visor/not-running`
 */
export async function connectToVisor(options: CommonOptions, host: CliHost): Promise<ControlClient> {
  const folder = dataFolder(options, host);
  const { http, timers } = host.createRuntime({ logLevel: logLevel(options, "warn") });
  const text = await host.readFile(`${folder}/${CONTROL_FILE}`).catch((cause) => {
    throw hasCode(cause, "cli/no-such-file") ? notRunning(folder) : cause;
  });
  const control = parseWith(controlFileSchema, { text, name: CONTROL_FILE });

  const send = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const request = new Request(control.url + path, {
      method,
      headers: { authorization: `Bearer ${control.token}`, "content-type": "application/json" },
      signal: host.interrupted,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const response = await http.fetch(request).catch((cause) => {
      host.interrupted.throwIfAborted();
      throw notRunning(folder, cause);
    });
    if (response.ok) return response;
    const answer = await response.json().catch(() => undefined);
    const parsed = v.safeParse(errorSchema, answer);
    // A visor that was killed leaves its file behind, and by now another program has its port.
    if (!parsed.success || response.status === 401) throw notRunning(folder);
    const { code, message, details } = parsed.output.error;
    throw new RefusedError(code, message, details === undefined ? {} : { details });
  };
  const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await send(method, path, body);
    return await response.json().catch((cause) => {
      throw notRunning(folder, cause);
    }) as T;
  };
  const isShown = !options.json && !options.quiet;
  const shown = <T>(work: Promise<T>, expectedMs?: number): Promise<T> =>
    isShown ? withProgress(work, { timers, show: host.showProgress, expectedMs }) : work;
  return {
    get: (path) => shown(ask("GET", path)),
    post: (path, body, { expectedMs } = {}) => shown(ask("POST", path, body), expectedMs),
    remove: (path) => shown(ask("DELETE", path)),
    // It shows its content as it comes.
    stream: (path, body) => send("POST", path, body),
  };
}

function notRunning(folder: string, cause?: unknown): UnavailableError {
  return new UnavailableError(
    "visor/not-running",
    `Find the visor: none runs on "${folder}"; start it with: skywire visor --data "${folder}"`,
    { cause, details: { data: folder } },
  );
}
