/** Access by index where the index is known to be good. */

/**
 * The element at an index, where the code knows that there is one: in place of asserting it with `!`, which would hide a mistake
 * until much later. Slow paths and tests use it; so do hot loops, since V8 inlines it.
 * @param list an array, typed array or text
 * @param index from 0 on; negative: from the end
 * @throws {RangeError} when there is no such element, or it is undefined
 */
export function at<T>(list: ArrayLike<T>, index: number): T {
  const value = list[index < 0 ? list.length + index : index];
  if (value === undefined) throw new RangeError(`No element ${index} in a list of ${list.length}`);
  return value;
}
