/**
 * What an app is. Its network is a `KeyedNetwork`: an app listens on ports of its visor and dials ports of others, and need
 * not know whether it is one of ours or somebody else's.
 */

import type { Port } from "../types/mod.ts";

/** What a running app is told and tells. */
export interface AppContext {
  /** Aborts when the app is to end. */
  readonly signal: AbortSignal;
  /** To be called once the app does its work. */
  ready(): void;
}

/** A program on the visor. */
export interface App {
  /** How the command line calls it; unique in its launcher. */
  readonly name: string;
  /** The port it serves, or the one it dials. */
  readonly port: Port;
  /**
   * Does the app's work until the signal aborts, and gives back everything it took before it ends. Can be called again
   * after it has ended.
   * @throws whatever makes it fail; the launcher runs it again
   */
  run(context: AppContext): Promise<void>;
}
