/**
 * Talks to a running visor: finds its control API through the data folder and asks it. The folder holds the API's
 * address and token, readable by its owner only.
 */

import * as v from "valibot";
import { parseWith } from "../check/mod.ts";
import { hasCode, RefusedError, UnavailableError } from "../errors/mod.ts";
import { CONTROL_FILE, controlFileSchema } from "../visor/control/file.ts";
import type { ContentOperation, Operation } from "../visor/control/operation.ts";
import { type CommonOptions, dataFolder, logLevel } from "./command.ts";
import type { CliHost } from "./host.ts";
import { shellWord } from "./shell_word.ts";
import { withProgress } from "./progress.ts";

/** Requests to one visor. Every method throws what the visor answered as error. */
export interface ControlClient {
  /** Does a key, or the first digits of one, mean this visor itself? */
  readonly isOwnKey: (text: string) => boolean;
  /** Asks for what is answered with JSON. */
  ask<Input, Body, Answer>(
    operation: Operation<Input, Body, Answer>,
    ...request: [Input] extends [never] ? [ControlRequest<never>?] : [ControlRequest<Input> & { readonly body: Input }]
  ): Promise<Answer>;
  /** Asks for content, which comes bit by bit. */
  stream<Input>(operation: ContentOperation<Input>, request: { readonly body: Input }): Promise<Response>;
}

/** What is sent, and how long it should take. */
export interface ControlRequest<Input> {
  /** As the operation describes it. */
  readonly body?: Input;
  /** The parts of the path, by name. */
  readonly params?: Readonly<Record<string, string>>;
  /** For what is shown meanwhile, ms. */
  readonly expectedMs?: number;
}

type AnyOperation = Operation<unknown, unknown, unknown>;

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
    throw hasCode(cause, "cli/no-such-file") ? notRunning(folder, host) : cause;
  });
  const control = parseWith(controlFileSchema, { text, name: CONTROL_FILE });

  const send = async (operation: AnyOperation, { body, params }: ControlRequest<unknown>): Promise<Response> => {
    const request = new Request(control.url + pathOf(operation, params), {
      method: operation.method,
      headers: { authorization: `Bearer ${control.token}`, "content-type": "application/json" },
      signal: host.interrupted,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const response = await http.fetch(request).catch((cause) => {
      host.interrupted.throwIfAborted();
      throw notRunning(folder, host, cause);
    });
    if (response.ok) return response;
    const answer = await response.json().catch(() => undefined);
    const parsed = v.safeParse(errorSchema, answer);
    // A visor that was killed leaves its file behind, and by now another program has its port.
    if (!parsed.success || response.status === 401) throw notRunning(folder, host);
    const { code, message, details } = parsed.output.error;
    throw new RefusedError(code, message, details === undefined ? {} : { details });
  };
  const ask = async (operation: AnyOperation, request: ControlRequest<unknown>): Promise<unknown> => {
    const response = await send(operation, request);
    return await response.json().catch((cause) => {
      host.interrupted.throwIfAborted();
      throw notRunning(folder, host, cause);
    });
  };
  const isShown = !options.json && !options.quiet;
  return {
    isOwnKey: (text) => control.publicKey?.startsWith(text.toLowerCase()) ?? false,
    ask: (operation, request = {}) => {
      const work = ask(operation, request) as Promise<never>;
      const { expectedMs } = request;
      return isShown ? withProgress(work, { timers, show: host.showProgress, expectedMs }) : work;
    },
    // It shows its content as it comes.
    stream: (operation, request) => send(operation, request),
  };
}

/** The path of an operation with its parts filled in. */
function pathOf({ path }: AnyOperation, params: Readonly<Record<string, string>> = {}): string {
  return path.replace(/:([a-z]+)/gi, (_, name) => encodeURIComponent(params[name] ?? ""));
}

function notRunning(folder: string, { program }: CliHost, cause?: unknown): UnavailableError {
  return new UnavailableError(
    "visor/not-running",
    `Find the visor: none runs on "${folder}"; start it with: ${program} visor --data ${shellWord(folder)}`,
    { cause, details: { data: folder } },
  );
}
