/** Lets Node read TypeScript with decorators, compiled as the tests are, and takes care that there is one `graphql`. */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

/** Of the product's own packages, not of those beside this file. */
const ROOT = new URL('../../package.json', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const isGraphql = specifier === 'graphql' || specifier.startsWith('graphql/');
    return next(specifier, isGraphql ? { ...context, parentURL: ROOT } : context);
  },
  load(url, context, next) {
    if (!url.endsWith('.ts') || url.includes('/node_modules/')) return next(url, context);
    const file = fileURLToPath(url);
    const { code } = transformSync(readFileSync(file, 'utf8'), {
      filename: file,
      jsc: {
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        target: 'es2024',
      },
      module: { type: 'es6' },
      sourceMaps: 'inline',
    });
    return { format: 'module', source: code, shortCircuit: true };
  },
});
