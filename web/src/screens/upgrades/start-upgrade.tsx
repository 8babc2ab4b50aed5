/** Starting an upgrade: what it would do, and how it is to go about it. */
import { Accordion, Checkbox, Code, NumberInput, SimpleGrid, Stack, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type CombinedError, useMutation } from 'urql';
import { StartUpgradeHereDocument, type UpgradesQuery } from '../../documents.gen.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { fieldErrors } from '../../ui/errors.ts';
import { FormEnd } from '../../ui/form-end.tsx';
import { useFormats } from '../../ui/format.ts';
import { notify } from '../../ui/notify.tsx';

interface StartUpgradeProps {
  plan: UpgradesQuery['upgradePlan'];
  opened: boolean;
  onClose: () => void;
  onStarted: () => void;
}

export function StartUpgrade({ opened, onClose, ...rest }: StartUpgradeProps) {
  const { t } = useTranslation('upgrades');
  return (
    <Dialog opened={opened} onClose={onClose} title={t('start.action')}>
      <Form onClose={onClose} {...rest} />
    </Dialog>
  );
}

const FIELDS = { canary: [0, 1_000_000], concurrency: [1, 64], failureBudget: [0, 1_000_000] } as const;
type Field = keyof typeof FIELDS;

function Form({ plan, onClose, onStarted }: Omit<StartUpgradeProps, 'opened'>) {
  const { t } = useTranslation('upgrades');
  const { number, duration } = useFormats();
  const [wish, setWish] = useState<Record<Field, number>>({
    canary: Math.min(5, plan.total),
    concurrency: plan.concurrency,
    failureBudget: plan.failureBudget,
  });
  const [pauseAfterCanary, setPause] = useState(true);
  const [problem, setProblem] = useState<CombinedError>();
  const [{ fetching }, start] = useMutation(StartUpgradeHereDocument);
  const errors = fieldErrors(problem);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { error } = await start({ input: { ...wish, pauseAfterCanary } });
    setProblem(error);
    if (error) return;
    onClose();
    onStarted();
    notify.done(t('start.done'));
  };

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Text size="sm">
          {t('start.text', { count: plan.total, tenants: number(plan.total), version: plan.toVersion })}
          {plan.estimateSeconds != null &&
            ` ${t('start.estimate', { duration: duration(plan.estimateSeconds * 1000) })}`}
        </Text>
        <Accordion variant="contained">
          {plan.migrations.map(({ version, name, statements }) => (
            <Accordion.Item key={name} value={name}>
              <Accordion.Control>
                <Text size="sm">{t('start.migration', { version, name })}</Text>
              </Accordion.Control>
              <Accordion.Panel>
                <Code block style={{ whiteSpace: 'pre-wrap' }}>
                  {statements.map((statement) => statement.trim()).join('\n')}
                </Code>
              </Accordion.Panel>
            </Accordion.Item>
          ))}
        </Accordion>
        <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="sm">
          {(Object.keys(FIELDS) as Field[]).map((field) => (
            <NumberInput
              key={field}
              label={t(`start.${field}`)}
              min={FIELDS[field][0]}
              max={FIELDS[field][1]}
              allowDecimal={false}
              value={wish[field]}
              onChange={(value) => setWish((before) => ({ ...before, [field]: Number(value) }))}
              error={errors[field]}
            />
          ))}
        </SimpleGrid>
        <Checkbox
          label={t('start.pause')}
          checked={pauseAfterCanary}
          onChange={(event) => setPause(event.currentTarget.checked)}
          disabled={wish.canary === 0}
        />
        <FormEnd problem={problem} submit={t('start.submit')} busy={fetching} onCancel={onClose} />
      </Stack>
    </form>
  );
}
