/**
 * What tells this machine's loopback from those of others: the machine, and on Linux the network namespace, since each has
 * a loopback of its own. Tested in tests/runtime/deno/network_test.ts.
 */

const MACHINE_ID = "/etc/machine-id";
const NAMESPACE = "/proc/self/ns/net";

/** @returns undefined where the system or the permissions do not let it be known */
export async function loopbackName(): Promise<string | undefined> {
  const isLinux = Deno.build.os === "linux";
  const machine = (isLinux ? await ifGranted(MACHINE_ID, Deno.readTextFile) : undefined) ?? await hostName();
  if (machine === undefined) return undefined;
  const namespace = isLinux ? await ifGranted(NAMESPACE, Deno.readLink) : undefined;
  return [machine.trim(), namespace].join(" ");
}

/** To ask the user for a permission would be too much. */
async function ifGranted(path: string, read: (path: string) => Promise<string>): Promise<string | undefined> {
  const { state } = await Deno.permissions.query({ name: "read", path });
  return state === "granted" ? await read(path).catch(() => undefined) : undefined;
}

async function hostName(): Promise<string | undefined> {
  const { state } = await Deno.permissions.query({ name: "sys", kind: "hostname" });
  return state === "granted" ? Deno.hostname() : undefined;
}
