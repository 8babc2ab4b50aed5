/** What a query of Prometheus asks for: as much of the language as alerts and dashboards use. */

const WORDS = new Set(
  'sum min max avg count rate increase changes absent topk histogram_quantile min_over_time vector by without ignoring on or and unless le abs'.split(
    ' ',
  ),
);

/** Without texts in quotes and ranges, which are no names. */
const bare = (expr: string) => expr.replace(/"[^"]*"/g, '""').replace(/\[[^\]]*\]/g, '');

/** Names of metrics, with `_bucket`, `_sum` and `_count` of histograms. */
export function namesAsked(expr: string): string[] {
  const plain = bare(expr)
    .replace(/\{[^}]*\}/g, '')
    .replace(/\b(by|ignoring|on|without) *\([^)]*\)/g, '');
  return [...new Set(plain.match(/[a-z_:][a-z0-9_:]*/gi))].filter((word) => !WORDS.has(word));
}

/** Names of labels that are grouped by or matched. */
export function labelsAsked(expr: string): string[] {
  const grouped = [...bare(expr).matchAll(/\b(?:by|ignoring|on|without) *\(([^)]*)\)/g)].flatMap(([, list]) =>
    list!.split(','),
  );
  const matched = [...bare(expr).matchAll(/\{([^}]*)\}/g)].flatMap(([, list]) =>
    list!.split(',').map((one) => one.split(/[=!]/)[0]!),
  );
  return [...new Set([...grouped, ...matched].map((label) => label.trim()).filter(Boolean))];
}
