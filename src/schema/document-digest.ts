/** What identifies a document, however a client writes it down. */
import { createHash } from 'node:crypto';
import { concatAST, type DocumentNode, parse, print, separateOperations, visit } from 'graphql';

/** @returns each operation with the fragments that it needs, by its name. */
export const operationsIn = (texts: string[]): [string, DocumentNode][] =>
  Object.entries(separateOperations(concatAST(texts.map((text) => parse(text, { noLocation: true })))));

/** What identifies a document. Clients put `__typename` wherever they like, and fragments in any order. */
export function digestOf(document: DocumentNode): string {
  const plain = visit(document, {
    Field: ({ name, alias }) => (name.value === '__typename' && !alias ? null : undefined),
  });
  const parts = plain.definitions.map((definition) => print(definition)).sort();
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}
