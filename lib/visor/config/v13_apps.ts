/**
 * The apps in a v1.3 configuration file (visor-and-apps.md §1.2, §2.2): those that this program has itself, and the rest.
 * Tested in tests/visor/config/v13_config_test.ts.
 */

import * as v from "valibot";
import { parseAddress } from "../../runtime/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import { publicKeySchema } from "../../check/mod.ts";

/** One element of `launcher.apps`. */
export interface V13App {
  /** Its own, unique. */
  readonly name: string;
  /** The program's file. */
  readonly binary?: string | undefined;
  /** In the merged program, `app` and which one come first. */
  readonly args?: readonly string[] | null | undefined;
  /** Starts with the visor? */
  readonly auto_start?: boolean | undefined;
  /** Where it listens, 0–65535. */
  readonly port?: number | undefined;
}

/** Checks one element. */
export const v13AppSchema: v.GenericSchema<unknown, V13App> = v.looseObject({
  name: v.string(),
  binary: v.optional(v.string()),
  args: v.nullish(v.array(v.string())),
  auto_start: v.optional(v.boolean()),
  port: v.optional(v.number()),
});

/** The SOCKS apps of a file. */
export interface V13Proxies {
  /** The server. In v1.3 it reaches every address; here public ones only. */
  readonly server?: { readonly passcode?: string | undefined; readonly stopped: boolean } | undefined;
  /** The clients, with their local addresses, `host:port`. */
  readonly clients: readonly { readonly to: PublicKey; readonly listen: string; readonly stopped: boolean }[];
}

/** The only port of the app `skysocks` that its clients know. */
const SOCKS_PORT = 3;

/** The flags of each app that are understood. */
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  "skysocks": ["passcode"],
  "skysocks-client": ["srv", "addr"],
};

/**
 * Sorts the apps out.
 * @param apps of the file
 * @returns the proxies; `unsupported` names other apps as `launcher.apps.NAME`, flags as `launcher.apps.NAME --flag`, and
 *   what a proxy does not do in brackets behind
 */
export function readV13Apps(apps: readonly V13App[]): V13Proxies & { readonly unsupported: readonly string[] } {
  let server: V13Proxies["server"];
  const clients: V13Proxies["clients"][number][] = [];
  const unsupported: string[] = [];
  for (const app of apps) {
    const path = `launcher.apps.${app.name}`;
    const args = app.args ?? [];
    const [program = "", ...rest] = args[0] === "app" ? args.slice(1) : [app.binary ?? "", ...args];
    const known = FLAGS[program];
    if (known === undefined || (program === "skysocks" && (app.port ?? SOCKS_PORT) !== SOCKS_PORT)) {
      unsupported.push(path);
      continue;
    }
    const flags = readFlags(rest);
    for (const name of flags.keys()) if (!known.includes(name)) unsupported.push(`${path} --${name}`);
    const stopped = app.auto_start !== true;
    if (program === "skysocks") {
      server = { passcode: flags.get("passcode") || undefined, stopped };
      unsupported.push(`${path} (destinations that are not public)`);
      continue;
    }
    const to = v.safeParse(publicKeySchema, flags.get("srv") ?? "");
    const listen = parseAddress(flags.get("addr") || ":1080");
    // Without a server it does not start in v1.3 either, until the user names one.
    if (!to.success || listen === undefined) unsupported.push(path);
    else {
      // v1.3 would listen on all interfaces, and so let everybody near through.
      if (listen.host === "") unsupported.push(`${path} --addr (other interfaces than loopback)`);
      clients.push({ to: to.output, listen: `${listen.host || "127.0.0.1"}:${listen.port}`, stopped });
    }
  }
  return { server, clients, unsupported };
}

/** `--name value` or `--name=value`, with one dash alike. */
function readFlags(args: readonly string[]): Map<string, string> {
  const flags = new Map<string, string>();
  let open: string | undefined;
  for (const arg of args) {
    const match = /^--?([a-z][\w-]*)(?:=(.*))?$/s.exec(arg);
    if (match === null) {
      if (open !== undefined) flags.set(open, arg);
      open = undefined;
      continue;
    }
    const [, name = "", value] = match;
    flags.set(name, value ?? "");
    open = value === undefined ? name : undefined;
  }
  return flags;
}
