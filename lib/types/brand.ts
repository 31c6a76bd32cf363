/** Types that look alike at run time, told apart by the type checker. */

/** The name of the mark that a {@link Branded} type bears. No value has it: it exists for the type checker only. */
declare const brand: unique symbol;

/** A `Base` that only certain functions make, so that it cannot be mixed up with another. At run time it is a `Base`. */
export type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

export type { brand };
