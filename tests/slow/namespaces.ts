/**
 * Hosts of a test, as network namespaces that the test makes and removes itself. Needs root and `ip`; NAT needs `nft`.
 * Nothing of it touches the machine's own network.
 */

import assert from "node:assert/strict";

/** Why such tests cannot run here; undefined: they can. */
export async function namespacesMissing(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "network namespaces are Linux's";
  if (Deno.uid() !== 0) return "network namespaces need root";
  for (const tool of ["ip", "nft"]) {
    const found = await new Deno.Command(tool, { args: ["-V"], stdout: "null", stderr: "null" }).output().catch(
      () => {},
    );
    if (found === undefined) return `${tool} is not installed`;
  }
  return undefined;
}

/** The hosts of one test, by short name. Disposing removes them with all that runs in them. */
export class Hosts implements AsyncDisposable {
  readonly #prefix = `sky${Deno.pid}`;
  readonly #names = new Set<string>();

  /** The namespace of a host. */
  namespace(host: string): string {
    return `${this.#prefix}-${host}`;
  }

  /** Makes a host with loopback up. */
  async add(host: string): Promise<void> {
    await run("ip", "netns", "add", this.namespace(host));
    this.#names.add(host);
    await this.run(host, "ip", "link", "set", "lo", "up");
  }

  /** Runs a command on a host to its end. */
  run(host: string, ...argv: readonly string[]): Promise<string> {
    return run("ip", "netns", "exec", this.namespace(host), ...argv);
  }

  /** Joins two hosts by a cable; each end gets a name and, unless it goes into a bridge, an address. */
  async cable(
    a: { readonly host: string; readonly device: string; readonly address?: string },
    b: { readonly host: string; readonly device: string; readonly address?: string },
  ): Promise<void> {
    await run(
      ...["ip", "link", "add", a.device, "netns", this.namespace(a.host), "type", "veth"] as const,
      ...["peer", "name", b.device, "netns", this.namespace(b.host)],
    );
    for (const { host, device, address } of [a, b]) {
      if (address !== undefined) await this.run(host, "ip", "addr", "add", address, "dev", device);
      await this.run(host, "ip", "link", "set", device, "up");
    }
  }

  /** The command line that runs something on a host. */
  argv(host: string, ...argv: readonly string[]): string[] {
    return ["ip", "netns", "exec", this.namespace(host), ...argv];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#names) await run("ip", "netns", "del", this.namespace(name)).catch(() => {});
  }
}

async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  assert.ok(success, `${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
