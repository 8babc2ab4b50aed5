/** Lets Node read TypeScript with decorators, compiled as the tests are, and takes care that there is one `graphql`. */
import { readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

const product = createRequire(new URL('../../package.json', import.meta.url));
/** The folder of the copy that the product itself finds. */
const GRAPHQL = dirname(product.resolve('graphql/package.json'));

registerHooks({
  resolve(specifier, context, next) {
    if (!/^graphql(\/|$)/.test(specifier)) return next(specifier, context);
    return next(join(GRAPHQL, specifier.slice('graphql/'.length) || 'index.js'), context);
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
