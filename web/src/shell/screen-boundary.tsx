/** What is seen of a screen that cannot be shown, while everything around it goes on. */
import { Alert, Button, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Component, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useReturn } from '../api/live.ts';

/** What a browser says when a part of the program could not be fetched: the gateway is away, or another version by now. */
const NOT_FETCHED = /dynamically imported module|importing a module script|preload CSS/i;

const reload = () => location.reload();

interface State {
  error?: Error;
}

/** @param props.place where one is: what could not be shown there says nothing of another place. */
export class ScreenBoundary extends Component<{ place: string; children: ReactNode }, State> {
  override state: State = {};

  static getDerivedStateFromError(error: Error): State {
    return { error };
  }

  override componentDidUpdate({ place }: { place: string }) {
    if (place !== this.props.place && this.state.error) this.setState({ error: undefined });
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return NOT_FETCHED.test(error.message) ? <NotFetched /> : <Broken kind="broken" />;
  }
}

/** What a browser did not get it does not ask for again by itself, so that the page has to be loaded anew. */
function NotFetched() {
  useReturn(reload);
  return <Broken kind="notFetched" />;
}

function Broken({ kind }: { kind: 'broken' | 'notFetched' }) {
  const { t } = useTranslation('shell');
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={t(`${kind}.title`)} role="alert">
      <Stack align="flex-start" gap="sm">
        <Text size="sm">{t(`${kind}.text`)}</Text>
        <Button size="xs" variant="default" onClick={reload}>
          {t('loadAnew')}
        </Button>
      </Stack>
    </Alert>
  );
}
