/**
 * What a GraphQL operation may ask for, however it comes: POST, GET, WebSocket or event stream. The REST shim runs documents
 * of its own and passes none of this.
 *
 * What the document alone tells is judged by validation rules, and so once a document. What it costs depends on the sizes that
 * its variables ask for (cost.ts).
 */
import { type ASTVisitor, GraphQLError, NoSchemaIntrospectionCustomRule, type ValidationContext } from 'graphql';
import { depthLimit } from './depth-limit.ts';
import { type KnownDocuments, onlyTrusted } from './trusted-documents.ts';

/** Of a document, so that comparing its fields with each other stays quick; the largest of our own has about 300. */
export const MOST_TOKENS = 1500;

/** Of a document. Guesses and other work could be multiplied by them. */
export const MOST_ALIASES = 30;

/** What one process is told about its documents. */
export interface DocumentPolicy {
  /** Whether the schema may be asked for. */
  introspection: boolean;
  /** Where given, no others are run. */
  trusted?: KnownDocuments;
}

type Rule = (context: ValidationContext) => ASTVisitor;

/** The rules besides those of the specification. */
export const documentRules = ({ introspection, trusted }: DocumentPolicy): Rule[] => [
  depthLimit,
  aliasLimit,
  ...(introspection ? [] : [NoSchemaIntrospectionCustomRule]),
  ...(trusted ? [onlyTrusted(trusted)] : []),
];

export function aliasLimit(context: ValidationContext): ASTVisitor {
  let aliases = 0;
  return {
    Field(node) {
      if (!node.alias) return;
      aliases += 1;
      if (aliases !== MOST_ALIASES + 1) return;
      context.reportError(
        new GraphQLError(`The document has more than ${MOST_ALIASES} aliases: ask in several requests.`, {
          nodes: [node],
        }),
      );
    },
  };
}
