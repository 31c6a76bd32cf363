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

/** The forms of `Deno.test` that this repository uses: a name and a function, or an object with both. */
function test(first: string | Deno.TestDefinition, work?: Work): void {
  if (typeof first === "string") {
    if (work === undefined) throw new TypeError(`No function for the test "${first}"`);
    define(first, limited(work));
  } else define({ ...first, fn: limited(first.fn) });
}

Object.defineProperty(Deno, "test", { value: Object.assign(test, define) });
