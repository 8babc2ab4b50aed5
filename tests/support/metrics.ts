/** What a gateway shows at /metrics. */
import type { TestApp } from './app.ts';

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export async function scrape({ url }: Pick<TestApp, 'url'>): Promise<Sample[]> {
  const response = await fetch(`${url}/metrics`);
  if (response.status !== 200) throw new Error(`/metrics answered ${response.status}`);
  return samplesIn(await response.text());
}

/** The text format of Prometheus, version 0.0.4. @throws for a line that is none of it. */
export function samplesIn(text: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const parts = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
      if (!parts) throw new Error(`not a sample: ${line}`);
      const [, name, inBraces = '', value] = parts;
      const labels = [...inBraces.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label, text]);
      return { name: name!, labels: Object.fromEntries(labels), value: Number(value) };
    });
}

/** The one sample of this name and, among others, these labels; undefined where there is none. @throws where there are several. */
export function reading(samples: Sample[], name: string, labels: Record<string, string> = {}): number | undefined {
  const found = samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  if (found.length > 1) throw new Error(`${name} with ${JSON.stringify(labels)} is ${found.length} series`);
  return found[0]?.value;
}
