/** Refuses operations that are nested deeper than any use of this schema needs. */
import {
  type ASTVisitor,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';

/** Levels of fields; the deepest of our own have seven. The schema's description of itself is not counted. */
export const MOST_LEVELS = 12;

export function depthLimit(context: ValidationContext): ASTVisitor {
  /** Each is counted once, however often it is spread; one within itself is another rule's. */
  const known = new Map<FragmentDefinitionNode, number>();

  function levels({ selections }: SelectionSetNode): number {
    let deepest = 0;
    for (const selection of selections) deepest = Math.max(deepest, below(selection));
    return deepest;
  }

  function below(selection: SelectionNode): number {
    if (selection.kind === Kind.FIELD) {
      if (selection.name.value.startsWith('__')) return 0;
      return 1 + (selection.selectionSet ? levels(selection.selectionSet) : 0);
    }
    if (selection.kind === Kind.INLINE_FRAGMENT) return levels(selection.selectionSet);
    const fragment = context.getFragment(selection.name.value);
    if (!fragment) return 0;
    if (!known.has(fragment)) {
      known.set(fragment, 0);
      known.set(fragment, levels(fragment.selectionSet));
    }
    return known.get(fragment)!;
  }

  return {
    OperationDefinition(node) {
      if (levels(node.selectionSet) <= MOST_LEVELS) return;
      context.reportError(
        new GraphQLError(`The operation is nested deeper than ${MOST_LEVELS} levels.`, { nodes: [node] }),
      );
    },
  };
}
