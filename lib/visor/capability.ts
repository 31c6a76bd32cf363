/**
 * What a capability of the visor is: a part that does the work, what `Visor` shows of it, and its routes of the control
 * API. Each has a folder of its own, with a line in `capabilities.ts`.
 * Tested in tests/visor/facets_test.ts.
 */

import type { NetworkConfig } from "../network/mod.ts";
import type { Runtime, Storage } from "../runtime/mod.ts";
import type { PublicKey } from "../types/mod.ts";
import type { ControlRoute } from "./control/operation.ts";
import type { KeptDocument } from "./kept_document.ts";
import type { KeyBook } from "./key_book.ts";
import type { VisorParts } from "./parts.ts";
import type { WantedTransport } from "./transports/wanted.ts";

/** One capability. */
export interface Capability<Part extends object, Facet> {
  /** Makes the part of what it needs from the visor. */
  makePart(visor: VisorContext): Part & CapabilityPart;
  /** What `Visor` shows of it, under the name of the capability. A key that a program gives may be short, or a name. */
  makeFacet(part: Part, keys: KeyBook): Facet;
  /** Its routes of the control API. */
  makeRoutes(part: Part, keys: KeyBook): readonly ControlRoute[];
}

/** What does the work of a capability. Knows no HTTP. */
export interface CapabilityPart extends Partial<AsyncDisposable>, Partial<Disposable> {
  /** Brings back what the data folder keeps. Called once, when all parts are there. */
  restore?(): Promise<void>;
}

/** The visor, as capabilities see it. Each takes what its part needs by name. */
export interface VisorContext extends
  Pick<
    VisorParts,
    "messaging" | "http" | "discovery" | "table" | "router" | "routeFinder" | "binding" | "automatic"
  > {
  readonly runtime: Runtime;
  /** The data folder, for what the capability keeps; see `KeptDocument`. */
  readonly storage: Storage;
  readonly publicKey: PublicKey;
  /** Its URLs as this process reaches them. */
  readonly network: NetworkConfig;
  /** The transports that are kept up. */
  readonly wanted: KeptDocument<readonly WantedTransport[]>;
  /** Completes keys. */
  readonly keys: KeyBook;
  /** The part of another capability, made first if it was not. */
  readonly partOf: <Part extends object>(capability: Capability<Part, unknown>) => Part;
}
