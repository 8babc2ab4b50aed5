/** The places in pages of docs/ that commands fill with what they have measured. */

/** @param parts by the names of their places in the page. @throws where the page has lost one of them. */
export function fillPlaces(page: string, parts: Record<string, string>, name: string): string {
  return Object.entries(parts).reduce((text, [part, content]) => {
    const place = new RegExp(`(<!-- ${part}: .*-->\n)[\\s\\S]*?(<!-- end of ${part} -->)`);
    if (!place.test(text)) throw new Error(`${name} has lost the place of its ${part}`);
    return text.replace(place, (_, start, end) => `${start}${content}\n${end}`);
  }, page);
}

const row = (cells: string[]) => `| ${cells.join(' | ')} |`;

export function table(head: string[], rows: string[][]): string {
  return [row(head), row(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n');
}
