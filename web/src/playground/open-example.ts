/** Opens an example in a tab of its own. */
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useState } from 'react';
import { EXAMPLES } from './examples/index.ts';
import { type Problem, prepare } from './fill.ts';

/** Where the panel and the editors do not fit beside each other. */
const NARROW = '(max-width: 760px)';

export function useOpenExample() {
  const { addTab, stop, setVisiblePlugin } = useGraphiQLActions();
  const { queryEditor, variableEditor } = useGraphiQL(({ queryEditor, variableEditor }) => ({
    queryEditor,
    variableEditor,
  }));
  const [opening, setOpening] = useState<string>();
  const [problems, setProblems] = useState<Problem[]>([]);

  async function open(id: string): Promise<void> {
    const example = EXAMPLES.find((one) => one.id === id);
    if (!example || opening) return;
    setOpening(id);
    let prepared: Awaited<ReturnType<typeof prepare>>;
    try {
      prepared = await prepare(example);
    } catch (error) {
      const variables = example.variables ? JSON.stringify(example.variables, null, 2) : '';
      prepared = { variables, problems: [{ text: (error as Error).message }] };
    }
    setOpening(undefined);
    setProblems(prepared.problems);
    // What runs in the tab that is left would write into the new one.
    stop();
    addTab();
    queryEditor?.setValue(`# ${example.title}: ${example.about}\n${example.document}\n`);
    variableEditor?.setValue(prepared.variables);
    if (!prepared.problems.length && matchMedia(NARROW).matches) setVisiblePlugin(null);
    // A frame later it is there to be focused also where the panel had taken its place.
    requestAnimationFrame(() => queryEditor?.focus());
  }

  return { open, opening, problems };
}
