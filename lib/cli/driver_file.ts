/** Transport drivers that a user names by the file of a module. Tested in tests/examples/unix_socket_driver_test.ts. */

import { RefusedError } from "../errors/mod.ts";
import type { TransportDriver } from "../transport/mod.ts";
import type { CliHost } from "./host.ts";

/** What a module may export by default instead of a driver: a function that makes one for this visor. */
export type MakeDriver = (visor: {
  /** The visor's data folder, where a driver may keep files of its own. */
  readonly dataFolder: string;
}) => TransportDriver | Promise<TransportDriver>;

/**
 * Loads a driver.
 * @throws {RefusedError} `cli/bad-module` when the file does not load, `cli/bad-driver` when it exports none
 */
export async function loadDriver(
  file: string,
  { host, dataFolder }: { readonly host: Pick<CliHost, "importModule">; readonly dataFolder: string },
): Promise<TransportDriver> {
  const exported = await host.importModule(file);
  const driver: unknown = typeof exported === "function" ? await (exported as MakeDriver)({ dataFolder }) : exported;
  if (isDriver(driver)) return driver;
  throw new RefusedError(
    "cli/bad-driver",
    `Load "${file}": wanted a default export with kind, dial and listen, or a function that makes one`,
  );
}

function isDriver(value: unknown): value is TransportDriver {
  const { kind, dial, listen } = Object(value) as Partial<Record<keyof TransportDriver, unknown>>;
  return typeof kind === "string" && typeof dial === "function" &&
    typeof listen === "function";
}
