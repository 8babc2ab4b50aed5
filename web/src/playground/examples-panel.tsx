/** The list of examples: each opens in a tab of its own, ready to run. */
import { useGraphiQLActions } from '@graphiql/react';
import { GROUPS } from './examples/example.ts';
import { EXAMPLES } from './examples/index.ts';
import { useOpenExample } from './open-example.ts';
import css from './playground.module.css';
import { useSession } from './session.ts';
import { SIGN_IN } from './titles.ts';

export function ExamplesPanel() {
  const { setVisiblePlugin } = useGraphiQLActions();
  const { open, opening, problems } = useOpenExample();
  const { platform, company } = useSession();
  return (
    <section aria-label="Examples" className={css.panel}>
      <h2 className={css.title}>Examples</h2>
      <p className={css.hint}>
        Each opens in a tab of its own with its variables filled in; run it with <kbd>Ctrl</kbd> <kbd>Enter</kbd>.
        {!platform && !company && (
          <>
            {' '}
            Most need you to{' '}
            <button type="button" className={css.link} onClick={() => setVisiblePlugin(SIGN_IN)}>
              sign in as a super admin
            </button>{' '}
            first.
          </>
        )}
      </p>
      <div role="status">
        {problems.map(({ text, remedy }) => (
          <p key={text} className={css.problem}>
            {text}{' '}
            {remedy && (
              <button
                type="button"
                className={css.link}
                onClick={() => (remedy === 'sign-in' ? setVisiblePlugin(SIGN_IN) : void open(remedy))}
              >
                {remedy === 'sign-in' ? SIGN_IN : `Open "${EXAMPLES.find(({ id }) => id === remedy)?.title}"`}
              </button>
            )}
          </p>
        ))}
      </div>
      {GROUPS.map((group) => (
        <section key={group} aria-label={group}>
          <h3 className={css.group}>{group}</h3>
          <ul className={css.list}>
            {EXAMPLES.filter((example) => example.group === group).map(({ id, title, about }) => (
              <li key={id}>
                <button type="button" className={css.example} aria-busy={opening === id} onClick={() => void open(id)}>
                  <span className={css.exampleTitle}>{title}</span>
                  <span className={css.about}>{about}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </section>
  );
}
