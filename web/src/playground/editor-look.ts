/** How the editors look: colours of the console that can be read on both grounds, and long lines that wrap. */
import { useGraphiQL, useMonaco } from '@graphiql/react';
import { useEffect } from 'react';

export const EDITOR_THEME = { light: 'omnistream-light', dark: 'omnistream-dark' };

const TRANSPARENT = '#ffffff00';

/** @param colour of what is chosen or pointed at. */
const surfaces = (colour: string, ground: string, numbers: string) => ({
  'editor.background': TRANSPARENT,
  'scrollbar.shadow': TRANSPARENT,
  'editorLineNumber.foreground': numbers,
  'textLink.foreground': colour,
  'textLink.activeForeground': colour,
  'editorLink.activeForeground': colour,
  'editorHoverWidget.background': ground,
  'editorSuggestWidget.background': ground,
  'editorSuggestWidget.selectedBackground': `${colour}22`,
  'editorSuggestWidget.selectedForeground': colour,
  'editorSuggestWidget.highlightForeground': colour,
  'editorSuggestWidget.focusHighlightForeground': colour,
  'editorWidget.background': ground,
  'quickInput.background': ground,
  'menu.background': ground,
  'menu.selectionBackground': `${colour}22`,
  'menu.selectionForeground': colour,
  'list.hoverBackground': `${colour}11`,
  focusBorder: colour,
});

const rules = (colours: Record<string, string>) =>
  Object.entries(colours).map(([token, foreground]) => ({ token, foreground }));

export function EditorLook() {
  const monaco = useMonaco(({ monaco }) => monaco);
  const { queryEditor, variableEditor, monacoTheme } = useGraphiQL((state) => ({
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
    monacoTheme: state.monacoTheme,
  }));
  useEffect(() => {
    if (!monaco) return;
    monaco.editor.defineTheme(EDITOR_THEME.light, {
      base: 'vs',
      inherit: true,
      colors: surfaces('#0b7285', '#ffffff', '#5b6b80'),
      rules: rules({ 'argument.identifier.gql': '#5350b5', comment: '#4a6b3a', number: '#06704a' }),
    });
    monaco.editor.defineTheme(EDITOR_THEME.dark, {
      base: 'vs-dark',
      inherit: true,
      colors: surfaces('#29ccd6', '#212a3b', '#a3b0c4'),
      rules: rules({ 'argument.identifier.gql': '#a5a0ff', comment: '#8fbf7a', number: '#b5cea8' }),
    });
  }, [monaco]);
  useEffect(() => {
    if (monaco && monacoTheme) monaco.editor.setTheme(monacoTheme);
  }, [monaco, monacoTheme]);
  useEffect(() => {
    for (const editor of [queryEditor, variableEditor]) {
      editor?.updateOptions({ wordWrap: 'on', wrappingIndent: 'indent' });
    }
  }, [queryEditor, variableEditor]);
  return null;
}
