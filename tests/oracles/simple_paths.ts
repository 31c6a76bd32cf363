/** Every path without loops, by trying everything: slow, and obviously right. For graphs of a dozen visors. */

/**
 * All paths within the limits, the shortest first.
 * @param edges pairs of neighbours
 * @param query where from, where to, and how many hops
 */
export function allSimplePaths(
  edges: readonly (readonly [number, number])[],
  query: { readonly source: number; readonly destination: number; readonly minHops: number; readonly maxHops: number },
): number[][] {
  const { source, destination, minHops, maxHops } = query;
  const found: number[][] = [];
  const walk = (path: number[]): void => {
    const last = path.at(-1);
    if (last === destination) {
      if (path.length - 1 >= minHops && path.length - 1 <= maxHops) found.push(path);
      return;
    }
    for (const [a, b] of edges) {
      const next = a === last ? b : b === last ? a : undefined;
      if (next !== undefined && !path.includes(next)) walk([...path, next]);
    }
  };
  walk([source]);
  return found.sort((a, b) => a.length - b.length);
}

/** Is there a way at all? */
export function isConnected(
  edges: readonly (readonly [number, number])[],
  { source, destination }: { readonly source: number; readonly destination: number },
): boolean {
  const reached = new Set([source]);
  for (let before = 0; before !== reached.size;) {
    before = reached.size;
    for (const [a, b] of edges) {
      if (reached.has(a)) reached.add(b);
      if (reached.has(b)) reached.add(a);
    }
  }
  return reached.has(destination);
}
