/** What each version of a tenant's schema consists of, put together from what each migration changes of it. */
import type { Catalogue } from '../../catalogue.ts';
import { CATALOGUE_CHANGES } from './catalogue.gen.ts';

/** What a migration makes and changes of the catalogue of the version before it, and what it removes. */
export interface CatalogueChange {
  sets: Readonly<Record<string, string>>;
  removes: readonly string[];
}

/** Of the databases of this version; undefined for one that is not known. */
export function catalogueOf(version: number): Catalogue | undefined {
  if (version < 1 || version > CATALOGUE_CHANGES.length) return undefined;
  const items = new Map<string, string>();
  for (const { sets, removes } of CATALOGUE_CHANGES.slice(0, version)) {
    for (const item of removes) items.delete(item);
    for (const [item, definition] of Object.entries(sets)) items.set(item, definition);
  }
  return items;
}

/** What turns the catalogue of one version into that of the next. */
export function catalogueChange(before: Catalogue, after: Catalogue): CatalogueChange {
  return {
    sets: Object.fromEntries([...after].filter(([item, definition]) => before.get(item) !== definition)),
    removes: [...before.keys()].filter((item) => !after.has(item)),
  };
}
