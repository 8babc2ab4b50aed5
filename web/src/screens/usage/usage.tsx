/** What all tenants use together, and who comes near a limit. */
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import { Page } from '../../ui/page.tsx';
import { HistoryCharts } from './history-charts.tsx';
import { METRICS } from './metrics.ts';
import { type MetricChoice, Standings, THRESHOLDS } from './standings.tsx';

const DEFAULTS = { days: '30', metric: 'ALL', min: '50' } as const;
type Param = keyof typeof DEFAULTS;
const CHOICES: Record<Param, readonly string[]> = {
  days: ['30', '90', '365'],
  metric: ['ALL', ...METRICS.map(({ key }) => key)],
  min: THRESHOLDS,
};

export default function Usage() {
  const { t } = useTranslation('usage');
  const [params, setParams] = useSearchParams();
  const read = (param: Param): string => {
    const value = params.get(param);
    return value && CHOICES[param].includes(value) ? value : DEFAULTS[param];
  };
  const write = (param: Param, value: string) =>
    setParams(
      (old) => {
        if (value === DEFAULTS[param]) old.delete(param);
        else old.set(param, value);
        return old;
      },
      { replace: true },
    );
  return (
    <Page title={t('title')} description={t('description')}>
      <HistoryCharts days={Number(read('days'))} onDays={(days) => write('days', String(days))} />
      <Standings
        metric={read('metric') as MetricChoice}
        onMetric={(metric) => write('metric', metric)}
        threshold={read('min')}
        onThreshold={(min) => write('min', min)}
      />
    </Page>
  );
}
