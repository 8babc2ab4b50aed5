/** GraphiQL with the panels of this project. */
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import type { GraphiQLPlugin } from '@graphiql/react';
import { IconListSearch, IconUserKey } from '@tabler/icons-react';
import { GraphiQL } from 'graphiql';
import { Notices, WhoChip } from './around.tsx';
import { EDITOR_THEME, EditorLook } from './editor-look.ts';
import { ExamplesPanel } from './examples-panel.tsx';
import { fetcher } from './fetcher.ts';
import css from './playground.module.css';
import { activeIdentity, getSession } from './session.ts';
import { SignInPanel } from './sign-in-panel.tsx';
import { EXAMPLES_TITLE, SIGN_IN } from './titles.ts';
import { WELCOME } from './welcome.ts';

const signIn: GraphiQLPlugin = { title: SIGN_IN, icon: () => <IconUserKey stroke={1.5} />, content: SignInPanel };
const examples: GraphiQLPlugin = {
  title: EXAMPLES_TITLE,
  icon: () => <IconListSearch stroke={1.5} />,
  content: ExamplesPanel,
};
const plugins = [signIn, examples, HISTORY_PLUGIN];

const wide = matchMedia('(min-width: 761px)').matches;
const firstPanel = activeIdentity(getSession()) ? examples : signIn;

export function Playground() {
  return (
    <GraphiQL
      fetcher={fetcher}
      plugins={plugins}
      visiblePlugin={wide ? firstPanel : undefined}
      defaultQuery={WELCOME}
      defaultEditorToolsVisibility="variables"
      editorTheme={EDITOR_THEME}
      inputValueDeprecation
      schemaDescription
    >
      <GraphiQL.Logo>
        <span className={css.brand}>OmniStream playground</span>
        <WhoChip />
      </GraphiQL.Logo>
      <EditorLook />
      <GraphiQL.Footer>
        <Notices />
      </GraphiQL.Footer>
    </GraphiQL>
  );
}
