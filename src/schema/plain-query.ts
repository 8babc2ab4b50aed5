/** Queries that one resolver answers: what its root field gives holds all that the document asks for. */
import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import type { Context } from '../context.ts';
import { answerBuilder, NotCarried, type Spelling } from './answer-builder.ts';
import type { Member } from './document-shape.ts';
import { RootField } from './root-field.ts';

export class PlainQuery {
  readonly #root: RootField;
  readonly #build: (value: unknown) => unknown;
  #fits = true;

  private constructor(root: RootField, spelling: Spelling) {
    this.#root = root;
    this.#build = answerBuilder(root.member, spelling);
  }

  /** @returns undefined for a document that has to be executed. */
  static of(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    spelling: Spelling,
  ): PlainQuery | undefined {
    try {
      return new PlainQuery(new RootField(schema, document, operation), spelling);
    } catch {
      return undefined;
    }
  }

  get root(): Member {
    return this.#root.member;
  }

  /**
   * @returns the root field's value as it is sent; undefined where the document has to be executed after all. Where that is because a
   * resolver has to be asked for a part of it, it is not tried again.
   * @throws what the resolver throws.
   */
  async answer(ctx: Context, variables: Record<string, unknown>): Promise<{ value: unknown } | undefined> {
    const ask = this.#fits ? this.#root.asking(variables) : undefined;
    if (!ask) return undefined;
    const value = await ask(ctx);
    try {
      return { value: this.#build(value) };
    } catch (error) {
      if (error instanceof NotCarried) this.#fits = false;
      return undefined;
    }
  }
}
