/** Colours, type and shapes of the console; every pair of text and ground holds WCAG AA. */
import { type CSSVariablesResolver, createTheme, darken, type MantineColorsTuple } from '@mantine/core';

const sea: MantineColorsTuple = [
  '#e6fcfb',
  '#d3f3f3',
  '#a8e4e6',
  '#79d5d8',
  '#53c8cd',
  '#3bc0c6',
  '#22b0b8',
  '#0f8f99',
  '#0b7285',
  '#085a69',
];

export const theme = createTheme({
  primaryColor: 'sea',
  primaryShade: 8,
  colors: { sea },
  fontFamily: "'Inter Variable', 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif",
  headings: { fontWeight: '650' },
  defaultRadius: 'md',
  autoContrast: true,
  // White reads on what is darker than this, black on the rest.
  luminanceThreshold: 0.184,
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Badge: { defaultProps: { tt: 'none', fw: 600, radius: 'sm' } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 250, events: { hover: true, focus: true, touch: true } } },
    // By itself it has the colour of the ground.
    Code: { defaultProps: { color: 'var(--os-line)' } },
    // Its placeholder is no child that a menu may have.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.5, blur: 2 } } },
    Skeleton: { defaultProps: { radius: 'md' } },
  },
});

/** Mantine's dimmed, placeholder, error and light shades are too faint on some grounds. */
export const variables: CSSVariablesResolver = ({ colors }) => {
  const light: Record<string, string> = {
    '--mantine-color-dimmed': '#56606a',
    '--mantine-color-placeholder': '#6c757d',
    '--mantine-color-error': 'var(--mantine-color-red-9)',
    '--os-bar': 'var(--mantine-color-sea-8)',
    '--os-ground': '#f6f8f9',
    '--os-line': '#e1e6ea',
  };
  for (const [name, shades] of Object.entries(colors)) {
    light[`--mantine-color-${name}-light-color`] = darken(shades[9], 0.35);
    light[`--mantine-color-${name}-text`] = darken(shades[9], 0.2);
  }
  return {
    variables: {},
    light,
    dark: {
      '--mantine-color-dimmed': '#a9b0b8',
      '--mantine-color-placeholder': '#9299a1',
      '--mantine-color-error': 'var(--mantine-color-red-4)',
      '--os-bar': 'var(--mantine-color-sea-5)',
      '--os-ground': '#17191c',
      '--os-line': '#33373c',
    },
  };
};
