/** What tests of the services share: a world without network, and ways to ask a service in process. */

import type { HttpService } from "../../../lib/services/http/mod.ts";
import { createLog, createMetrics, formatLogText, type Http, type Runtime } from "../../../lib/runtime/mod.ts";
import { monotonicMs } from "../../../lib/types/mod.ts";
import { createSeededRandom } from "../../../lib/simulation/seeded_random.ts";
import { type VectorCase, vectorCases } from "../../wire/vectors.ts";

/** A world whose wall clock stands where the test puts it and whose timers never fire by themselves. */
export interface TestWorld {
  readonly runtime: Omit<Runtime, "network">;
  /** Unix time, ns. */
  nowNanos: bigint;
  /** Lines that were logged at warn and above. */
  readonly problems: string[];
  /** Timers that are set: a leak when it is not 0 in the end. */
  readonly timerCount: number;
  /** Fires the timers that are set now. */
  fireTimers(): void;
}

/** Makes a world. `http` is what its clients speak to. */
export function makeWorld(nowNanos: bigint, http?: Http["fetch"]): TestWorld {
  const timers = new Set<() => void>();
  const problems: string[] = [];
  const clock = {
    monotonic: () => monotonicMs(Number(world.nowNanos / 1_000_000n)),
    wallMs: () => Number(world.nowNanos / 1_000_000n),
    wallNanos: () => world.nowNanos,
  };
  const world: TestWorld = {
    nowNanos,
    problems,
    get timerCount(): number {
      return timers.size;
    },
    fireTimers(): void {
      for (const timer of [...timers]) {
        timers.delete(timer);
        timer();
      }
    },
    runtime: {
      clock,
      timers: {
        after(_ms: number, callback: () => void): () => void {
          // Each timer its own object: the same callback may wait twice.
          const timer = (): void => callback();
          timers.add(timer);
          return () => void timers.delete(timer);
        },
      },
      random: createSeededRandom("services"),
      http: {
        fetch: http ?? (() => Promise.reject(new Error("This test has no network"))),
        serve: () => Promise.reject(new Error("This test has no network")),
        openSocket: () => Promise.reject(new Error("This test has no network")),
      },
      log: createLog({ level: "warn", clock, sink: (line) => problems.push(formatLogText(line)) }),
      metrics: createMetrics(),
    },
  };
  return world;
}

/** What is asked. */
export interface Question {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly contentType: string;
  readonly allow: string;
}

/** Asks a service in process. */
export async function ask(fetch: HttpService["fetch"], question: Question): Promise<Answer> {
  const { method, path, headers = {}, body = "" } = question;
  const hasBody = body.length > 0 && method !== "GET";
  const response = await fetch(
    new Request(`http://service${path}`, { method, headers, ...(hasBody ? { body } : {}) }),
    { remote: "127.0.0.1:1" },
  );
  return {
    status: response.status,
    text: await response.text(),
    contentType: response.headers.get("content-type") ?? "",
    allow: response.headers.get("allow") ?? "",
  };
}

/** The HTTP port of somebody who reaches services in process: `http://<name>/…` goes to the service of that name. */
export function httpTo(services: Readonly<Record<string, Pick<HttpService, "fetch">>>): Http["fetch"] {
  return async (request) => {
    const service = services[new URL(request.url).hostname];
    if (service === undefined) throw new Error(`No service ${request.url}`);
    return await service.fetch(request, { remote: "client:1" });
  };
}

/** The methods of an `Allow` header; their order is free. */
export function sortMethods(allow: string): string {
  return allow.split(/, */).sort().join();
}

/**
 * Defines one test per case of `api.json` whose service is in `runners`; `elsewhere` names the test that runs the cases
 * of a service. Throws for a service that nobody runs.
 */
export function testApiVectors(
  runners: Readonly<Record<string, ((data: VectorCase) => Promise<void>) | { readonly elsewhere: string }>>,
): void {
  for (const data of vectorCases("api.json")) {
    const run = data.kind === "http" ? runners[data.service] : undefined;
    if (run === undefined) throw new Error(`api.json: nobody runs "${data.name}"`);
    if (typeof run === "function") Deno.test(`api.json: ${data.name}`, () => run(data));
  }
}

/** Services of `api.json` that this project does not have. */
export const ABSENT_SERVICES: Readonly<Record<string, { readonly elsewhere: string }>> = Object.fromEntries(
  ["uptime tracker", "service discovery", "config bootstrapper", "transport setup"].map(
    (service) => [service, { elsewhere: "nowhere: the service is not built yet" }],
  ),
);
