import '@mantine/core/styles.css';
import '@mantine/dates/styles.css';
import '@mantine/charts/styles.css';
import '@mantine/notifications/styles.css';
import '@fontsource-variable/inter/wght.css';
import './i18n.ts';
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { joinOtherTabs } from './api/other-tabs.ts';
import { App } from './app.tsx';
import { theme, variables } from './theme.ts';

const colorScheme = localStorageColorSchemeManager({ key: 'omnistream.color-scheme' });

await joinOtherTabs();

createRoot(document.getElementById('root')!).render(
  <MantineProvider
    theme={theme}
    cssVariablesResolver={variables}
    defaultColorScheme="auto"
    colorSchemeManager={colorScheme}
  >
    <Notifications position="bottom-right" />
    <BrowserRouter basename="/console" useTransitions={false}>
      <App />
    </BrowserRouter>
  </MantineProvider>,
);
