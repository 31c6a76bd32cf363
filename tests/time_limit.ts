/**
 * Loaded before all tests (`deno task test`): a test that hangs fails after 60 s, and says so, instead of stopping all
 * others. Tests of `tests/slow/` take longer, and are not limited.
 */

const LIMIT_MS = 60_000;

type Work = (context: Deno.TestContext) => void | Promise<void>;

const define = Deno.test;

function limited(work: Work): Work {
  return async (context) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`"${context.name}" hangs: no end within ${LIMIT_MS} ms`)), LIMIT_MS);
    });
    try {
      await Promise.race([work(context), tooLate]);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** As `Deno.test` with its arguments in any of the forms that it has. */
function test(...args: readonly unknown[]): void {
  const limitedArgs = args.map((arg) => {
    if (typeof arg === "function") return limited(arg as Work);
    return isDefinition(arg) ? { ...arg, fn: limited(arg.fn) } : arg;
  });
  (define as (...args: readonly unknown[]) => void)(...limitedArgs);
}

function isDefinition(arg: unknown): arg is { readonly fn: Work } {
  return typeof arg === "object" && arg !== null && "fn" in arg;
}

Object.defineProperty(Deno, "test", { value: Object.assign(test, define) });
