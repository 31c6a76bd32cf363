/** The capabilities of one visor, put together: their parts, what `Visor` shows of them, and their routes. */

import * as capabilities from "./capabilities.ts";
import type { Capability, CapabilityPart, VisorContext } from "./capability.ts";
import type { ControlRoute } from "./control/operation.ts";

/** What `Visor` shows of its capabilities, each under its name. */
export type VisorFacets = {
  readonly [Name in keyof typeof capabilities]: ReturnType<(typeof capabilities)[Name]["makeFacet"]>;
};

type AnyCapability = Capability<object, unknown>;

/** All parts. Disposing ends them, the last one first. */
export class CapabilityParts implements AsyncDisposable {
  readonly #context: VisorContext;
  readonly #parts = new Map<AnyCapability, CapabilityPart>();
  readonly #stack = new AsyncDisposableStack();

  /** Makes the parts of all capabilities. */
  constructor(context: Omit<VisorContext, "partOf">) {
    this.#context = { ...context, partOf: (capability) => this.#partOf(capability) };
    for (const capability of Object.values<AnyCapability>(capabilities)) this.#partOf(capability);
  }

  /** Brings back what the data folder keeps. */
  async restore(): Promise<void> {
    for (const part of this.#parts.values()) await part.restore?.();
  }

  /** What `Visor` shows. */
  facets(): VisorFacets {
    const facets = Object.entries<AnyCapability>(capabilities).map(([name, capability]) => [
      name,
      capability.makeFacet(this.#partOf(capability), this.#context.keys),
    ]);
    return Object.fromEntries(facets);
  }

  /** The routes of the control API. */
  routes(): ControlRoute[] {
    return Object.values<AnyCapability>(capabilities).flatMap((capability) =>
      capability.makeRoutes(this.#partOf(capability), this.#context.keys)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  #partOf<Part extends object>(capability: Capability<Part, unknown>): Part {
    const known = this.#parts.get(capability);
    if (known !== undefined) return known as Part;
    const part = capability.makePart(this.#context);
    this.#parts.set(capability, part);
    this.#stack.defer(async () => {
      part[Symbol.dispose]?.();
      await part[Symbol.asyncDispose]?.();
    });
    return part;
  }
}
