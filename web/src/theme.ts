/** Colours, type and shapes of the console. */
import { createTheme, type MantineColorsTuple } from '@mantine/core';

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
  primaryShade: { light: 8, dark: 6 },
  colors: { sea },
  fontFamily: "Inter, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif",
  defaultRadius: 'md',
  autoContrast: true,
  luminanceThreshold: 0.35,
  cursorType: 'pointer',
});
