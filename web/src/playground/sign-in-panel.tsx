/** Signing in from inside the page, and as whom requests go. */
import { useGraphiQLActions } from '@graphiql/react';
import { type FormEvent, useEffect, useState } from 'react';
import { PlaygroundCompanySignInDocument, PlaygroundPlatformSignInDocument } from '../documents.gen.ts';
import { ask } from './ask.ts';
import css from './playground.module.css';
import { activate, adopt, confirm, type Side, signOut, useSession } from './session.ts';
import { EXAMPLES_TITLE } from './titles.ts';

export function SignInPanel() {
  const { notice } = useSession();
  useEffect(() => void confirm(), []);
  return (
    <section aria-label="Sign in" className={css.panel}>
      <h2 className={css.title}>Sign in</h2>
      {notice && (
        <p role="status" className={css.problem}>
          {notice}
        </p>
      )}
      <Identities />
      <SignInForm />
      <p className={css.hint}>
        Kept in this browser tab only. An <code>Authorization</code> or <code>X-API-Key</code> in the Headers editor
        below a query comes before it.
      </p>
    </section>
  );
}

function Identities() {
  const session = useSession();
  const sides = (['platform', 'company'] as const).filter((side) => session[side]);
  if (!sides.length) return null;
  return (
    <fieldset className={css.identities}>
      <legend className={css.group}>Requests go as</legend>
      {sides.map((side) => {
        const identity = session[side]!;
        return (
          <div key={side} className={css.identity}>
            <label>
              <input type="radio" name="active" checked={session.active === side} onChange={() => activate(side)} />
              <span>
                <strong>{identity.email}</strong>
                <span className={css.about}>
                  {identity.tenantSlug ? `${identity.role} in ${identity.tenantSlug}` : `${identity.name}, super admin`}
                </span>
              </span>
            </label>
            <button
              type="button"
              className={css.small}
              aria-label={`Sign out ${identity.email}`}
              onClick={() => void signOut(side)}
            >
              Sign out
            </button>
          </div>
        );
      })}
      <div className={css.identity}>
        <label>
          <input type="radio" name="active" checked={!session.active} onChange={() => activate(undefined)} />
          <span>Nobody</span>
        </label>
      </div>
    </fieldset>
  );
}

const SIDES: Record<Side, { label: string; hint: string }> = {
  platform: {
    label: 'Platform',
    hint: 'As a super admin. On a fresh start: the e-mail and password that npm start printed.',
  },
  company: { label: 'Company', hint: 'As somebody who works in a company.' },
};

function SignInForm() {
  const { setVisiblePlugin } = useGraphiQLActions();
  const [side, setSide] = useState<Side>('platform');
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget;
    const values = new FormData(form);
    const text = (name: string) => String(values.get(name) ?? '').trim();
    const credentials = { email: text('email'), password: String(values.get('password')) };
    setBusy(true);
    setProblem(undefined);
    try {
      const { token } =
        side === 'platform'
          ? (await ask(PlaygroundPlatformSignInDocument, credentials)).superAdminLogin
          : (await ask(PlaygroundCompanySignInDocument, { ...credentials, tenant: text('tenant') || null })).login;
      await adopt(token);
      form.reset();
      setVisiblePlugin(EXAMPLES_TITLE);
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className={css.form} onSubmit={(event) => void submit(event)}>
      <fieldset className={css.sides}>
        <legend className={css.hidden}>Where</legend>
        {(Object.keys(SIDES) as Side[]).map((one) => (
          <label key={one} className={css.side} data-checked={one === side || undefined}>
            <input
              type="radio"
              name="side"
              className={css.hidden}
              checked={one === side}
              onChange={() => {
                setSide(one);
                setProblem(undefined);
              }}
            />
            {SIDES[one].label}
          </label>
        ))}
      </fieldset>
      <p className={css.hint}>{SIDES[side].hint}</p>
      <label className={css.field}>
        E-mail
        <input name="email" type="email" autoComplete="username" required />
      </label>
      <label className={css.field}>
        Password
        <input name="password" type="password" autoComplete="current-password" required />
      </label>
      {side === 'company' && (
        <label className={css.field}>
          Company’s slug, where the address belongs to several
          <input name="tenant" autoCapitalize="off" spellCheck={false} placeholder="optional" />
        </label>
      )}
      {problem && (
        <p role="alert" className={css.problem}>
          {problem}
        </p>
      )}
      <button type="submit" className={css.primary} disabled={busy}>
        {busy ? 'Signing in…' : 'Sign in'}
      </button>
    </form>
  );
}
