/** Documents that are known beforehand: where `PERSISTED_DOCUMENTS_ONLY` is set, no others are run. */
import { readFile } from 'node:fs/promises';
import {
  type ASTVisitor,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  type ValidationContext,
  validate,
} from 'graphql';
import { z } from 'zod';
import { ConfigError } from '../config.ts';
import { CONSOLE_DOCUMENTS } from './console-documents.gen.ts';
import { digestOf, operationsIn } from './document-digest.ts';

/** Names of documents by their digests. */
export type KnownDocuments = ReadonlyMap<string, string>;

/** The console's. */
export const ownDocuments: KnownDocuments = new Map(
  Object.entries(CONSOLE_DOCUMENTS).map(([name, digest]) => [digest, name]),
);

/** The console's own, and those of the operator's file. @throws {ConfigError} for a file that cannot be used. */
export async function trustedDocuments(schema: GraphQLSchema, file: string | undefined): Promise<KnownDocuments> {
  if (!file) return ownDocuments;
  const documents = await documentsIn(file);
  for (const [name, document] of documents) {
    const [problem] = validate(schema, document);
    if (problem) throw new ConfigError(`PERSISTED_DOCUMENTS: ${name || 'a document'} in ${file}: ${problem.message}`);
  }
  return new Map([...ownDocuments, ...documents.map(([name, document]) => [digestOf(document), name] as const)]);
}

/** A rule of validation, so that it is asked once a document. */
export const onlyTrusted =
  (trusted: KnownDocuments) =>
  (context: ValidationContext): ASTVisitor => ({
    Document(document) {
      if (trusted.has(digestOf(document))) return;
      context.reportError(new GraphQLError('This gateway runs only documents that it was told of before.'));
    },
  });

/** GraphQL text, or the manifest that a client's build writes: a JSON object of ids and texts. */
async function documentsIn(file: string): Promise<[string, DocumentNode][]> {
  try {
    const text = await readFile(file, 'utf8');
    if (!/^\s*\{\s*("|\})/.test(text)) return operationsIn([text]);
    return Object.values(z.record(z.string(), z.string()).parse(JSON.parse(text))).flatMap((one) =>
      operationsIn([one]),
    );
  } catch (error) {
    const reason = error instanceof z.ZodError ? 'it is no object of ids and texts' : (error as Error).message;
    throw new ConfigError(`PERSISTED_DOCUMENTS: ${file} cannot be used: ${reason}`);
  }
}
