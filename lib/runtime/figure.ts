/** How amounts are shown to people, everywhere alike. */

/**
 * An amount with three digits: nobody measures better than that, and times do not differ from view to view by how they
 * are rounded. Digits before the point are all shown.
 *
 * ```ts
 * import { formatFigure } from "./mod.ts";
 *
 * const shown = [0.654321, 4.9, 25.347, 1234.5].map(formatFigure).join(" ");
 * if (shown !== "0.654 4.9 25.3 1235") throw new Error("never");
 * ```
 */
export function formatFigure(amount: number): string {
  // What three digits round up to 100 has no place behind the point either.
  return Math.abs(amount) >= 99.95 ? amount.toFixed(0) : String(Number(amount.toPrecision(3)));
}
