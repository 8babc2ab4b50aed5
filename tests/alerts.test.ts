import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { describedMetrics } from '../src/telemetry/metrics-table.ts';
import { type Actor, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf, hasProgram } from './support/available.ts';
import { type Sample, scrape } from './support/metrics.ts';
import { labelsAsked, namesAsked } from './support/promql.ts';

const RULES = 'deploy/prometheus/alerts.yml';
const run = promisify(execFile);

interface Alert {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook: string };
}
interface Panel {
  title: string;
  type: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string }[];
}

const alertsIn = (text: string) =>
  (parse(text) as { groups: { rules: Alert[] }[] }).groups.flatMap(({ rules }) => rules);
const alerts = alertsIn(await readFile(RULES, 'utf8'));
const dashboard = JSON.parse(await readFile('deploy/grafana/dashboard.json', 'utf8')) as { panels: Panel[] };
/** As Grafana fills them in. */
const filled = (expr: string) => expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*');
const shown = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ where: `panel ${title}`, expr: filled(expr) })),
);
const asked = [...alerts.map(({ alert, expr }) => ({ where: `alert ${alert}`, expr })), ...shown];

/** What Prometheus itself adds to everything that it scrapes. */
const ADDED = new Set(['job', 'instance']);

let app: TestApp;
let admin: Actor;
let labels: Map<string, Set<string>>;

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
  await provision(admin);
  await admin.graphql('{ tenants { nodes { id } nothing } }');
  await admin.graphql('{ tenants { nodes { id } } }');
  labels = labelsOf(await scrape(app));
});
afterAll(() => app.stop());

function labelsOf(samples: Sample[]): Map<string, Set<string>> {
  const known = new Map<string, Set<string>>();
  for (const sample of samples) {
    known.set(sample.name, new Set([...(known.get(sample.name) ?? []), ...Object.keys(sample.labels)]));
  }
  return known;
}

describe('alerts and dashboard', () => {
  test('ask for metrics that a gateway shows', () => {
    // Of what has no series before it happens, the name alone is there.
    const quiet = ['omnistream_subscriptions', 'omnistream_provisionings'];
    const lacking = asked.flatMap(({ where, expr }) =>
      namesAsked(expr)
        .filter((name) => name !== 'up' && !labels.has(name) && !quiet.includes(name))
        .map((name) => `${where}: ${name}`),
    );
    expect(lacking).toEqual([]);
    expect(asked.length).toBeGreaterThan(50);
  });

  test('ask for labels that those metrics have', () => {
    const ofQuiet: Record<string, string[]> = {
      omnistream_subscriptions: ['field'],
      omnistream_provisionings: ['state'],
    };
    const lacking = asked.flatMap(({ where, expr }) => {
      const names = namesAsked(expr);
      const known = new Set(names.flatMap((name) => [...(labels.get(name) ?? ofQuiet[name] ?? [])]));
      return labelsAsked(expr)
        .filter((label) => !known.has(label) && !ADDED.has(label))
        .map((label) => `${where}: ${label} of ${names}`);
    });
    expect(lacking).toEqual([]);
  });

  test('a name or a label that there is not would be found', () => {
    const expr =
      'sum by (nobody, le) (rate(http_requests_bucket{colour=~"blue|red", status!="5xx"}[5m])) / omnistream_tenants';
    expect(namesAsked(expr)).toEqual(['http_requests_bucket', 'omnistream_tenants']);
    expect(labelsAsked(expr)).toEqual(['nobody', 'le', 'colour', 'status']);
  });

  test('the values that alerts wait for are values that labels can have', async () => {
    const text = await (await fetch(`${app.url}/metrics`)).text();
    expect(text).toContain('component="controlPlane"');
    expect(text).toContain('pool="control"');
    expect(text).toContain('state="failed"');
  });

  test('every metric of the gateway’s own is on the dashboard', () => {
    const onDashboard = new Set(
      shown.flatMap(({ expr }) => namesAsked(expr)).map((name) => name.replace(/_(bucket|sum|count)$/, '')),
    );
    expect(
      describedMetrics()
        .map(({ name }) => name)
        .filter((name) => !onDashboard.has(name)),
    ).toEqual([]);
  });

  test('panels have titles of their own and do not lie upon each other', () => {
    const titles = dashboard.panels.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...dashboard.panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
  });
});

test('each alert has a section that says what to do, and there is none besides', async () => {
  const text = await readFile('docs/incidents.md', 'utf8');
  const sections = [...text.matchAll(/^## (.+)\n+([\s\S]*?)(?=^## |$(?![\s\S]))/gm)].map(([, title, body]) => ({
    title,
    body,
  }));
  expect(sections.map(({ title }) => title)).toEqual(alerts.map(({ alert }) => alert));
  for (const { body } of sections) expect(body!.length).toBeGreaterThan(150);
  for (const { alert, labels: own, annotations } of alerts) {
    expect(annotations.runbook).toBe(`docs/incidents.md#${alert.toLowerCase()}`);
    expect(annotations.summary).toMatch(/^[A-Z{].*\.$/);
    expect(['critical', 'warning', 'info']).toContain(own.severity);
  }
});

describeIf('Prometheus’ own judgement', hasProgram('promtool'), 'promtool is not installed', () => {
  test('the rules and the configuration are valid', async () => {
    const { stdout } = await run('promtool', ['check', 'config', 'prometheus.yml'], { cwd: 'deploy/prometheus' });
    expect(stdout).toContain(`SUCCESS: ${alerts.length} rules found`);
  });

  test('each alert fires when it should and is silent otherwise', async () => {
    const { stdout } = await run('promtool', ['test', 'rules', 'alerts.test.yml'], { cwd: 'deploy/prometheus' });
    expect(stdout).toContain('SUCCESS');
    const tried = parse(await readFile('deploy/prometheus/alerts.test.yml', 'utf8')) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts?: object[] }[] }[];
    };
    const fired = tried.tests.flatMap((one) => one.alert_rule_test).filter(({ exp_alerts }) => exp_alerts?.length);
    expect(new Set(fired.map(({ alertname }) => alertname))).toEqual(new Set(alerts.map(({ alert }) => alert)));
  });

  test('the queries of the dashboard are PromQL', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'omnistream-promql-'));
    try {
      const rules = shown.map(({ expr }, at) => ({ record: `panel:${at}`, expr }));
      await writeFile(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
      const { stdout } = await run('promtool', ['check', 'rules', join(folder, 'rules.yml')]);
      expect(stdout).toContain(`SUCCESS: ${shown.length} rules found`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
