/** Types that look alike at run time, told apart by the type checker. */

/** The member that marks a {@link Branded} type. It exists for the type checker only: no value has it. */
declare const brand: unique symbol;

/** A `Base` that only certain functions make, so the type checker does not mix it up with others. At run time it is a `Base`. */
export type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

export type { brand };
