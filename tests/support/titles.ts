/** The titles of the tests of a suite, as its syntax says, not as its text looks. */
import { type CallExpression, type Expression, parse } from '@swc/core';

/** The calls that make a test: `test(title, …)`, `test.each(table)(title, …)`, and `testIf` (available.ts). */
function makesTest(callee: CallExpression['callee'] | Expression): boolean {
  if (callee.type === 'Identifier') return callee.value === 'test' || callee.value === 'testIf';
  if (callee.type !== 'CallExpression' && callee.type !== 'TaggedTemplateExpression') return false;
  const table = callee.type === 'CallExpression' ? callee.callee : callee.tag;
  if (table.type !== 'MemberExpression' || table.property.type !== 'Identifier') return false;
  // Not `skip` or `todo`: those prove nothing.
  return table.property.value === 'each' && table.object.type === 'Identifier' && table.object.value === 'test';
}

/** `describe.skip(title, suite)`, also with `.each(table)`: what is in it proves nothing. */
function leavesOut(callee: CallExpression['callee'] | Expression): boolean {
  if (callee.type === 'CallExpression') return leavesOut(callee.callee);
  if (callee.type === 'TaggedTemplateExpression') return leavesOut(callee.tag);
  if (callee.type !== 'MemberExpression') return false;
  const { object, property } = callee;
  if (object.type !== 'Identifier') return leavesOut(object);
  return object.value === 'describe' && property.type === 'Identifier' && property.value === 'skip';
}

/** What is written, with the placeholders of `test.each`; undefined where it is put together as it runs. */
function written(title: Expression | undefined): string | undefined {
  if (title?.type === 'StringLiteral') return title.value;
  return title?.type === 'TemplateLiteral' && title.expressions.length === 0 ? title.quasis[0]!.cooked : undefined;
}

/** @param source of a suite in TypeScript. */
export async function titlesOf(source: string): Promise<Set<string>> {
  const titles = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, callee, arguments: given } = node as CallExpression;
    if (type === 'CallExpression' && leavesOut(callee)) return;
    const title = type === 'CallExpression' && makesTest(callee) ? written(given[0]?.expression) : undefined;
    if (title !== undefined) titles.add(title);
    for (const part of Object.values(node)) visit(part);
  };
  visit(await parse(source, { syntax: 'typescript', decorators: true }));
  return titles;
}
