/** Builds the console and the playground; both are served by the gateway, from files of this machine alone. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** A packed copy beside each file that gains by it: on a slow line the console is there in a third of the time. */
const packed: Plugin = {
  name: 'packed',
  apply: 'build',
  async writeBundle({ dir }, bundle) {
    const gainful = Object.keys(bundle).filter((name) => /\.(js|css|svg)$/.test(name));
    for (const file of gainful.map((name) => join(dir!, name)))
      await writeFile(`${file}.gz`, await promisify(gzip)(await readFile(file), { level: 9 }));
  },
};

const page = (name: string) => join(import.meta.dirname, name);

export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  plugins: [packed],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // From these on `light-dark()` is known; written in other words it would not follow Mantine's colour scheme.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    chunkSizeWarningLimit: 5000,
    rolldownOptions: {
      input: { console: page('index.html'), playground: page('playground.html') },
      onLog(level, log, report) {
        // Packages mark their modules for React's server components, which there are none of here.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') report(level, log);
      },
    },
  },
  // While working on it: `npx vite web`, beside a gateway that runs.
  server: { proxy: { '/graphql': { target: process.env.GATEWAY ?? 'http://127.0.0.1:4000', ws: true } } },
});
