/** What a query asks for, so that a resolver reads no more than that. */
import type { FieldNode, GraphQLResolveInfo, SelectionSetNode } from 'graphql';

/** Whether the selection beneath a field has this path, such as `['nodes', 'usage']`, fragments included. */
export function selects(info: GraphQLResolveInfo, path: readonly string[]): boolean {
  const within = (set: SelectionSetNode | undefined, [name, ...rest]: readonly string[]): boolean =>
    !!set?.selections.some((selection) => {
      if (selection.kind === 'InlineFragment') return within(selection.selectionSet, [name!, ...rest]);
      if (selection.kind === 'FragmentSpread') {
        return within(info.fragments[selection.name.value]?.selectionSet, [name!, ...rest]);
      }
      return selection.name.value === name && (rest.length === 0 || within(selection.selectionSet, rest));
    });
  return info.fieldNodes.some((node: FieldNode) => within(node.selectionSet, path));
}
